"""One landing that can't be read, parsed or checked refuses itself, and nothing else."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from whole_job import HEADER, ROOT, JobLake, Ran, line

from lakectl import packages
from lakectl.local.control import Endpoint
from lakectl.project import Project

ARABIC_ONE, NO_BREAK_SPACE = "\u0661", "\u00a0"
WIDE = ",".join(f"c{number}" for number in range(3_000))
BAD_VALUES = (
    line(1).replace("01/09/2025", "01/01/0000"),
    line(2, price="9" * 400),
    line(3, qty=ARABIC_ONE),
    line(4, qty=NO_BREAK_SPACE + "1"),
)


def with_column(name: str, order: int) -> str:
    return f"{HEADER},{name}\n{line(order)},x\n"


# Name of the case -> the file, and what its reason says.
REFUSED: dict[str, tuple[str | bytes, str]] = {
    "empty": (b"", "empty"),
    "a row of 30,000 fields": (f"{HEADER}\n1{',1' * 30_000}\n", "line 2 has 30,001 fields"),
    "a header of 3,007 columns": (f"{HEADER},{WIDE}\n{line(1)}\n", "columns"),
    "a header of 100,000 characters": (f"{HEADER},{'x' * 100_000}\n{line(1)},x\n", "65,536 bytes"),
    "a header with an open quote": (f'{HEADER},"x\n{line(1)},x\n', "line 1"),
    "one line of nothing but CR": (b"\r\r\r", "line 1"),
    "UTF-16": (f"{HEADER}\n{line(1)}\n".encode("utf-16"), "not UTF-8"),
    "Latin-1": (f"{HEADER}\n{line(1)}\n".replace("web", "caf\xe9").encode("latin-1"), "UTF-8"),
    "NULs": (b"\0" * 300, "line 1"),
    "a torn gzip file": (gzip.compress(f"{HEADER}\n{line(1)}\n".encode() * 3000)[:-9], "not a whole gzip file"),
    "a column of the job's own": (with_column("_lake_flags", 1), "_lake_flags"),
    "a quote that is not closed": (f'{HEADER}\n{line(1)[:-3]}"web\n{line(2)}"\n', "quote"),
    "a last field with an open quote": (
        f'{HEADER}\n{line(1)[:-3]}"a line\n{line(2)}\n',
        "line 2: a quote has no partner",
    ),
    "a value that goes on after its closing quote": (
        f'{HEADER}\n{line(1)[:-3]}"the "best" web"\n',
        "line 2: not readable",
    ),
    "values of every wrong kind": ("\n".join((HEADER, *BAD_VALUES)) + "\n", "line 2: order_date is '01/01/0000'"),
}
LOADED = {
    "bare CR": f"{HEADER}\n{line(101)}\n{line(102)}\n".replace("\n", "\r"),
    "CR, LF and both": f"{HEADER}\r\n{line(103)}\r{line(104)}\n\r\n \t\n{line(105)}",
    "_corrupt_line": with_column("_corrupt_line", 106),
    "raw_qty": with_column("raw_qty", 107),
    "landing_no": with_column("landing_no", 108),
    "_rank": with_column("_rank", 109),
    "flags": with_column("flags", 110),
}


@pytest.fixture(scope="module")
def poisoned(spark: Any, endpoint: Endpoint) -> tuple[JobLake, Ran]:
    """One run over everything above and a good landing."""
    lake = JobLake(spark, endpoint, {"schema_evolution": "add"})
    lake.dimensions()
    for number, (text, _) in enumerate(REFUSED.values(), start=1):
        lake.land("orders", text, batch=f"{number:04}", gz=not isinstance(text, str) and text[:2] == b"\x1f\x8b")
    for number, text in enumerate(LOADED.values(), start=100):
        lake.land("orders", text, batch=f"{number:04}")
    lake.orders(line(1), batch="9999")
    return lake, lake.run()


def test_each_landing_that_cannot_be_read_is_refused_with_its_reason(poisoned: tuple[JobLake, Ran]) -> None:
    """Item 1: and the run goes on with the others. Item 5: also for values that `land` refuses."""
    lake, ran = poisoned
    assert ran.error.startswith("LandingsRefused"), (ran.error, ran.said)
    found = {item["batch"]: item for item in lake.landings() if item["source"] == "orders"}
    for number, (case, (_, says)) in enumerate(REFUSED.items(), start=1):
        item = found[f"{number:04}"]
        assert item["load_status"] == "FAILED", case
        assert says in item["reason"], (case, item["reason"])
    values = item["reason"]
    assert "line 3: unit_price is '999" in values
    assert f"line 4: qty is {ARABIC_ONE!r}, expected a whole number" in values
    assert f"line 5: qty is {NO_BREAK_SPACE + '1'!r}, expected a whole number" in values
    assert lake.waiting() == []


def test_line_ends_and_headers_of_any_kind_are_read(poisoned: tuple[JobLake, Ran]) -> None:
    """Item 1: bare CR, and columns that are called as the job calls its own."""
    lake, _ = poisoned
    names = ("order_id", "qty", "_corrupt_line", "raw_qty", "landing_no", "_rank", "flags")
    rows = {row[0]: row[1:] for row in lake.rows(*names)}
    nothing = (1, None, None, None, None, None)
    assert set(rows) == {1, *range(101, 111)}
    assert {order: row for order, row in rows.items() if order < 106} == dict.fromkeys([1, *range(101, 106)], nothing)
    for place, order in enumerate(range(106, 111), start=1):
        assert rows[order] == (*nothing[:place], "x", *nothing[place + 1 :])


def test_what_is_no_landings_fault_is_blamed_on_none(job_lake: JobLake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Item 1: the run fails, and the landings wait for the next one."""
    from lake import judging

    def broken(*_: Any) -> None:
        raise RuntimeError("Spark is dead")

    job_lake.dimensions()
    job_lake.orders(line(1))
    with monkeypatch.context() as patch:
        patch.setattr(judging, "read", broken)
        assert job_lake.run().error == "RuntimeError: Spark is dead"
    assert set(job_lake.statuses().values()) == {"CLAIMED"}
    assert len(job_lake.waiting()) == 3


def test_what_a_dead_run_left_in_staging_is_removed_when_it_is_old(job_lake: JobLake) -> None:
    """Item 3: by maintenance."""
    from lake.copies import PREFIX, Copies, remove_old
    from whole_job import WAREHOUSE

    Copies(job_lake.s3, f"s3://{WAREHOUSE}/", "dead").put("1/orders.csv", b"x")
    assert remove_old(job_lake.s3, f"s3://{WAREHOUSE}/", days=1) == 0
    assert remove_old(job_lake.s3, f"s3://{WAREHOUSE}/", days=-1) == 1
    assert job_lake.s3.list_objects_v2(Bucket=WAREHOUSE, Prefix=PREFIX)["KeyCount"] == 0


def test_the_jobs_package_holds_what_it_shares_with_the_command_line(tmp_path: Path) -> None:
    """Item 1: one code for `land` and the job, also where lakectl is not installed."""
    package = tmp_path / "job.zip"
    package.write_bytes(packages.job_package(Project(ROOT, ROOT / "config" / "lake.yaml")))
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); from lakectl.core import csv_files; print(csv_files.__file__)"
    )
    found = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, package], capture_output=True, text=True, check=True
    )
    assert found.stdout.startswith(str(package))
