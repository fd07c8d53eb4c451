"""Makes and checks the test vectors of the compression modes with the real engines.

`python3 scripts/codec_vectors make` writes rust/nme-core/tests/data/codec; `check PROGRAM` lets both engines
expand what PROGRAM (the benchmark's `codecs --encode`) made of the same payloads. `seeds` needs no engine: it
writes the vectors, and the recorded packets of Godot 3.6's calls, into rust/fuzz/corpus, where their fuzz targets
begin with them.
"""

from __future__ import annotations

import select
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Dict, List, Sequence, Set, Tuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from codec_vectors.payloads import far, payloads  # noqa: E402
from codec_vectors.seeds import godot3_seeds, seeds, write_seeds  # noqa: E402
from common import REPO, ScriptError, main_guard, say  # noqa: E402
from engines import find_godot3, find_godot4  # noqa: E402

HERE = Path(__file__).resolve().parent
DATA = REPO / "rust" / "nme-core" / "tests" / "data" / "codec"
GODOT3_PACKETS = REPO / "rust" / "nme-godot3" / "tests" / "vectors"
CORPUS = REPO / "rust" / "fuzz" / "corpus"
MODES = {"range_coder": 1, "fastlz": 2, "zlib": 3, "zstd": 4}
# Kept of a recorded conversation: this many datagrams for each mode, direction and kind.
KEPT = 2
SPOKEN = ("one", "chat_107", "entities_20", "random_256", "text_1300", "zeros_1388")


def main() -> None:
    if sys.argv[1:] == ["make"]:
        make()
    elif sys.argv[1:] == ["seeds"]:
        targets = {**seeds(DATA, list(MODES)), **godot3_seeds(GODOT3_PACKETS)}
        write_seeds(CORPUS, targets)
        say(f"{CORPUS}: seeds for {len(targets)} fuzz targets")
    elif len(sys.argv) > 2 and sys.argv[1] == "check":
        check(sys.argv[2:])
    else:
        raise ScriptError("usage: python3 scripts/codec_vectors make | seeds | check PROGRAM [ARGUMENTS]")


def make() -> None:
    """Writes all vector files."""
    DATA.mkdir(parents=True, exist_ok=True)
    write("payloads.txt", [f"{name} {data.hex()}" for name, data in payloads().items()])
    for version, command in engines().items():
        write(f"godot_{version}.txt", compressed(command, version, DATA / "payloads.txt"))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "far.txt"
            path.write_text(f"far {far().hex()}\n", encoding="ascii")
            write(f"godot_{version}_far.txt", compressed(command, version, path))
    lines: List[str] = []
    for mode in MODES:
        lines += recorded(mode)
    write("datagrams_3.6.txt", lines)


def check(program: Sequence[str]) -> None:
    """Both engines expand what our encoder made."""
    done = subprocess.run([*program, str(DATA / "payloads.txt")], stdout=subprocess.PIPE, encoding="ascii", check=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ours.txt"
        path.write_text(done.stdout, encoding="ascii")
        for version, command in engines().items():
            answers = ask(command, version, f"--check={path}")
            wrong = [line for line in answers if not line.endswith(" same")]
            if wrong or len(answers) != len(done.stdout.splitlines()):
                raise ScriptError(f"Godot {version} read something else:\n" + "\n".join(wrong))
            say(f"Godot {version} expands all {len(answers)} blocks")


def engines() -> Dict[str, List[str]]:
    """The engines by the version in the file names."""
    godot3 = find_godot3()
    if godot3 is None:
        raise ScriptError("Godot 3.6 is needed")
    return {"3.6": list(godot3), "4.6": [*find_godot4(), "--headless"]}


def compressed(command: Sequence[str], version: str, path: Path) -> List[str]:
    return ask(command, version, f"--payloads={path}")


def ask(command: Sequence[str], version: str, argument: str) -> List[str]:
    """Runs the engine's script; its answers without their mark."""
    script = HERE / f"compress{version[0]}.gd"
    words = [*command, "--no-window"] if version[0] == "3" else [*command]
    done = subprocess.run(
        [*words, "--path", tempfile.gettempdir(), "-s", str(script), *(["--"] if version[0] == "4" else []), argument],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, encoding="utf-8", errors="replace", timeout=300, check=False,
    )
    lines = [line[3:] for line in done.stdout.splitlines() if line.startswith("@@ ")]
    if not lines:
        raise ScriptError(f"Godot {version} said nothing:\n{done.stdout}")
    return lines


def write(name: str, lines: Sequence[str]) -> None:
    (DATA / name).write_text("".join(f"{line}\n" for line in lines), encoding="ascii")
    say(f"{name}: {len(lines)} lines")


# --- Conversations ---------------------------------------------------------------------------------


def recorded(mode: str) -> List[str]:
    """Two 3.6 processes talk through us; what they sent as lines of "MODE DIRECTION HEX"."""
    godot3 = find_godot3()
    if godot3 is None:
        raise ScriptError("Godot 3.6 is needed")
    server_port = free_port()
    proxy = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    proxy.bind(("127.0.0.1", 0))
    outside = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    outside.bind(("127.0.0.1", 0))
    with tempfile.TemporaryDirectory() as folder:
        spoken = Path(folder) / "spoken.txt"
        known = {**payloads(), "one": b"\x05"}
        spoken.write_text("".join(f"{name} {known[name].hex()}\n" for name in SPOKEN), encoding="ascii")
        (Path(folder) / "project.godot").write_text("config_version=4\n", encoding="ascii")
        common = [*godot3, "--path", folder, "-s", str(HERE / "talk3.gd"), f"--mode={MODES[mode]}", f"--payloads={spoken}"]
        talkers = [start([*common, f"--server={server_port}"])]
        time.sleep(0.5)
        talkers.append(start([*common, f"--client={proxy.getsockname()[1]}"]))
        heard = carry(proxy, outside, ("127.0.0.1", server_port), talkers)
    proxy.close()
    outside.close()
    return [f"{mode} {direction} {data.hex()}" for direction, data in chosen(heard)]


def start(command: Sequence[str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def carry(
    proxy: socket.socket, outside: socket.socket, server: Tuple[str, int], talkers: Sequence["subprocess.Popen[bytes]"]
) -> List[Tuple[str, bytes]]:
    """Forwards in both directions until both programs have ended."""
    heard: List[Tuple[str, bytes]] = []
    client = None
    limit = time.monotonic() + 30
    while any(talker.poll() is None for talker in talkers):
        if time.monotonic() > limit:
            raise ScriptError("the conversation does not end")
        for ready in select.select([proxy, outside], [], [], 0.1)[0]:
            data, sender = ready.recvfrom(4096)
            heard.append(("client" if ready is proxy else "server", data))
            if ready is proxy:
                client = sender
                outside.sendto(data, server)
            elif client:
                proxy.sendto(data, client)
    return heard


def chosen(heard: Sequence[Tuple[str, bytes]]) -> List[Tuple[str, bytes]]:
    """A few datagrams of each kind: by direction, flags and length, where long ones count as alike."""
    seen: Dict[Tuple[str, int, int], int] = {}
    kept: List[Tuple[str, bytes]] = []
    known: Set[bytes] = set()
    for direction, data in heard:
        length = len(data) if len(data) < 64 else len(data) // 64 * 64
        kind = (direction, data[0] & 0xC0, length)
        seen[kind] = seen.get(kind, 0) + 1
        if seen[kind] <= KEPT and data not in known:
            known.add(data)
            kept.append((direction, data))
    return kept


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


if __name__ == "__main__":
    main_guard(main)
