"""An answer as text. Each function writes all rows and returns how many there were."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from typing import TextIO

from lakectl import tables
from lakectl.ops.tables.answer import Answer


def write_csv(answer: Answer, file: TextIO) -> int:
    """RFC 4180: lines end in CRLF. NULL and an empty text are both empty, as CSV has one of the two only."""
    count = _Count(answer.rows)
    writer = csv.writer(file)
    writer.writerow([column.name for column in answer.columns])
    writer.writerows(count)
    return count.rows


def write_tsv(answer: Answer, file: TextIO) -> int:
    r"""A line of names, then one line a row; ``\N`` for NULL (see :func:`lakectl.tables.tsv`)."""
    count = _Count(answer.rows)
    file.write(tables.tsv([column.name for column in answer.columns]) + "\n")
    file.writelines(tables.tsv(row) + "\n" for row in count)
    return count.rows


def write_json(answer: Answer, file: TextIO) -> int:
    """One document, a line for each row. Values are Athena's text, NULL is ``null``."""
    count = _Count(answer.rows)
    columns = answer.columns
    names, types = [column.name for column in columns], [column.type for column in columns]
    before = {"id": answer.id, "sql": answer.sql, "columns": names, "types": types}
    after = {"scanned": answer.scanned, "milliseconds": answer.milliseconds, "output": answer.output}
    file.write("{\n" + "".join(f"  {_json(name)}: {_json(value)},\n" for name, value in before.items()))
    file.write('  "rows": [')
    for row in count:
        file.write(("," if count.rows > 1 else "") + "\n    " + _json(row))
    file.write("\n  ],\n" if count.rows else "],\n")
    file.write(",\n".join(f"  {_json(name)}: {_json(value)}" for name, value in after.items()) + "\n}\n")
    return count.rows


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


class _Count:
    """Rows that are counted while they are read."""

    def __init__(self, rows: Iterable[list[str | None]]) -> None:
        self._source = rows
        self.rows = 0

    def __iter__(self) -> Iterator[list[str | None]]:
        for row in self._source:
            self.rows += 1
            yield row
