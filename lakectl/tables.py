"""Tables as text: fitted to a terminal's width, or one line a row for a pipe."""

from __future__ import annotations

import re
from collections.abc import Sequence

GAP = "  "
LEAST = 6  # characters of a shortened column
NULL = "NULL"
# What is of no use in part: numbers, dates and times, run ids, UUIDs, hashes.
_WHOLE = re.compile(
    r"[+-]?\d[\d.,:TZE+ -]*(UTC)?|NULL|jr_[0-9a-f]+|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{16,}",
    re.IGNORECASE,
)
# Their last part tells more than their first: ARNs, S3 addresses, keys of objects.
_PATH = re.compile(r"arn:|s3://|\S+/\S+$")
_WORD = re.compile(r"\s*\S+(?: (?:s|ms|B|[KMGT]iB)(?!\w))?")  # a number stays with its unit
_TSV = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def fitted(columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str], width: int) -> list[str]:
    """Lines of a table that is at most ``width`` characters wide.

    Names, numbers and ids stay whole; the widest of the other columns are shortened with ``…``. If a row does not fit
    even so, each row is shown with one line a column. A list without column names is not shortened.
    """
    if not any(columns):
        return plain(columns, rows, right)
    widths = _fit(columns, rows, width)
    return vertical(columns, rows, width) if widths is None else _aligned(columns, rows, right, widths)


def plain(columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str]) -> list[str]:
    """Lines of a table with all values whole, however wide it gets: a line of names, then one line a row."""
    lines = _aligned(columns, rows, right, _natural(columns, rows))
    return [lines[0], *lines[2:]] if any(columns) else lines


def vertical(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[str]:
    """One line for each column of each row; a value that does not fit beside its name stands below it."""
    label = max((cells(name) for name in columns), default=0)
    lines = []
    for number, row in enumerate(rows, start=1):
        head = f"─ row {number:,} "
        lines.append(head + "─" * max(0, min(width, 40) - len(head)))
        for name, value in zip(columns, row, strict=True):
            beside = f"{_padded(name, label)}{GAP}{value}".rstrip()
            lines += [beside] if cells(beside) <= width else [name, GAP + value]
    return lines


def tsv(row: Sequence[str | None]) -> str:
    r"""One line: tabs between the values; ``\N`` for NULL; ``\t``, ``\n``, ``\r`` and ``\\`` inside a value."""
    return "\t".join(r"\N" if value is None else value.translate(_TSV) for value in row)


def shown(value: object, null: str = "") -> str:
    """A value as a cell of one line: control characters are escaped. ``null`` stands for None.

    A text that looks like ``null`` is put in quotes.
    """
    if value is None:
        return null
    text = str(value)
    if null and text == null:
        return f"'{text}'"
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """Lines of at most ``width`` columns, cut between words; those after the first begin with ``indent``.

    A word that is longer stays whole: an id, a path or an ARN is of no use in part. ``width`` 0: one line.
    """
    if not width or cells(text) <= width:
        return [text]
    lines, line = [], ""
    for word in _WORD.findall(text):
        if line.strip() and cells(line + word) > width:
            lines.append(line)
            word = indent + word.lstrip()
            line = ""
        line += word
    return [*lines, line]


def cells(text: str) -> int:
    """How many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _natural(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    return [max([cells(name), *(cells(row[index]) for row in rows)], default=0) for index, name in enumerate(columns)]


def _fit(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[int] | None:
    """The columns' widths; None if they can't be made to fit."""
    room = width - len(GAP) * (len(columns) - 1)
    natural = _natural(columns, rows)
    least = [
        wide if _is_whole([row[index] for row in rows]) else min(wide, max(LEAST, cells(columns[index])))
        for index, wide in enumerate(natural)
    ]
    if sum(least) > room:
        return None
    widths = [min(wide, max(room, low)) for wide, low in zip(natural, least, strict=True)]
    while sum(widths) > room:
        widest = max((index for index in range(len(widths)) if widths[index] > least[index]), key=lambda i: widths[i])
        widths[widest] -= 1
    return widths


def _is_whole(values: Sequence[str]) -> bool:
    return all(_WHOLE.fullmatch(value) for value in values if value)


def _aligned(
    columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str], widths: Sequence[int]
) -> list[str]:
    at_right = [name in right for name in columns]

    def line(values: Sequence[str]) -> str:
        parts = [
            _padded(_shortened(value, wide), wide, end)
            for value, wide, end in zip(values, widths, at_right, strict=True)
        ]
        return GAP.join(parts).rstrip()

    rule = GAP.join("─" * wide for wide in widths)
    return [*([line(columns), rule] if any(columns) else []), *(line(row) for row in rows)]


def _padded(text: str, width: int, right: bool = False) -> str:
    space = " " * (width - cells(text))
    return space + text if right else text + space


def _shortened(text: str, width: int) -> str:
    if cells(text) <= width:
        return text
    is_path = _PATH.match(text)
    kept = text[-(width - 1) :] if is_path else text[: width - 1]
    while cells(kept) > width - 1:  # characters that are two columns wide
        kept = kept[1:] if is_path else kept[:-1]
    return "…" + kept if is_path else kept + "…"
