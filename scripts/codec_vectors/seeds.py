"""Seeds for the fuzz targets of the codecs: the test vectors, one file each."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Dict, List, Sequence

from codec_vectors.payloads import far

# First byte of an ENet datagram: the sent time follows in the header; what is behind the header is compressed.
SENT_TIME = 0x80
COMPRESSED = 0x40
# Bytes of `far` with a repeat that is too far for FastLZ level 1.
BEYOND_REACH = 10000


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
