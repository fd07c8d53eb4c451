"""The Rust tests and the library of a package as programs of Windows, by Wine."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Iterator, List, Tuple

import pytest

from build import cargo
from common import REPO, output
from conftest import Check
from foreign import WINDOWS, NotHere, needed, rust_for
from package import ENTRY_SYMBOL, checked
from targets import MINGW, build_library, target

# Those that have no engine of games in them; the drivers have the threads, and UDP the sockets.
CRATES = ("nme-enet", "nme-core", "nme-netem", "nme-udp", "nme-driver", "nme-dtls")
# Wine binds a socket to all addresses if the machine does not have the one that is asked for; Windows refuses.
LEFT_OUT = {"nme-udp": ["a_foreign_address_is_unavailable"]}
RESULT = re.compile(r"^test (.+?) \.\.\. (ok|FAILED)$", re.MULTILINE)

# The source of Rust's random numbers, which Wine has since version 9; there its own is found first.
RANDOM = """
#include <stddef.h>
unsigned char __stdcall SystemFunction036(void *, unsigned long);
__declspec(dllexport) int __stdcall ProcessPrng(unsigned char *data, size_t size) {
    return SystemFunction036(data, size);
}
"""
# Answers whether a library can be loaded and has the name.
LOADER = """
#include <stdio.h>
#include <windows.h>
int main(int count, char **words) {
    HMODULE library = LoadLibraryA(words[1]);
    if (!library) return printf("not loaded: error %lu\\n", GetLastError()), 1;
    puts(GetProcAddress(library, words[2]) ? "found" : "not found");
    return 0;
}
"""


@pytest.fixture(scope="module")
def wine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Wine with a folder of its own, as the program with which cargo runs tests, and a Rust that builds for it."""
    folder = tmp_path_factory.mktemp("wine")
    with pytest.MonkeyPatch.context() as patch:
        try:
            needed(MINGW, "gcc-mingw-w64-x86-64-win32")
            program = needed("wine64", "wine64")
            environment = rust_for(WINDOWS)
        except NotHere as error:
            pytest.skip(f"NOT RUN: {error}")
        environment |= {
            "CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER": str(program), "WINEPREFIX": str(folder / "prefix"),
            "WINEPATH": str(folder), "WINEDEBUG": "-all", "WINEDLLOVERRIDES": "mscoree,mshtml=",
        }
        for name, value in environment.items():
            patch.setenv(name, value)
        compiled(RANDOM, folder / "bcryptprimitives.dll", "-shared", "-ladvapi32")
        yield program


def compiled(source: str, made: Path, *words: str) -> Path:
    """A program or library of Windows, of C."""
    path = made.with_suffix(".c")
    path.write_text(source, encoding="utf-8")
    output([MINGW, path, "-o", made, *words])
    return made


@pytest.mark.parametrize("crate", CRATES)
def test_a_crate(crate: str, wine: Path, check: Check) -> None:
    command = [cargo(), "test", "--locked", "--tests", "--no-fail-fast", "--package", crate, "--target", WINDOWS, "--"]
    command += [word for name in LEFT_OUT.get(crate, []) for word in ("--skip", name)]
    done = subprocess.run(
        command, cwd=REPO, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
        errors="replace", check=False,
    )
    results: List[Tuple[str, str]] = RESULT.findall(done.stdout)
    for name, result in results:
        check(name, result == "ok", "\n".join(done.stdout.splitlines()[-40:]))
    assert results and done.returncode == 0, done.stdout


@pytest.fixture(scope="module")
def library(wine: Path) -> Path:
    """The library as it is shipped."""
    return build_library(target(WINDOWS))


def test_the_library_is_fit_for_a_package(library: Path) -> None:
    assert checked([library])[0].processors == ("AMD64",)


@pytest.mark.parametrize(("name", "answer"), [(ENTRY_SYMBOL, "found"), ("another_init", "not found")])
def test_the_library_is_loaded(name: str, answer: str, library: Path, wine: Path, tmp_path: Path) -> None:
    loader = compiled(LOADER, tmp_path / "loader.exe")
    assert output([wine, loader, library, name]).strip() == answer
