"""docs/costs.md: its prices are those that the program knows, and its sums are right."""

from __future__ import annotations

import re
from pathlib import Path

from lakectl import glue_versions
from lakectl.config import Config

PAGE = (Path(__file__).parents[2] / "docs/costs.md").read_text(encoding="utf-8")
RUN = re.compile(r"^\| [^|]+ \| (\d+) \S (\S+) \| (\d+) \| ([\d.]+) \| ([\d.]+) \|$", re.MULTILINE)
QUERY = re.compile(r"\| ([\d.]+) (MB|GB) \| ([\d.]+) \|$", re.MULTILINE)


def test_runs_cost_what_the_program_says() -> None:
    glue = Config().glue
    runs = RUN.findall(PAGE)
    assert len(runs) == 4
    assert (int(runs[0][0]), runs[0][1], int(runs[0][2])) == (
        glue.workers,
        glue.worker_type,
        glue_versions.LEAST_BILLED_S,
    )
    for workers, kind, seconds, dpu_hours, usd in runs:
        expected = int(workers) * glue_versions.DPU_PER_WORKER[kind] * int(seconds) / 3600
        assert (dpu_hours, usd) == (f"{expected:.3f}", f"{expected * glue.usd_per_dpu_hour:.3f}")
    assert f"{glue.usd_per_dpu_hour} US dollars" in PAGE


def test_queries_cost_what_their_bytes_do() -> None:
    queries = QUERY.findall(PAGE)
    assert len(queries) == 3
    for amount, unit, usd in queries:
        terabytes = float(amount) / {"MB": 1e6, "GB": 1e3}[unit]
        assert abs(terabytes * 5 - float(usd)) < 0.0005
    assert f"{queries[-1][0]} {queries[-1][1]}" == f"{Config().athena.bytes_scanned_cutoff / 1e9:.2f} GB"
