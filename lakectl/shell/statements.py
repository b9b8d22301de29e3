"""Where a statement ends: at a semicolon that is in no text, quoted name or comment."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from lakectl.errors import UsageError

MOST_BYTES = 262_144  # of a query string (https://docs.aws.amazon.com/athena/latest/ug/service-limits.html)
COMMAND = "\\"  # what the shell's own commands begin with

# Trino's lexer (SqlBase.g4): a quote is doubled, comments do not nest. Hive's names of DDL are in backticks.
_PIECE = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`"
    r"|(?P<comment>--[^\r\n]*|/\*.*?\*/)"
    r"|(?P<open>['\"`]|/\*)"  # without an end
    r"|(?P<end>;)"
    r"|(?P<space>\s+)"
    r"|[^'\"`/;\s-]+|.",
    re.DOTALL,
)


def split(text: str) -> tuple[list[str], str]:
    """The statements of ``text`` that have ended, without their semicolons, and what follows them.

    Statements of nothing but comments are left out; a rest of nothing but comments is empty.
    """
    found: list[str] = []
    start, filled = 0, False
    for piece in _PIECE.finditer(text):
        if piece["open"]:
            return found, text[start:].strip()
        if piece["end"]:
            if filled:
                found.append(text[start : piece.start()].strip())
            start, filled = piece.end(), False
        elif not piece["comment"] and not piece["space"]:
            filled = True
    return found, text[start:].strip() if filled else ""


def read(lines: Iterable[str]) -> Iterator[str]:
    """Each statement as soon as it has ended, and each line that is a command of the shell. The last statement needs no
    semicolon.

    Raises :class:`UsageError` for one that is longer than Athena takes.
    """
    text = ""
    for line in lines:
        if not text and line.lstrip().startswith(COMMAND):
            yield line.strip()
            continue
        text += line
        if ";" in line:
            ended, text = split(text)
            yield from ended
        elif not text.strip():
            text = ""
        if len(text.encode()) > MOST_BYTES:
            raise UsageError(f"a statement has more than {MOST_BYTES:,} bytes", "does a quote lack its end?")
    ended, rest = split(text)
    yield from ended
    if rest:
        yield rest
