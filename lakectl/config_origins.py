"""Where each value of a configuration comes from: a flag, a variable, a line of the file, or lakectl's defaults."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from lakectl import config
from lakectl.project import Project, shipped_root
from lakectl.spec import parsing, yaml_items

DEFAULT = "default"


@dataclass(frozen=True)
class Setting:
    """``key``: dotted. ``origin``: ``--name``, ``LAKECTL_NAME``, ``config/lake.yaml:3`` or ``default``."""

    key: str
    value: Any
    origin: str


def settings(project: Project, flags: Mapping[str, Any], environ: Mapping[str, str] = os.environ) -> Iterator[Setting]:
    """Every value in use, in the order of the reference. Raises :class:`UsageError` as :func:`lakectl.config.load`."""
    loaded = config.load(project.config_file, flags, environ)
    document = yaml_items.read(project.config_file)
    written = document.mapping() if document.is_map else {}
    wanted = {key: value for key, value in flags.items() if value is not None}
    named = config.given(wanted, environ, document.value.get("target"))
    for key, value in _leaves("", loaded):
        if key in named:
            yield Setting(key, value, named[key][1])
        else:
            yield Setting(key, value, _place(written, key))
    for key in parsing.KEYS:
        if key in written:
            yield from _as_written(written[key])
        else:
            shipped = yaml_items.read(shipped_root() / "config/lake.yaml").mapping()
            yield from (Setting(each.key, each.value, DEFAULT) for each in _as_written(shipped[key]))


def _leaves(above: str, model: BaseModel) -> Iterator[tuple[str, Any]]:
    for name in type(model).model_fields:
        value = getattr(model, name)
        if not above and name == "spec":
            continue
        if isinstance(value, BaseModel):
            yield from _leaves(f"{above}{name}.", value)
        else:
            yield above + name, value


def _place(written: Mapping[str, yaml_items.Item], key: str) -> str:
    """The line that holds the value, as deep as the file goes."""
    item = None
    for part in key.split("."):
        if part not in written:
            return DEFAULT
        item = written[part]
        written = item.mapping() if item.is_map else {}
    assert item is not None  # noqa: S101 - a key has parts
    return _line(item)


def _as_written(item: yaml_items.Item) -> Iterator[Setting]:
    if item.is_map and item.mapping():
        for each in item.mapping().values():
            yield from _as_written(each)
    else:
        yield Setting(item.key, item.value, _line(item))


def _line(item: yaml_items.Item) -> str:
    path = Path(item.path)
    shown = path.relative_to(Path.cwd()) if path.is_absolute() and path.is_relative_to(Path.cwd()) else path
    return f"{shown}:{item.line}"
