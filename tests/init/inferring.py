"""Files to infer sources from, and what is inferred of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from lakectl.ops.init import config_text, sources
from lakectl.ops.init.draft import Draft
from lakectl.spec import parsing, yaml_items
from lakectl.spec.model import SourceSpec

Files = Mapping[str, str | bytes]


@dataclass(frozen=True)
class Inferred:
    """Sources as the written YAML says them, and that YAML."""

    drafts: Mapping[str, Draft]
    specs: Mapping[str, SourceSpec]
    yaml: str

    @property
    def only(self) -> SourceSpec:
        (spec,) = self.specs.values()
        return spec

    @property
    def types(self) -> dict[str, str]:
        return {column.name: column.type for column in self.only.columns}

    @property
    def notes(self) -> str:
        """All comments about sources, each on a line."""
        return "\n".join(note for draft in self.drafts.values() for notes in draft.notes.values() for note in notes)


def write(folder: Path, files: Files) -> list[Path]:
    paths = []
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        paths.append(path)
    return paths


def inferred_from(*given: str, refused: str = "") -> Inferred:
    """The sources of the files, read back by the specification's own parser. What is inferred of a file is what `land`
    takes it with, except for what is ``refused``."""
    drafts = {draft.name: draft for draft in sources.infer(given)}
    refusals = [note for draft in drafts.values() for note in draft.notes.get("", [])]
    assert all(refused and refused in note for note in refusals), refusals
    assert bool(refusals) == bool(refused)
    text = config_text.own("test-lake", list(drafts.values()))
    spec = parsing.parse_lake(yaml_items.load(text, "lake.yaml"), lambda: pytest.fail("no sources: in the YAML"))
    assert dict(spec.sources) == {name: draft.spec for name, draft in drafts.items()}
    return Inferred(drafts, spec.sources, text)


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str
