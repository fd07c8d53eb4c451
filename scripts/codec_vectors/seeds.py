"""Seeds for the fuzz targets of the codecs and of Godot 3.6's calls: the test vectors, one file each."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Dict, List, Sequence

from codec_vectors.payloads import far

# First byte of an ENet datagram: the sent time follows in the header; what is behind the header is compressed.
SENT_TIME = 0x80
COMPRESSED = 0x40
# Bytes of `far` with a repeat that is too far for FastLZ level 1.
BEYOND_REACH = 10000
# In front of a packet for `godot3_packets`: the first of the two senders, and all that follows as one packet.
WHOLE_PACKET = b"\x00\xff"
# Bytes of a call by id in front of its first argument, if the method's name has one letter.
BEFORE_ARGUMENT = 8
HEX_BYTES = re.compile("(?:[0-9a-f]{2})+")


def seeds(data: Path, modes: Sequence[str]) -> Dict[str, List[bytes]]:
    """The inputs of each fuzz target, from the vector files in the folder `data`."""
    plain = [bytes.fromhex(text) for _, text in lines(data / "payloads.txt")]
    targets: Dict[str, List[bytes]] = {"fastlz_blocks": [*plain, far()[:BEYOND_REACH]]}
    for mode in modes:
        targets[f"decode_{mode}"] = []
        targets[f"round_trip_{mode}"] = list(plain)
    for path in sorted(data.glob("godot_*.txt")):
        for mode, _, text in lines(path):
            targets[f"decode_{mode}"].append(bytes.fromhex(text))
    for mode, _, text in lines(data / "datagrams_3.6.txt"):
        datagram = bytes.fromhex(text)
        commands = datagram[4 if datagram[0] & SENT_TIME else 2 :]
        kind = "decode" if datagram[0] & COMPRESSED else "round_trip"
        targets[f"{kind}_{mode}"].append(commands)
    return targets


def godot3_seeds(data: Path) -> Dict[str, List[bytes]]:
    """The inputs of the targets for calls and Variants of Godot 3.6, from the packets recorded in the folder `data`."""
    packets: List[bytes] = []
    for name in ("godot3_send.txt", "godot3_receive.txt", "godot4_send.txt"):
        for line in (data / name).read_text(encoding="utf-8").splitlines():
            if not line.startswith("#"):
                packets += [bytes.fromhex(word) for column in line.split("\t") for word in hex_words(column)]
    arguments = [packet[BEFORE_ARGUMENT:] for packet in packets if packet[:1] == b"\x00" and packet[6:7] == b"\x00"]
    return {"godot3_packets": [WHOLE_PACKET + packet for packet in packets], "godot3_values": arguments}


def hex_words(column: str) -> List[str]:
    """The packets in a column, if it holds packets: no other one has hexadecimal digits alone, or these are few."""
    words = column.split(" ")
    return words if all(len(word) > 3 and HEX_BYTES.fullmatch(word) for word in words) else []


def write_seeds(corpus: Path, targets: Dict[str, List[bytes]]) -> None:
    """Writes each input into its target's folder. Its name is its hash, as libFuzzer names what it keeps."""
    for target, inputs in targets.items():
        folder = corpus / target
        folder.mkdir(parents=True, exist_ok=True)
        for data in inputs:
            (folder / hashlib.sha1(data).hexdigest()).write_bytes(data)


def lines(path: Path) -> List[List[str]]:
    """Lines of words."""
    return [line.split(" ") for line in path.read_text(encoding="ascii").splitlines()]
