"""The contract table, asked of where the lake is: every answer that differs from it."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from lakectl.contract.asking import Outcome, Where, ask_all, clients_of, not_asked
from lakectl.contract.rows import ROWS, UNSOURCED
from lakectl.contract.table import Row
from lakectl.ops.acceptance.model import Seen, StepFailed, Trial

ATTEMPTS = 5  # a throttled call is no answer
NAMED = 3


def contract(trial: Trial) -> Seen:
    """Answers that differ are evidence, no failure. Raises :class:`StepFailed` for what the rows left behind."""
    aws = trial.lake.aws
    where = Where(aws.account, aws.region, patient=aws.billed)
    rows = [*ROWS, *UNSOURCED]
    found: list[tuple[Row, Outcome]] = []
    # Closed, so that after a Ctrl-C the rows at work have deleted what they made before the lake is.
    with closing(ask_all(rows, clients_of(aws.session, aws.endpoint_url, ATTEMPTS), where)) as asked:
        for row, outcome in asked:
            found.append((row, outcome))
            trial.say(f"{len(found)} of {len(rows)}: {row.id}")
    facts: dict[str, Any] = {
        "asked": len(found),
        "differences": [_told(row, each) for row, each in found if row.source and each.prepared and not each.agrees],
        "unsourced": [_told(row, each) for row, each in found if not row.source and each.prepared],
        "not_prepared": [_told(row, each) for row, each in found if not each.prepared],
        "not_asked": {row.id: why for row in rows if (why := not_asked(row, where))},
    }
    left = [name for _, outcome in found for name in outcome.left]
    if left:
        more = f" and {len(left) - NAMED} more" if len(left) > NAMED else ""
        told = f"{len(left)} resources could not be deleted: {'; '.join(left[:NAMED])}{more}"
        raise StepFailed(
            told, "delete them by hand: their names hold `lakectl` and ten hex digits", {**facts, "left": left}
        )
    differing, open_ = len(facts["differences"]), len(facts["not_prepared"])
    rest = f", {open_} could not be asked" if open_ else ""
    sourced = sum(bool(row.source) and outcome.prepared for row, outcome in found)
    return Seen(f"{differing} of {sourced} answers differ from the contract table{rest}", facts)


def _told(row: Row, outcome: Outcome) -> dict[str, Any]:
    told = {
        "row": row.id,
        "expected": str(row.answer),
        "answered": outcome.got,
        "agrees": outcome.agrees,
        "source": row.source,
        "request_id": outcome.request_id,
    }
    return {**told, "known": row.differs} if row.differs else told
