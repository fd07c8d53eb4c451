"""Builds for systems that this machine is not, and runs what was built: Windows by Wine, Linux arm64 by qemu.

What is missing comes from Debian, where the machine is one. Rust's standard library for a system comes from rustup, or with a
compiler of Debian's testing suite in the cache.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Dict, List, Sequence

from common import ScriptError, cache_dir, install_packages, locked, output, timed
from debian_prefix import DebianPaths, apt, debian_like, write_apt_root
from targets import has_standard_library

WINDOWS = "x86_64-pc-windows-gnu"
ARM64 = "aarch64-unknown-linux-gnu"
# Debian keeps Wine's own programs apart from those that a user starts.
WINE_FOLDER = "/usr/lib/wine"


class NotHere(ScriptError):
    """What a step needs cannot be had on this machine."""


# --- Programs of the machine ----------------------------------------------------------------------


def needed(name: str, package: str) -> Path:
    """A program, installed from its Debian package if need be."""
    found = find(name)
    if not found and install_packages([package]):
        found = find(name)
    if not found:
        raise NotHere(f"{name} was not found (Debian: {package})")
    return Path(found)


def find(name: str) -> str:
    """Where a program is, or nothing."""
    return shutil.which(name) or shutil.which(name, path=WINE_FOLDER) or ""


def qemu_with_engine() -> Path:
    """A program that is Debian's Godot 4 for arm64, run by qemu."""
    qemu = needed("qemu-aarch64-static", "qemu-user-static")
    root = cache_dir() / "engines-arm64"
    start = root / "godot4"
    with locked(root / ".lock"):
        if not start.is_file():
            paths = fetched(root, "arm64", ["godot"])
            # Debian's packages do not bring this link, below which programs look for their loader.
            link = paths.prefix / "lib"
            if not link.is_symlink():
                link.symlink_to("usr/lib")
            write_program(start, [qemu, "-L", paths.prefix, paths.prefix / "usr" / "bin" / "godot"])
    return start


# --- Rust -----------------------------------------------------------------------------------------


def rust_for(triple: str) -> Dict[str, str]:
    """The variables with which cargo can build for a system; none if rustup has its standard library."""
    if has_standard_library(triple):
        return {}
    compiler = {"RUSTC": str(debian_rust())}
    if triple == WINDOWS:
        # Debian has this standard library as source only, and cargo builds it for those who take what is not stable yet.
        return {**compiler, "RUSTC_BOOTSTRAP": "1", "CARGO_UNSTABLE_BUILD_STD": "std,panic_abort"}
    return compiler


def debian_rust() -> Path:
    """The testing suite's compiler, with the sources of its standard library and this library for arm64."""
    root = cache_dir() / "rust"
    start = root / "rustc"
    with locked(root / ".lock"):
        if not start.is_file():
            paths = fetched(root / "amd64", "amd64", ["libstd-rust-dev", "rust-src"], ["rustc"])
            fetched(root / "arm64", "arm64", [], ["libstd-rust-dev"], into=paths.prefix)
            command = [paths.loader, "--library-path", paths.libraries, paths.prefix / "usr" / "bin" / "rustc"]
            write_program(start, [*command, "--sysroot", paths.prefix / "usr"])
    return start


# --- Debian's packages ----------------------------------------------------------------------------


def fetched(
    root: Path, architecture: str, packages: Sequence[str], alone: Sequence[str] = (), into: Path | None = None
) -> DebianPaths:
    """Packages of the testing suite with all that they need, and some without it, unpacked."""
    if not debian_like():
        raise NotHere("only Debian on x86_64 can fetch this")
    paths = DebianPaths(root, architecture)
    paths.prefix = into or paths.prefix
    with timed(f"{', '.join([*packages, *alone])} for {architecture}"):
        write_apt_root(paths)
        apt(paths, "apt-get", "-qq", "-o", "APT::Update::Error-Mode=any", "update")
        if packages:
            apt(paths, "apt-get", "-qq", "-y", "install", "--download-only", *packages)
        if alone:
            output(["apt-get", "-c", paths.conf, "-qq", "download", *alone], cwd=paths.archives)
        paths.prefix.mkdir(parents=True, exist_ok=True)
        for package in sorted(paths.archives.glob("*.deb")):
            output(["dpkg-deb", "-x", package, paths.prefix])
    return paths


def write_program(path: Path, command: Sequence[object]) -> None:
    """A program that is a command with words of its own behind it."""
    words = " ".join(f"'{word}'" for word in command)
    path.write_text(f'#!/bin/sh\nexec {words} "$@"\n', encoding="utf-8")
    path.chmod(0o755)
