"""A further source in an existing ``config/lake.yaml``: appended as text, so that what a person wrote stays."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import yaml

from lakectl import config
from lakectl.config import Config
from lakectl.errors import UsageError
from lakectl.ops.init import source_yaml, start_queries
from lakectl.ops.init.draft import Draft


def add(config_file: Path, drafts: Sequence[Draft]) -> Config:
    """Append ``drafts`` below ``sources:`` and replace the file; the configuration that it is now.

    Raises UsageError, and leaves the file as it was, when it is not valid, has no sources to append to, has one of
    these already, or would no longer be valid.
    """
    before = config.load(config_file, environ={})
    for draft in drafts:
        if draft.left_out and before.schema_evolution == "fail":
            raise UsageError(
                f"{draft.files[0]}: {', '.join(draft.left_out)} would be left out, and schema_evolution is fail, which "
                "refuses such files",
                f"write schema_evolution: ignore into {config_file} first",
            )
    with config_file.open(encoding="utf-8", newline="") as file:
        text = file.read()
    new = appended(text, drafts, config_file)
    handle, name = tempfile.mkstemp(dir=config_file.parent, prefix=f".{config_file.name}.")
    part = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as out:
            out.write(new)
        try:
            loaded = config.load(part, environ={})
        except UsageError as error:
            message = error.message.replace(str(part), f"{config_file} with the new source")
            raise UsageError(f"{message}; nothing was written", error.hint) from None
        part.chmod(config_file.stat().st_mode & 0o777)
        part.replace(config_file)
        return loaded
    finally:
        part.unlink(missing_ok=True)


def appended(text: str, drafts: Sequence[Draft], path: Path) -> str:
    """``text`` with ``drafts`` behind its last source, indented as that is. Raises UsageError as :func:`add`."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    section = next((pair for pair in pairs if pair[0].value == "sources"), None)
    if section is None:
        raise UsageError(
            f"{path} has no `sources:`, so its sources are the tutorial's",
            "begin a project with your own: lakectl init FOLDER --from FILE",
        )
    key, sources = section
    if not isinstance(sources, yaml.MappingNode) or not sources.value or sources.flow_style:
        line = key.start_mark.line + 1
        raise UsageError(f"{path}:{line}: sources is not a block of NAME: below each other", "write it as a block")
    known = {each.value.lower(): each.start_mark.line + 1 for each, _ in sources.value}
    for draft in drafts:
        if draft.name in known:
            raise UsageError(
                f"{path}:{known[draft.name]}: there is a source {draft.name} already",
                f"name the new one: lakectl source add --source NAME {draft.files[0]}",
            )
    indent = " " * sources.value[0][0].start_mark.column
    lines = text.splitlines(keepends=True)
    end = _last_line(sources) + 1
    while end < len(lines) and lines[end].strip().startswith("#") and lines[end].startswith(indent):
        end += 1  # a comment of the last source
    if end and not lines[end - 1].endswith("\n"):
        lines[end - 1] += "\n"
    ending = "\r\n" if lines[0].endswith("\r\n") else "\n"
    new = "".join("\n" + source_yaml.source(draft, indent) for draft in drafts).replace("\n", ending)
    return "".join([*lines[:end], new, *lines[end:]])


def query_files(folder: Path, drafts: Sequence[Draft], silver: str) -> dict[str, bytes]:
    """Path -> content of the first queries of ``drafts``, with the numbers that are free in ``folder``."""
    numbers = [int(path.name[:2]) for path in folder.glob("[0-9][0-9]_*.sql")]
    found = start_queries.queries(drafts, silver, max(numbers, default=0) + 1)
    return {name: text.encode() for name, text in found.items()}


def _last_line(node: yaml.Node) -> int:
    """The last line, from 0, that holds something of ``node``: the end mark of a block is where the next one begins."""
    if not isinstance(node, yaml.CollectionNode) or node.flow_style:
        end = node.end_mark
        return int(end.line - 1 if end.column == 0 and end.line > node.start_mark.line else end.line)
    children = [part for pair in node.value for part in pair] if isinstance(node, yaml.MappingNode) else node.value
    return max((_last_line(child) for child in children), default=int(node.start_mark.line))
