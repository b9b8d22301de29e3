"""The whole table of behaviours."""

from __future__ import annotations

import contract_rows_access
import contract_rows_compute
import contract_rows_data
import contract_rows_s3

ROWS = [*contract_rows_s3.ROWS, *contract_rows_compute.ROWS, *contract_rows_data.ROWS, *contract_rows_access.ROWS]
