"""What is wrong with a config, in one line: file and line, key, value, and what is allowed."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from lakectl.config_patterns import EXPECTED
from lakectl.errors import UsageError


def usage_error(
    error: ValidationError, root: type[BaseModel], path: Path, node: yaml.Node | None, origin: Mapping[str, str]
) -> UsageError:
    """The first thing that pydantic found wrong with a config of the model ``root``, in one line.

    ``node`` is the YAML of ``path``; ``origin`` says for top-level keys which flag or variable gave them.
    """
    first = error.errors()[0]
    loc = [str(part) for part in first["loc"] if not str(part).startswith("function-")]
    key = ".".join(loc)
    where = origin.get(loc[0]) if loc else None
    if where is None:
        where = f"{path}:{_line_of(node, loc)}"
    message = _explain(first, loc, root)
    hint = f"{error.error_count() - 1} more in the same config" if error.error_count() > 1 else None
    return UsageError(f"{where}: {key}: {message}", hint)


def _explain(first: Any, loc: list[str], root: type[BaseModel]) -> str:
    kind, value, ctx = first["type"], first.get("input"), first.get("ctx") or {}
    if kind == "extra_forbidden":
        known = _known_keys(loc[:-1], root)
        near = difflib.get_close_matches(loc[-1], known, n=1)
        did_you_mean = f"; did you mean {near[0]!r}?" if near else f"; known here: {', '.join(known)}"
        return f"unknown key{did_you_mean}"
    if kind == "missing":
        return "missing"
    shown = f"{value!r} is not allowed"
    if kind == "literal_error":
        return f"{shown}; expected {ctx['expected']}"
    if kind == "string_pattern_mismatch":
        return f"{shown}; expected {EXPECTED[ctx['pattern']]}"
    if kind == "value_error":
        return f"{shown}; {re.sub('^Value error, ', '', first['msg'])}"
    return f"{shown}; {first['msg'].lower()}"


def _known_keys(parents: list[str], root: type[BaseModel]) -> list[str]:
    model = root
    for part in parents:
        if part in model.model_fields:
            annotation = model.model_fields[part].annotation
            if isinstance(annotation, type) and issubclass(annotation, BaseModel):
                model = annotation
        elif model is root:
            return []
    return list(model.model_fields)


def _line_of(node: yaml.Node | None, loc: list[str]) -> int:
    """The line (from 1) of the key that ``loc`` names, or of its nearest parent that is in the file."""
    line = 1
    for part in loc:
        if isinstance(node, yaml.MappingNode):
            pair = next((p for p in node.value if p[0].value == part), None)
            if pair is None:
                break
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and part.isdigit() and int(part) < len(node.value):
            node = node.value[int(part)]
            line = node.start_mark.line + 1
    return line
