"""Hooks of MkDocs: pages that stand outside of docs/ are part of the site, and links to code lead to the repository."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
OUTSIDE = {"README.md": "index.md", "CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md"}
LINK = re.compile(r"\]\((?![a-z]+:|#)([^)\s#]+)(#[^)\s]*)?\)")


def on_files(files: Files, config: Any) -> Files:
    """Add the pages from outside."""
    for name, page in OUTSIDE.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=LINK.sub(_from_the_root, text)))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """``../README.md#exit-codes`` is ``index.md#exit-codes`` on the site."""
    return LINK.sub(_from_docs, markdown)


def _from_the_root(found: re.Match[str]) -> str:
    return f"]({found[1].removeprefix('docs/')}{found[2] or ''})" if found[1].startswith("docs/") else found[0]


def _from_docs(found: re.Match[str]) -> str:
    name = found[1].removeprefix("../")
    if name in OUTSIDE:
        return f"]({OUTSIDE[name]}{found[2] or ''})"
    if name != found[1] or name == "config/lake.yaml":
        return f"](configuration.md{found[2] or ''})" if name == "config/lake.yaml" else found[0]
    return found[0]
