"""The whole table of behaviours: rows with a source, which count, and those without.

A row without a source that an account has answered counts, with that answer (:mod:`lakectl.contract.recordings`).
"""

from __future__ import annotations

from lakectl.contract import (
    recordings,
    rows_access,
    rows_compute,
    rows_data,
    rows_events,
    rows_lambda,
    rows_s3,
    rows_s3_conditions,
    rows_unsourced,
)

_READ = [
    *rows_s3.ROWS,
    *rows_s3_conditions.ROWS,
    *rows_lambda.ROWS,
    *rows_compute.ROWS,
    *rows_events.ROWS,
    *rows_data.ROWS,
    *rows_access.ROWS,
]
_RECORDED = recordings.shipped()
ROWS = [*_READ, *(recordings.with_source(row, _RECORDED[row.id]) for row in rows_unsourced.ROWS if row.id in _RECORDED)]
UNSOURCED = [row for row in rows_unsourced.ROWS if row.id not in _RECORDED]
