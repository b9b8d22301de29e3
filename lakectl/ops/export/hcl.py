"""Writing HCL as ``terraform fmt`` does.

``terraform fmt`` puts the equals signs of neighbouring lines below each other, unless a value goes over several lines
(hashicorp/hcl, ``hclwrite/format.go``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lakectl.engine.forms import Block, Expression, Json

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
STEP = "  "
END = "EOT"


@dataclass(frozen=True)
class Filled:
    """A text in which ``fill``, once it is written as HCL, puts variables."""

    text: str
    fill: Callable[[str], str]


def block(head: str, body: Mapping[str, Any]) -> str:
    """``resource "aws_s3_bucket" "raw" { … }``, with a newline at its end."""
    return "\n".join([f"{head} {{", *_body(body, STEP), "}"]) + "\n"


def attribute(name: str, value: Any) -> str:
    """``name = value``, with a newline at its end."""
    return "\n".join(_aligned([(name, value)], "")) + "\n"


def string(text: str) -> str:
    """A quoted string. ``${`` and ``%{`` in it are written so that they stand for themselves."""
    return _marked(json.dumps(text, ensure_ascii=False))


def _marked(text: str) -> str:
    return text.replace("${", "$${").replace("%{", "%%{")


def _body(body: Mapping[str, Any], indent: str) -> list[str]:
    """Attributes first, then nested blocks, each after an empty line."""
    lines: list[str] = []
    plain = [(key, value) for key, value in body.items() if not _is_block(value) and key != "depends_on"]
    lines += _aligned(plain, indent)
    for key, value in body.items():
        if _is_block(value):
            for each in value if isinstance(value, list) else [value]:
                inner = _body(each, indent + STEP)
                lines += ["", f"{indent}{key} {{", *inner, f"{indent}}}"]
    if "depends_on" in body:
        lines += ["", *_aligned([("depends_on", body["depends_on"])], indent)]
    return lines[1:] if lines[:1] == [""] else lines


def _is_block(value: Any) -> bool:
    return isinstance(value, Block) or (isinstance(value, list) and bool(value) and isinstance(value[0], Block))


def _aligned(pairs: Iterable[tuple[str, Any]], indent: str) -> list[str]:
    """``key = value`` lines."""
    written = [(key, _value(value, indent)) for key, value in pairs]
    lines: list[str] = []
    run: list[tuple[str, str]] = []

    def end_run() -> None:
        width = max((len(key) for key, _ in run), default=0)
        lines.extend(f"{indent}{key.ljust(width)} = {value}" for key, value in run)
        run.clear()

    for key, value in written:
        if "\n" in value:
            end_run()
            lines += f"{indent}{key} = {value}".split("\n")
        else:
            run.append((key, value))
    end_run()
    return lines


def _value(value: Any, indent: str) -> str:
    """An expression; its further lines are indented as the line that it begins on."""
    if isinstance(value, Expression):
        return value.text
    if isinstance(value, Filled):
        return value.fill(_value(value.text, indent))
    if isinstance(value, Json):
        return f"jsonencode({_value(value.value, indent)})"
    if isinstance(value, str):
        return heredoc(value, indent) if "\n" in value else string(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return json.dumps(value)
    if value is None:
        return "null"
    if isinstance(value, Mapping):
        if not value:
            return "{}"
        pairs = [(key if IDENTIFIER.fullmatch(key) else string(key), item) for key, item in value.items()]
        return "\n".join(["{", *_aligned(pairs, indent + STEP), indent + "}"])
    if not value:
        return "[]"
    items = [_value(item, indent + STEP) for item in value]
    if len(items) == 1 and "\n" not in items[0]:
        return f"[{items[0]}]"
    return "\n".join(["[", *(f"{indent}{STEP}{item}," for item in items), indent + "]"])


def heredoc(text: str, indent: str) -> str:
    """Several lines as they are, or a quoted string where a heredoc can't hold them.

    A heredoc ends with a newline, and no escapes are read in it (Terraform language, "Strings and Templates").
    """
    lines = text.split("\n")
    if text.endswith("\n") or any("\r" in line or line.strip() == END for line in lines):
        return string(text)
    return "\n".join([f"chomp(<<{END}", *(_marked(line) for line in lines), END, f"{indent})"])
