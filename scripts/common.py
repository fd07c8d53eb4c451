"""Paths and small functions that every script of this folder shares."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Union

REPO = Path(__file__).resolve().parent.parent
ADDONS = REPO / "addons"
ADDON_NAME = "networked_multiplayer_enet"
ADDON = ADDONS / ADDON_NAME
PROJECT = REPO / "godot_project"

Word = Union[str, Path]


class ScriptError(Exception):
    """A failure whose text is all the user needs; scripts print it without a traceback."""


def cache_dir() -> Path:
    """Folder for downloads; NME_CACHE moves it, for instance to one that a CI keeps."""
    chosen = os.environ.get("NME_CACHE")
    return Path(chosen).expanduser().resolve() if chosen else (REPO / ".cache").resolve()


def script(name: str, *words: Word) -> List[Word]:
    """The command that runs another script of this folder."""
    path = REPO / "scripts" / name
    if not path.exists():
        raise ScriptError(f"{path.relative_to(REPO)} is not there")
    return [sys.executable, path, *words]


def say(text: str) -> None:
    """Prints at once, so that the order against a child's own output stays true."""
    print(text, flush=True)


def heading(text: str) -> None:
    """Marks where a step begins in a long log."""
    say(f"\n== {text}")


def shown(command: Sequence[Word]) -> str:
    """The command as a reader would type it (for display only)."""
    return " ".join(f'"{word}"' if " " in word else word for word in map(str, command))


def run(
    command: Sequence[Word],
    *,
    cwd: Optional[Path] = None,
    env: Optional[Mapping[str, str]] = None,
    timeout: Optional[float] = None,
    check: bool = True,
    quiet: bool = False,
) -> int:
    """Runs a command in the open, `env` added to the environment; a failure stops the script."""
    words = [str(word) for word in command]
    if not quiet:
        say(f"$ {shown(words)}")
    try:
        code = subprocess.run(words, cwd=cwd, env=merged(env), timeout=timeout, check=False).returncode
    except FileNotFoundError:
        raise ScriptError(f"{words[0]} was not found; is it installed and on the PATH?") from None
    except subprocess.TimeoutExpired:
        raise ScriptError(f"no end after {timeout:g} s: {shown(words)}") from None
    if check and code != 0:
        raise ScriptError(f"exit code {code} from: {shown(words)}")
    return code


def output(
    command: Sequence[Word],
    *,
    cwd: Optional[Path] = None,
    env: Optional[Mapping[str, str]] = None,
    timeout: Optional[float] = None,
) -> str:
    """What a command writes to its standard output; a failure shows its error text."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words, cwd=cwd, env=merged(env), timeout=timeout, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", errors="replace",
        )
    except FileNotFoundError:
        raise ScriptError(f"{words[0]} was not found; is it installed and on the PATH?") from None
    except subprocess.TimeoutExpired:
        raise ScriptError(f"no end after {timeout:g} s: {shown(words)}") from None
    if done.returncode != 0:
        raise ScriptError(f"exit code {done.returncode} from: {shown(words)}\n{tail(done.stderr)}")
    return done.stdout


def merged(extra: Optional[Mapping[str, str]]) -> Optional[Dict[str, str]]:
    """The environment with additions; None (inherit) when there are none."""
    return {**os.environ, **extra} if extra else None


def tail(text: str, lines: int = 20) -> str:
    """The end of a long text, where tools put the reason."""
    return "\n".join(text.strip().splitlines()[-lines:])


def install_packages(packages: Sequence[str]) -> bool:
    """Installs Debian packages on the machine; False if it is no Debian or nobody may."""
    if not shutil.which("apt-get") or os.geteuid() != 0:
        return False
    run(["apt-get", "update", "-qq"])
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    run(install, env={"DEBIAN_FRONTEND": "noninteractive"})
    return True


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Prints how long a step took."""
    start = time.monotonic()
    yield
    say(f"{what}: {time.monotonic() - start:.1f} s")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Lets one process at a time fill a cache folder; where flock is missing, nobody waits."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        import fcntl
    except ImportError:
        yield
        return
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def main_guard(main: Callable[[], int]) -> None:
    """Runs a script's main and turns a ScriptError into one line and exit code 1."""
    try:
        sys.exit(main())
    except ScriptError as error:
        say(f"error: {error}")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
