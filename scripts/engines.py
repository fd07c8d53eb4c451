#!/usr/bin/env python3
"""Finds or fetches the real engines that the tests run: Godot 4, and Godot 3.6 for its original class.

The order is: the GODOT / GODOT3 environment variables, a suitable engine on the PATH, on Debian
(x86_64) a private copy of the testing suite's packages, the official release archive.
Nothing is installed on the machine: all downloads stay below .cache/engines (NME_CACHE moves it).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import re
import shutil
import stat
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path
from typing import Callable, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from common import ScriptError, cache_dir, locked, main_guard, output, say, shown, timed

Version = Tuple[int, int, int]
Command = List[str]

GODOT4_VERSION = "4.6.3"
GODOT3_VERSION = "3.6.2"
OLDEST_GODOT4: Version = (4, 3, 0)
RELEASES = "https://github.com/godotengine/godot/releases/download"

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


# --- Asking an engine for its version -------------------------------------------------------------


def version_of(command: Sequence[str]) -> Optional[Version]:
    """The version an engine reports, or None if it does not start or is no Godot."""
    try:
        done = subprocess.run(
            [*command, "--version"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, encoding="utf-8", errors="replace", timeout=60, check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    # Godot 3 gives an exit code other than 0 here, so only the text counts.
    match = re.search(r"^(\d+)\.(\d+)(?:\.(\d+))?\.[a-z]", done.stdout, re.MULTILINE)
    return (int(match[1]), int(match[2]), int(match[3] or 0)) if match else None


def wanted_version4() -> Optional[str]:
    """One exact Godot 4 version, asked for by a CI matrix; None accepts any that is new enough."""
    return os.environ.get("NME_GODOT4_VERSION") or None


def new_enough(version: Optional[Version]) -> bool:
    """Whether the addon can be tested with this engine."""
    return version is not None and OLDEST_GODOT4 <= version < (5, 0, 0)


def suits_godot4(version: Optional[Version]) -> bool:
    """Whether an engine met by chance is good enough; one that GODOT names need not be the exact version."""
    exact = wanted_version4()
    return version == parsed(exact) if exact else new_enough(version)


def suits_godot3(version: Optional[Version]) -> bool:
    """Whether this engine has the original class in its last form."""
    return version is not None and version[:2] == (3, 6)


def parsed(text: str) -> Version:
    """A version such as 4.3 or 4.6.3 as three numbers."""
    numbers = [int(part) for part in text.split(".")] + [0, 0]
    return (numbers[0], numbers[1], numbers[2])


# --- The user's own engines -----------------------------------------------------------------------


def from_environment(variable: str, suits: Callable[[Optional[Version]], bool], needed: str) -> Optional[Command]:
    """The engine a variable names; a wrong one is an error, since ignoring it would surprise."""
    value = os.environ.get(variable)
    if not value:
        return None
    program = shutil.which(value) or shutil.which(str(Path(value).expanduser()))
    if not program:
        raise ScriptError(f"{variable} names {value}, which is not a program")
    version = version_of([program])
    if not suits(version):
        raise ScriptError(f"{variable} names {value}, which reports version {dotted(version)}; needed: {needed}")
    return [program]


def from_path(names: Iterable[str], suits: Callable[[Optional[Version]], bool]) -> Optional[Command]:
    """The first program of these names whose version fits."""
    for name in names:
        program = shutil.which(name)
        if program and suits(version_of([program])):
            return [program]
    return None


def dotted(version: Optional[Version]) -> str:
    """A version for people."""
    return ".".join(map(str, version)) if version else "unknown"


# --- A private copy of Debian's packages ----------------------------------------------------------


class Source(NamedTuple):
    """One place the machine's own apt reads packages from."""

    uri: str
    suites: Tuple[str, ...]
    components: Tuple[str, ...]
    signed_by: str


class DebianPaths:
    """The private apt root and the prefix that the packages are unpacked into."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.apt = root / "apt"
        self.conf = self.apt / "apt.conf"
        self.archives = self.apt / "cache" / "archives"
        self.prefix = root / "prefix"
        self.libraries = self.prefix / "usr" / "lib" / TRIPLET
        self.loader = self.libraries / "ld-linux-x86-64.so.2"
        self.unpacked = root / "unpacked.json"
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


def machine_sources() -> List[Source]:
    """Every binary package source of this machine's apt configuration."""
    etc = Path("/etc/apt")
    found: List[Source] = []
    for path in [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*"))]:
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        if path.suffix == ".list":
            found += filter(None, map(source_of_line, text.splitlines()))
        elif path.suffix == ".sources":
            for stanza in re.split(r"\n\s*\n", text):
                found += sources_of_stanza(stanza)
    return found


def source_of_line(line: str) -> Optional[Source]:
    """Reads the one-line format: deb [options] uri suite components."""
    match = re.match(r"\s*deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)\s*([^#]*)", line)
    if not match:
        return None
    signed = re.search(r"signed-by=(\S+)", match[1] or "")
    return Source(match[2], (match[3],), tuple(match[4].split()), signed[1] if signed else "")


def sources_of_stanza(stanza: str) -> List[Source]:
    """Reads one paragraph of the deb822 format."""
    fields: Dict[str, str] = {}
    key = ""
    for line in stanza.splitlines():
        if line.startswith("#"):
            continue
        if line[:1].isspace() and key:
            fields[key] += " " + line.strip()
        elif ":" in line:
            key, _, value = line.partition(":")
            key = key.strip().lower()
            fields[key] = value.strip()
    if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() == "no":
        return []
    suites = tuple(fields.get("suites", "").split())
    components = tuple(fields.get("components", "").split())
    return [Source(uri, suites, components, fields.get("signed-by", "")) for uri in fields.get("uris", "").split()]


def debian_source() -> Source:
    """The machine's main Debian mirror: the one that carries a plain Debian suite."""
    for source in machine_sources():
        if "main" in source.components and any(suite in DEBIAN_SUITES for suite in source.suites):
            return source
    raise ScriptError("this machine's apt configuration names no Debian mirror")


def keyring_for(source: Source) -> str:
    """The file with Debian's archive keys, as the machine itself trusts it."""
    keyrings = Path("/usr/share/keyrings")
    choices = [source.signed_by] if source.signed_by.startswith("/") else []
    choices += [str(keyrings / f"debian-archive-keyring.{end}") for end in ("gpg", "pgp")]
    for choice in choices:
        if Path(choice).is_file():
            return choice
    raise ScriptError("no Debian archive keyring was found; install the package debian-archive-keyring")


def write_apt_root(paths: DebianPaths) -> None:
    """An apt root of our own: an empty package status makes apt resolve everything down to libc."""
    source = debian_source()
    keyring = keyring_for(source)
    for folder in ("state/lists/partial", "cache/archives/partial", "parts"):
        (paths.apt / folder).mkdir(parents=True, exist_ok=True)
    (paths.apt / "status").write_text("", encoding="utf-8")
    (paths.apt / "preferences").write_text("", encoding="utf-8")
    sources = paths.apt / "sources.list"
    sources.write_text(f"deb [arch=amd64 signed-by={keyring}] {source.uri} {SUITE} main\n", encoding="utf-8")
    settings = {
        "Dir::State": paths.apt / "state",
        "Dir::State::status": paths.apt / "status",
        "Dir::Cache": paths.apt / "cache",
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": paths.apt / "parts",
        "Dir::Etc::preferences": paths.apt / "preferences",
        "Dir::Etc::preferencesparts": paths.apt / "parts",
        "APT::Architecture": "amd64",
        "APT::Default-Release": "",
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "root",
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


def apt_update(paths: DebianPaths) -> None:
    """Fetches the package lists; the likely failure, a keyring without the suite's keys, is explained."""
    try:
        apt(paths, "apt-get", "-qq", "-o", "APT::Update::Error-Mode=any", "update")
    except ScriptError as error:
        if "NO_PUBKEY" in str(error) or "not signed" in str(error):
            raise ScriptError(
                f"this machine's Debian keyring does not know the keys of the suite {SUITE}; "
                f"update the package debian-archive-keyring\n{error}"
            ) from None
        raise


def available(paths: DebianPaths, packages: Iterable[str]) -> List[str]:
    """The packages that the suite carries today."""
    def known(package: str) -> bool:
        return re.search(r"Candidate: \d", apt(paths, "apt-cache", "policy", package)) is not None

    return [package for package in packages if known(package)]


def unpack_new(paths: DebianPaths) -> None:
    """Unpacks the downloaded packages that were not unpacked before; nothing of them is configured or run."""
    done = set(read_json(paths.unpacked).get("packages", []))
    waiting = [deb for deb in sorted(paths.archives.glob("*.deb")) if deb.name not in done]
    say(f"unpacking {len(waiting)} packages into {paths.prefix}")
    paths.prefix.mkdir(parents=True, exist_ok=True)
    for deb in waiting:
        output(["dpkg-deb", "-x", deb, paths.prefix])
        done.add(deb.name)
        write_json(paths.unpacked, {"root": str(paths.root), "packages": sorted(done)})


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
    if read_json(paths.unpacked).get("root", str(paths.root)) != str(paths.root):
        say("the cache was moved; the engines are unpacked again")
        forget_prefix(paths)
        earlier = {}
    paths.stamp.unlink(missing_ok=True)
    everything = sorted({*asked, *earlier.get("asked", [])})
    write_apt_root(paths)
    with timed(f"package lists of Debian {SUITE}"):
        apt_update(paths)
    packages = available(paths, everything)
    missing = [package for package in everything if package not in packages]
    if missing:
        say(f"Debian {SUITE} has no package: {', '.join(missing)}")
    if "patchelf" in missing or "godot" in missing:
        raise ScriptError(f"Debian {SUITE} cannot give the engine")
    with timed(f"download of {', '.join(packages)}"):
        apt(paths, "apt-get", "-qq", "-y", "install", "--download-only", *packages)
        apt(paths, "apt-get", "-qq", "autoclean")
    with timed("unpacking"):
        unpack_new(paths)
    make_findable(paths)
    make_runnable(paths)
    write_json(paths.stamp, {"root": str(paths.root), "asked": everything})


def forget_prefix(paths: DebianPaths) -> None:
    """Drops what holds absolute paths; the downloads stay."""
    for folder in (paths.prefix, paths.bin):
        shutil.rmtree(folder, ignore_errors=True)
    for file in (paths.stamp, paths.unpacked):
        file.unlink(missing_ok=True)


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


# --- The official release archives ----------------------------------------------------------------


def official_names4(version: str) -> Tuple[str, str]:
    """Archive and program inside it, for Godot 4 on this system."""
    stem = f"Godot_v{version}-stable"
    if sys.platform == "win32":
        return f"{stem}_win64.exe.zip", f"{stem}_win64_console.exe"
    if sys.platform == "darwin":
        return f"{stem}_macos.universal.zip", "Godot.app/Contents/MacOS/Godot"
    kind = "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"
    return f"{stem}_linux.{kind}.zip", f"{stem}_linux.{kind}"


def official(version: str, archive: str, program: str) -> Command:
    """The program of an official archive, downloaded and checked on first use."""
    home = engines_dir() / f"official-{version}"
    target = home / program
    stamp = home / "ready.json"
    if not (target.is_file() and read_json(stamp).get("archive") == archive):
        with locked(engines_dir() / ".lock"):
            if read_json(stamp).get("archive") != archive:
                shutil.rmtree(home, ignore_errors=True)
                home.mkdir(parents=True)
                fetch_official(f"{RELEASES}/{version}-stable", archive, home)
                write_json(stamp, {"archive": archive})
    if not target.is_file():
        raise ScriptError(f"{archive} does not contain {program}")
    return [str(target)]


def fetch_official(base: str, archive: str, home: Path) -> None:
    """Downloads an archive, compares it with the published checksum, and only then unpacks it."""
    sums = home / "SHA512-SUMS.txt"
    packed = home / archive
    with timed(archive):
        download(f"{base}/{sums.name}", sums)
        download(f"{base}/{archive}", packed)
    expected = published_sum(sums.read_text(encoding="utf-8"), archive)
    if sha512(packed) != expected:
        packed.unlink()
        raise ScriptError(f"{archive} does not have its published checksum; it was deleted")
    unzip(packed, home)
    packed.unlink()


def download(url: str, target: Path) -> None:
    """Fetches one file; a broken transfer leaves nothing that looks complete."""
    say(f"downloading {url}")
    half = target.with_name(target.name + ".part")
    try:
        with urllib.request.urlopen(url, timeout=60) as reply, half.open("wb") as file:
            shutil.copyfileobj(reply, file, 1 << 20)
    except OSError as error:
        half.unlink(missing_ok=True)
        raise ScriptError(f"{url}: {error}") from None
    half.replace(target)


def published_sum(sums: str, archive: str) -> str:
    """The checksum of one archive out of the list beside the release."""
    for line in sums.splitlines():
        digest, _, name = line.strip().partition(" ")
        if name.strip().lstrip("*") == archive:
            return digest.lower()
    raise ScriptError(f"no checksum is published for {archive}")


def sha512(path: Path) -> str:
    """Checksum of a file, read in pieces."""
    digest = hashlib.sha512()
    with path.open("rb") as file:
        for piece in iter(lambda: file.read(1 << 20), b""):
            digest.update(piece)
    return digest.hexdigest()


def unzip(archive: Path, target: Path) -> None:
    """Unpacks with the stored file modes, which zipfile alone forgets."""
    with zipfile.ZipFile(archive) as packed:
        for entry in packed.infolist():
            written = Path(packed.extract(entry, target))
            mode = entry.external_attr >> 16
            if written.is_file() and mode & stat.S_IXUSR:
                written.chmod(stat.S_IMODE(mode))


# --- What other scripts call ----------------------------------------------------------------------


def first_that_works(what: str, ways: Sequence[Tuple[str, Callable[[], Optional[Command]]]], hint: str) -> Command:
    """Tries each way; if none works, the reasons of all are told together."""
    reasons: List[str] = []
    for name, way in ways:
        try:
            command = way()
        except ScriptError as error:
            reasons.append(f"{name}: {error}")
            continue
        if command:
            return command
        reasons.append(f"{name}: not there")
    listed = "\n".join(f"  - {reason}" for reason in reasons)
    raise ScriptError(f"{what} was not found.\n{listed}\n{hint}")


def find_godot4() -> Command:
    """The command that starts Godot 4; raises ScriptError with what to do when there is none."""
    own = from_environment("GODOT", new_enough, "4.3 or newer") or from_path(("godot4", "godot"), suits_godot4)
    if own:
        return own
    ways: List[Tuple[str, Callable[[], Optional[Command]]]] = []
    if debian_like() and not wanted_version4():
        ways.append(("private copy of Debian's packages", lambda: from_debian("godot4")))
    version = wanted_version4() or GODOT4_VERSION
    ways.append(("official archive", lambda: official(version, *official_names4(version))))
    return first_that_works("Godot 4", ways, "Install Godot 4.3 or newer and set GODOT to its program.")


def find_godot3() -> Optional[Command]:
    """The command that starts Godot 3.6 without a window, or None after saying why there is none."""
    try:
        own = from_environment("GODOT3", suits_godot3, "3.6.x") or from_path(("godot3-server", "godot3"), suits_godot3)
        return own or fetched_godot3()
    except ScriptError as error:
        say(f"note: {error}")
        return None


def fetched_godot3() -> Command:
    """Godot 3.6's server build, which exists for Linux only."""
    hint = "Install Godot 3.6 and set GODOT3 to its program; tests against the original class are skipped without it."
    if not sys.platform.startswith("linux"):
        raise ScriptError(f"Godot 3 is not fetched on this system. {hint}")
    ways: List[Tuple[str, Callable[[], Optional[Command]]]] = []
    if debian_like():
        ways.append(("private copy of Debian's packages", lambda: from_debian("godot3")))
    if platform.machine() in ("x86_64", "AMD64"):
        stem = f"Godot_v{GODOT3_VERSION}-stable_linux_server.64"
        ways.append(("official archive", lambda: official(GODOT3_VERSION, f"{stem}.zip", stem)))
    return first_that_works("Godot 3", ways, hint)


def find_template(kind: str) -> Optional[Path]:
    """A runnable export template ("release" or "debug") of the private prefix, for export tests.

    A game exported from it needs no wrapper; export with a separate .pck file.
    """
    if not debian_like():
        return None
    template = debian_prefix(["templates"]).bin / f"godot-template-{kind}"
    return template if template.is_file() else None


def picture_environment() -> Dict[str, str]:
    """What lets a Godot of the private prefix draw without a graphics card, below xvfb-run."""
    if not debian_like():
        return {}
    paths = debian_prefix(["pictures"])
    return {
        "LIBGL_DRIVERS_PATH": str(paths.libraries / "dri"),
        "__EGL_VENDOR_LIBRARY_DIRS": str(paths.prefix / "usr" / "share" / "glvnd" / "egl_vendor.d"),
    }


def report(name: str, command: Optional[Command]) -> None:
    """One line for the user: version and command."""
    if command:
        say(f"{name}: {dotted(version_of(command))}  {shown(command)}")
    else:
        say(f"{name}: missing")


def main() -> int:
    """Prints both engines; fails only without Godot 4, since Godot 3 is optional."""
    reader = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    reader.add_argument("--with", dest="extras", nargs="+", choices=sorted(EXTRA_PACKAGES), default=[],
                        help="also fetch export templates or software rendering (Debian only)")
    extras = reader.parse_args().extras
    if extras:
        if not debian_like():
            raise ScriptError("--with works on Debian x86_64 only")
        debian_prefix(extras)
    godot4 = find_godot4()
    report("Godot 4", godot4)
    report("Godot 3", find_godot3())
    return 0 if version_of(godot4) else 1


if __name__ == "__main__":
    main_guard(main)
