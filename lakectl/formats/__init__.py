"""An answer as a file: CSV, JSON, tab-separated lines or Parquet, written a row or a batch at a time."""

from __future__ import annotations
