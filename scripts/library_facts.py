"""Prints facts about built libraries as JSON; runs in the Python environment that has lief (scripts/tools.py).

For each file that is named: the system it is for, its processors, the symbols it shows to others, the libraries it
needs, the highest version of glibc it asks for, whether symbols of its inside are left, and for ELF how its parts are aligned
in memory.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any, Dict, List, Optional, Tuple

import lief


def elf_facts(binary: Any) -> Dict[str, Any]:
    """Of a library for Linux or Android."""
    shown = [symbol.name for symbol in binary.exported_symbols]
    versions = [
        version.name for needed in binary.symbols_version_requirement for version in needed.get_auxiliary_symbols()
    ]
    return {
        "format": "elf",
        "processors": [str(binary.header.machine_type).rsplit(".", maxsplit=1)[-1]],
        "exports": sorted(set(shown)),
        "needs": list(binary.libraries),
        "glibc": highest(versions),
        "stripped": not list(binary.symtab_symbols),
        "alignment": min(part.alignment for part in binary.segments if part.type == lief.ELF.Segment.TYPE.LOAD),
    }


def highest(versions: List[str]) -> Optional[str]:
    """The newest glibc among the names of symbol versions."""
    numbers: List[Tuple[int, ...]] = []
    for version in versions:
        match = re.fullmatch(r"GLIBC_([\d.]+)", version)
        if match:
            numbers.append(tuple(map(int, match[1].split("."))))
    return ".".join(map(str, max(numbers))) if numbers else None


def pe_facts(binary: Any) -> Dict[str, Any]:
    """Of a library for Windows."""
    exports = [entry.name for entry in binary.get_export().entries] if binary.has_exports else []
    return {
        "format": "pe",
        "processors": [str(binary.header.machine).rsplit(".", maxsplit=1)[-1]],
        "exports": sorted(exports),
        "needs": [entry.name for entry in binary.imports],
        "glibc": None,
        "stripped": binary.header.numberof_symbols == 0,
    }


def macho_facts(parts: List[Any]) -> Dict[str, Any]:
    """Of a library for macOS, for one processor or several."""
    inner = sum(part.dynamic_symbol_command.nb_local_symbols for part in parts)
    return {
        "format": "macho",
        "processors": [str(part.header.cpu_type).rsplit(".", maxsplit=1)[-1] for part in parts],
        "exports": sorted({symbol.name[1:] for part in parts for symbol in part.exported_symbols}),
        "needs": sorted({library.name for part in parts for library in part.libraries} - own_names(parts)),
        "glibc": None,
        # A few names of sections and stubs may stay; names of functions are thousands.
        "stripped": inner < 10,
    }


def own_names(parts: List[Any]) -> set:
    """What a library calls itself, which lief lists beside what it needs."""
    kinds = lief.MachO.LoadCommand.TYPE
    return {
        library.name for part in parts for library in part.libraries if library.command == kinds.ID_DYLIB
    }


def facts(path: str) -> Dict[str, Any]:
    """Of any library."""
    if lief.is_macho(path):
        fat = lief.MachO.parse(path)
        return macho_facts([fat.at(index) for index in range(fat.size)])
    if lief.is_pe(path):
        return pe_facts(lief.PE.parse(path))
    return elf_facts(lief.ELF.parse(path))


if __name__ == "__main__":
    json.dump({path: facts(path) for path in sys.argv[1:]}, sys.stdout)
