"""A private copy of Debian's packages: unpacked below .cache/engines and run from there, without root and without a
trace on the machine.
"""

from __future__ import annotations

import json
import platform
import re
import shutil
import sys
from pathlib import Path
from typing import Dict, Iterable, List, Optional, Sequence, Tuple

from common import ScriptError, cache_dir, locked, output, say, timed

Command = List[str]

SUITE = "forky"
DEBIAN_SUITES = ("bullseye", "bookworm", "trixie", "forky", "oldstable", "stable", "testing", "sid", "unstable")
TRIPLET = "x86_64-linux-gnu"
ENGINE_PACKAGES = ("godot", "godot3-server", "patchelf")
EXTRA_PACKAGES: Dict[str, Tuple[str, ...]] = {
    "templates": ("godot-template-release", "godot-template-debug"),
    "pictures": ("libgl1", "libglx-mesa0", "libgl1-mesa-dri", "libegl1"),
}
# Package binary -> name of the runnable copy in bin/.
RUNNABLE = {
    "godot": "godot4",
    "godot3-server": "godot3",
    "godot-template-release": "godot-template-release",
    "godot-template-debug": "godot-template-debug",
}


def engines_dir() -> Path:
    """Where everything this file downloads lives."""
    return cache_dir() / "engines"


class DebianPaths:
    """The private apt root and the prefix that the packages are unpacked into."""

    def __init__(self, root: Path, architecture: str = "amd64") -> None:
        self.root = root
        self.architecture = architecture
        self.apt = root / "apt"
        self.conf = self.apt / "apt.conf"
        self.archives = self.apt / "var" / "cache" / "apt" / "archives"
        self.prefix = root / "prefix"
        self.libraries = self.prefix / "usr" / "lib" / TRIPLET
        self.loader = self.libraries / "ld-linux-x86-64.so.2"
        self.stamp = root / "ready.json"
        self.bin = root / "bin"

    @property
    def library_path(self) -> str:
        """Search path for the engine's libraries; libpulse keeps a part of itself in a folder of its own."""
        return f"{self.libraries}:{self.libraries / 'pulseaudio'}"


def debian_like() -> bool:
    """Whether the private prefix can work: Linux on x86_64 with apt's tools."""
    here = sys.platform.startswith("linux") and platform.machine() in ("x86_64", "AMD64")
    return here and all(shutil.which(tool) for tool in ("apt-get", "apt-cache", "dpkg-deb"))


def mirror() -> str:
    """Where this machine's own apt gets Debian's main packages from."""
    listed = output(["apt-get", "update", "--print-uris"])
    for uri, suite in re.findall(r"^'(\S+/)dists/(\S+)/main/binary-amd64/Packages", listed, re.MULTILINE):
        if suite in DEBIAN_SUITES:
            return uri
    raise ScriptError("this machine's apt configuration names no Debian mirror")


def keyring() -> Path:
    """The file with Debian's archive keys."""
    for ending in ("pgp", "gpg"):
        path = Path(f"/usr/share/keyrings/debian-archive-keyring.{ending}")
        if path.is_file():
            return path
    raise ScriptError("no Debian archive keyring was found; install the package debian-archive-keyring")


def write_apt_root(paths: DebianPaths) -> None:
    """An apt root of our own: an empty package status makes apt resolve everything down to libc."""
    for folder in ("etc/apt", "var/lib/apt/lists/partial", "var/cache/apt/archives/partial"):
        (paths.apt / folder).mkdir(parents=True, exist_ok=True)
    status = paths.apt / "status"
    status.write_text("", encoding="utf-8")
    source = f"deb [arch={paths.architecture} signed-by={keyring()}] {mirror()} {SUITE} main\n"
    (paths.apt / "etc" / "apt" / "sources.list").write_text(source, encoding="utf-8")
    settings = {
        "Dir": paths.apt,
        "Dir::State::status": status,
        "APT::Architecture": paths.architecture,
        "APT::Default-Release": "",
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "root",
        "APT::Update::Error-Mode": "any",
        "Acquire::Languages": "none",
        "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
        "Acquire::Retries": "3",
    }
    # The machine's own hooks would act on its own caches, so they are switched off here.
    cleared = ("APT::Architectures", "APT::Update::Pre-Invoke", "APT::Update::Post-Invoke",
               "APT::Update::Post-Invoke-Success", "DPkg::Pre-Install-Pkgs", "DPkg::Pre-Invoke", "DPkg::Post-Invoke")
    lines = [f"#clear {name};" for name in cleared] + [f'{name} "{value}";' for name, value in settings.items()]
    paths.conf.write_text("\n".join(lines) + "\n", encoding="utf-8")


def apt(paths: DebianPaths, tool: str, *words: str) -> str:
    """Runs an apt tool on the private root."""
    return output([tool, "-c", paths.conf, *words], env={"LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"})


def patchelf(paths: DebianPaths, *words: object) -> str:
    """Runs the prefix's patchelf through the prefix's loader, as it needs the prefix's libc."""
    tool = paths.prefix / "usr" / "bin" / "patchelf"
    return output([paths.loader, "--library-path", paths.library_path, tool, *map(str, words)])


def make_findable(paths: DebianPaths) -> None:
    """Gives libraries with a search path of their own the prefix's one: theirs would hide the engine's."""
    for library in sorted(paths.libraries.glob("*.so*")):
        if library.is_symlink() or not library.is_file():
            continue
        try:
            own = patchelf(paths, "--print-rpath", library).strip()
        except ScriptError:
            continue  # a linker script, not a library
        if own and own != paths.library_path:
            patchelf(paths, "--force-rpath", "--set-rpath", paths.library_path, library)


def make_runnable(paths: DebianPaths) -> None:
    """Copies each program and ties the copy to the prefix's loader and libraries.

    With the search path inside the file no environment variable is needed, which would break the
    machine's own programs when the engine starts them.
    """
    paths.bin.mkdir(parents=True, exist_ok=True)
    for package, name in RUNNABLE.items():
        program = paths.prefix / "usr" / "bin" / package
        if not program.is_file():
            continue
        half = paths.bin / f".{name}.part"
        shutil.copy2(program, half)
        patchelf(paths, "--set-interpreter", paths.loader, "--force-rpath", "--set-rpath", paths.library_path, half)
        half.replace(paths.bin / name)


def prefix_ready(paths: DebianPaths, packages: Iterable[str]) -> bool:
    """Whether an earlier run finished here with all these packages (moving the cache breaks the copies)."""
    stamp = read_json(paths.stamp)
    return stamp.get("root") == str(paths.root) and set(packages) <= set(stamp.get("asked", []))


def debian_prefix(extras: Sequence[str] = ()) -> DebianPaths:
    """The prefix with the engines and the extras; downloads only what is missing."""
    paths = DebianPaths(engines_dir())
    asked = [*ENGINE_PACKAGES, *(package for extra in extras for package in EXTRA_PACKAGES[extra])]
    if prefix_ready(paths, asked):
        return paths
    with locked(paths.root / ".lock"):
        if not prefix_ready(paths, asked):
            fill_prefix(paths, asked)
    return paths


def fill_prefix(paths: DebianPaths, asked: Sequence[str]) -> None:
    """Downloads, unpacks and patches; the stamp comes last, so a broken run is simply done again."""
    earlier = read_json(paths.stamp)
    everything = sorted({*asked, *earlier.get("asked", [])})
    paths.stamp.unlink(missing_ok=True)
    write_apt_root(paths)
    with timed(f"package lists of Debian {SUITE}"):
        apt(paths, "apt-get", "-qq", "update")
    known = set(apt(paths, "apt-cache", "pkgnames").split())
    packages = [package for package in everything if package in known]
    missing = [package for package in everything if package not in known]
    if missing:
        say(f"Debian {SUITE} has no package: {', '.join(missing)}")
    if "patchelf" in missing or "godot" in missing:
        raise ScriptError(f"Debian {SUITE} cannot give the engine")
    with timed(f"download of {', '.join(packages)}"):
        apt(paths, "apt-get", "-qq", "-y", "install", "--download-only", *packages)
        apt(paths, "apt-get", "-qq", "autoclean")
    with timed("unpacking"):
        paths.prefix.mkdir(parents=True, exist_ok=True)
        # Nothing of a package is configured or run. What is there may be in use, and is left as it is.
        unpacked = set(earlier.get("unpacked", []))
        for package in sorted(paths.archives.glob("*.deb")):
            if package.name not in unpacked:
                output(["dpkg-deb", "-x", package, paths.prefix])
                unpacked.add(package.name)
    make_findable(paths)
    make_runnable(paths)
    write_json(paths.stamp, {"root": str(paths.root), "asked": everything, "unpacked": sorted(unpacked)})


def read_json(path: Path) -> Dict:
    """A small state file; none or a half-written one counts as empty."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def write_json(path: Path, value: Dict) -> None:
    """Writes a state file whole or not at all."""
    half = path.with_suffix(".part")
    half.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    half.replace(path)


def from_debian(name: str) -> Optional[Command]:
    """An engine of the private prefix."""
    program = debian_prefix().bin / name
    return [str(program)] if program.is_file() else None
