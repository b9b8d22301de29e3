"""Pages whose blocks of ``console`` are typed into a shell, one after the other."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Step:
    """A command of a page and the lines that it shows below it."""

    command: str
    shown: tuple[str, ...]


def steps(page: Path) -> list[Step]:
    """The commands of a page in their order. ``…`` stands for lines that are left out."""
    found: list[Step] = []
    for block in re.findall(r"```console\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *shown = part.rstrip("\n").split("\n")
            found.append(Step(command, tuple(line for line in shown if line.strip(" …"))))
    return found


def outputs(typed: Sequence[Step], shell: Callable[[str], tuple[int, str]]) -> list[str]:
    """What each step says, typed into one ``shell``, which ends at the first that fails."""
    script = "".join(f"{step.command}\nprintf '\\1'\n" for step in typed)
    code, said = shell(f"set -e\n{script}")
    assert code == 0, said
    return said.split("\1")[:-1]


def missing(step: Step, output: str) -> list[str]:
    """The lines that a page shows and the program did not say, but for numbers, ids and times."""
    said = {plain(line) for line in output.splitlines()}
    return [line for line in step.shown if plain(line) not in said]


def plain(line: str) -> str:
    """A line without what differs from run to run: numbers, ids, times."""
    return re.sub(r"\b(?=\w*\d)[\w.,:-]+…?|\s+", " ", line).strip()
