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
from typing import Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

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


class Source(NamedTuple):
    """One place the machine's own apt reads packages from."""

    uri: str
    suites: Tuple[str, ...]
    components: Tuple[str, ...]
    signed_by: str


class DebianPaths:
    """The private apt root and the prefix that the packages are unpacked into."""

    def __init__(self, root: Path, architecture: str = "amd64") -> None:
        self.root = root
        self.architecture = architecture
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
    sources.write_text(f"deb [arch={paths.architecture} signed-by={keyring}] {source.uri} {SUITE} main\n", encoding="utf-8")
    settings = {
        "Dir::State": paths.apt / "state",
        "Dir::State::status": paths.apt / "status",
        "Dir::Cache": paths.apt / "cache",
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": paths.apt / "parts",
        "Dir::Etc::preferences": paths.apt / "preferences",
        "Dir::Etc::preferencesparts": paths.apt / "parts",
        "APT::Architecture": paths.architecture,
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
