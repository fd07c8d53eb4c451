"""The systems a release has libraries for, and how each of them is built on the machine at hand."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional, Tuple

from build import PACKAGE, cargo, platform_of, target_directory
from common import REPO, ScriptError, output, run, timed
import tools

PROFILE = "dist"
# The oldest glibc that Rust itself supports: Linux of 2014 and newer.
GLIBC = "2.17"
# What Godot 4.3 asks for at least.
ANDROID_API = 21
MINGW = "x86_64-w64-mingw32-gcc"


class Target(NamedTuple):
    """A system, in Rust's words and in words for people."""

    triple: str
    label: str

    @property
    def variable(self) -> str:
        """As it appears in the names of cargo's variables."""
        return self.triple.upper().replace("-", "_")

    @property
    def shipped_name(self) -> str:
        """The library's name in the package; macOS has one processor here, see `join_apple` in package.py."""
        platform = platform_of(self.triple)
        name = platform.shipped_name(release=True)
        return name.replace("universal", platform.architecture)


ALL_TARGETS = (
    Target("x86_64-unknown-linux-gnu", "Linux x86_64"),
    Target("aarch64-unknown-linux-gnu", "Linux arm64"),
    Target("x86_64-pc-windows-gnu", "Windows x86_64"),
    Target("x86_64-pc-windows-msvc", "Windows x86_64"),
    Target("aarch64-apple-darwin", "macOS arm64"),
    Target("x86_64-apple-darwin", "macOS x86_64"),
    Target("aarch64-linux-android", "Android arm64"),
)
# Windows itself builds with MSVC, and other systems with MinGW.
TARGETS = tuple(
    one for one in ALL_TARGETS
    if platform_of(one.triple).system != "windows" or one.triple.endswith("msvc") == (sys.platform == "win32")
)


def target(triple: str) -> Target:
    """The target of this name."""
    for one in TARGETS:
        if one.triple == triple:
            return one
    raise ScriptError(f"{triple} is none of: {', '.join(one.triple for one in TARGETS)}")


def host_target() -> Target:
    """The target that is this machine."""
    here = platform_of(None)
    for one in TARGETS:
        if platform_of(one.triple) == here:
            return one
    raise ScriptError(f"no package is made for {here.system} {here.architecture}")


# --- What this machine can do ---------------------------------------------------------------------


def obstacle(one: Target) -> Optional[str]:
    """Why a target cannot be built here, or None."""
    system = platform_of(one.triple).system
    if system == "linux" and sys.platform == "win32":
        return "it is built on Linux or macOS"
    if one.triple.endswith("windows-gnu") and not shutil.which(MINGW):
        return f"{MINGW} was not found (Debian: gcc-mingw-w64-x86-64)"
    if system == "macos" and sys.platform != "darwin":
        return "it is built on macOS"
    if not has_standard_library(one.triple):
        return f"the Rust target is not installed (rustup target add {one.triple})"
    if system == "android" and not ndk_tools():
        return "ANDROID_NDK_HOME names no Android NDK"
    return None


def has_standard_library(triple: str) -> bool:
    """Whether Rust's standard library for a target is there; asked without rustup, which not everybody has."""
    root = Path(output([os.environ.get("RUSTC", "rustc"), "--print", "sysroot"], cwd=REPO).strip())
    return any((root / "lib" / "rustlib" / triple / "lib").glob("libstd-*"))


def ndk_tools() -> Optional[Path]:
    """Where the Android NDK keeps its compilers."""
    for variable in ("ANDROID_NDK_HOME", "ANDROID_NDK_LATEST_HOME", "ANDROID_NDK_ROOT"):
        home = os.environ.get(variable)
        found = sorted(Path(home).glob("toolchains/llvm/prebuilt/*/bin")) if home else []
        if found:
            return found[0]
    return None


# --- How it is built ------------------------------------------------------------------------------


def build_library(one: Target) -> Path:
    """Builds for one target; returns the library that cargo wrote."""
    command, environment = recipe(one)
    with timed(f"build for {one.label}"):
        run([*command, "--locked", "--package", PACKAGE, "--profile", PROFILE], cwd=REPO, env=environment)
    library = target_directory() / one.triple / PROFILE / platform_of(one.triple).built_name
    if not library.is_file():
        raise ScriptError(f"cargo succeeded, but {library} is not there")
    return library


def recipe(one: Target) -> Tuple[List[str], Dict[str, str]]:
    """The cargo command for a target, without the options that all share, and its environment."""
    system = platform_of(one.triple).system
    if system == "linux":
        return zig(f"{one.triple}.{GLIBC}")
    plain = [cargo(), "build", "--target", one.triple]
    if system == "windows" and one.triple.endswith("msvc"):
        # Without this the library would need a package of Microsoft's that a player may not have.
        return plain, {f"CARGO_TARGET_{one.variable}_RUSTFLAGS": "-C target-feature=+crt-static"}
    return plain, (android(one) if system == "android" else {})


def zig(triple: str) -> Tuple[List[str], Dict[str, str]]:
    """A build whose C compiler and linker are zig's."""
    program = tools.program("cargo-zigbuild")
    path = os.pathsep.join([str(program.parent), os.environ.get("PATH", "")])
    return [str(program), "zigbuild", "--target", triple], {"PATH": path}


def android(one: Target) -> Dict[str, str]:
    """Compilers of the NDK."""
    tools = ndk_tools()
    if tools is None:
        raise ScriptError("ANDROID_NDK_HOME names no Android NDK")
    ending = ".cmd" if sys.platform == "win32" else ""
    compiler = str(tools / f"{one.triple}{ANDROID_API}-clang{ending}")
    name = one.triple.replace("-", "_")
    return {
        f"CC_{name}": compiler,
        f"AR_{name}": str(tools / "llvm-ar"),
        f"CARGO_TARGET_{one.variable}_LINKER": compiler,
        # New devices have memory pages of 16 KB; older NDKs do not think of them.
        f"CARGO_TARGET_{one.variable}_RUSTFLAGS": "-C link-arg=-Wl,-z,max-page-size=16384",
    }
