"""The whole table of behaviours: those with a source, which count, and those without."""

from __future__ import annotations

import contract_rows_access
import contract_rows_compute
import contract_rows_data
import contract_rows_events
import contract_rows_lambda
import contract_rows_s3
import contract_rows_s3_conditions
from contract_rows_unsourced import UNSOURCED

__all__ = ["ROWS", "UNSOURCED"]

ROWS = [
    *contract_rows_s3.ROWS,
    *contract_rows_s3_conditions.ROWS,
    *contract_rows_lambda.ROWS,
    *contract_rows_compute.ROWS,
    *contract_rows_events.ROWS,
    *contract_rows_data.ROWS,
    *contract_rows_access.ROWS,
]
