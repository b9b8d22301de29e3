"""What an account has answered to rows: a snapshot file, each row with date and region.

The file that is shipped beside this module makes sourced rows of unsourced ones. There is none until somebody with an
account has recorded it: docs/aws.md says how.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lakectl.contract.asking import NEUTRAL_ACCOUNT, Outcome, Where
from lakectl.contract.table import ACCOUNT, REGION, Answer, Row
from lakectl.errors import UsageError

SHIPPED = Path(__file__).with_name("recorded.snapshot.json")
AWS = "aws"  # what answered, when no endpoint was named


@dataclass(frozen=True)
class Recording:
    """An answer, and when and where it was given. ``answered_by``: ``aws``, or what an endpoint is called."""

    answer: Answer
    date: str
    region: str
    answered_by: str = AWS


def recorded(row: Row, outcome: Outcome, where: Where, answered_by: str = AWS) -> dict[str, Any]:
    """One row of the file. ``expected`` is the table's answer; the keys are the same for every kind of answer."""
    status, code, message = outcome.error or (None, None, None)
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "region": where.region,
        "answered_by": answered_by,
        "expected": str(row.answer).replace(ACCOUNT, NEUTRAL_ACCOUNT),
        "agrees": outcome.agrees,
        "status": status,
        "code": code,
        "message": message,
        "values": dict(outcome.values),
        "source": row.source or None,
    }


def write(path: Path, rows: Mapping[str, Mapping[str, Any]]) -> None:
    """Write the file; rows that are not in ``rows`` stay as they were. Raises :class:`UsageError`."""
    try:
        known: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({**known, **rows}, indent=1, sort_keys=True, default=str) + "\n", encoding="utf-8")
    except (OSError, ValueError) as error:
        raise UsageError(f"can't write {path}: {error}", "name another file") from None


def read(path: Path) -> dict[str, Recording]:
    """The recordings of a file by row; none without the file."""
    if not path.exists():
        return {}
    rows: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return {name: _recording(row) for name, row in rows.items()}


def shipped() -> dict[str, Recording]:
    """What AWS itself has answered, of the file that lakectl brings."""
    return {name: each for name, each in read(SHIPPED).items() if each.answered_by == AWS}


def with_source(row: Row, recording: Recording) -> Row:
    """The row with AWS's own answer, and where that is recorded."""
    source = f"recorded from AWS: lakectl/contract/{SHIPPED.name} {recording.date} {recording.region}"
    answer = replace(recording.answer, words=recording.answer.words.replace(recording.region, REGION))
    return replace(row, answer=answer, source=source)


def _recording(row: Mapping[str, Any]) -> Recording:
    if row["code"]:
        answer = Answer(code=row["code"], status=row["status"] or 0, words=row["message"] or "")
    else:
        answer = Answer(values=tuple(row["values"].items()))
    return Recording(answer, row["date"], row["region"], row["answered_by"])
