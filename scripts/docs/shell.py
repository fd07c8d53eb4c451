"""Runs the commands that pages show and mark with `<!-- example -->`."""

from __future__ import annotations

import subprocess
from typing import Iterator, List, Sequence, Tuple

from common import tail
from docs.pages import Block
from docs.project import Project


def commands(blocks: Sequence[Block]) -> List[Block]:
    """Those that are run."""
    return [block for block in blocks if block.language == "sh" and block.words.keys() & {"prints", "then"}]


def run(project: Project, blocks: Sequence[Block]) -> Iterator[Tuple[str, List[str]]]:
    """Each block in one shell, in the project's folder, which the page's examples of GDScript share."""
    for block in blocks:
        lines = "\n".join([block.code, *block.words.get("then", [])])
        done = subprocess.run(
            ["sh", "-e", "-c", lines], cwd=project.folder, check=False, timeout=60, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace",
        )
        problems = [f"exit code {done.returncode}: {tail(done.stdout, 5)}"] if done.returncode else []
        problems += [f"it does not print {text!r}" for text in block.words.get("prints", []) if text not in done.stdout]
        yield block.name, problems
