"""Small landings that are read together give the rows that each gives by itself."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest
from test_random_files import CHANNELS, ODD
from whole_job import HEADER, JobLake, line

from lakectl.config import default_spec

ODD_LINES = [
    "1,2,3",
    ",".join("12345678"),
    '9,01/02/2026,1,10,1,"1,50",web',
    '10,01/02/2026,1,10,1,1.00,"a line',
    'break"',
    '"11",01/02/2026,1,10,1,1.00," web "',
    ' "12",01/02/2026,1,10,1,1.00,5" pipe',
    "\x00,,,,,,",
    " \t ",
    "",
    "," * 6,
    '"',
]


def odd_file(random: Random) -> bytes:
    lines = [
        *random.sample(ODD_LINES, 5),
        *(line(random.randrange(99)).replace("web", random.choice(CHANNELS)) for _ in "12"),
    ]
    random.shuffle(lines)
    text = (
        HEADER
        + "\n"
        + "".join(each + random.choice(["\n", "\r\n", "\r", "\n\n", random.choice(ODD) + "\n"]) for each in lines)
    )
    data = bytearray(text.rstrip("\r\n" if random.random() < 0.5 else "").encode("utf-8-sig"))
    data[random.randrange(len(HEADER) + 10, len(data))] = random.randrange(256)
    return bytes(data)


def test_joined_lines_are_read_as_the_files_are(
    spark: Any, files: Any, landed: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lake import joined, reading
    from lake.policies import Checks

    random = Random(20261130)
    monkeypatch.setattr(joined, "FEWEST", 2)
    items = [landed("orders", odd_file(random), batch=f"{number:04}") for number in range(1, 60)]

    def put(name: str, content: bytes) -> str:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        return f"file://{path}"

    def rows(**how: Any) -> list[Any]:
        read = reading.read(spark, files, Checks(default_spec().sources["orders"]), items, **how)
        assert read
        found = read.judged.collect()
        read.judged.unpersist()
        return sorted(found, key=repr)

    by_themselves = rows()
    assert len(by_themselves) > 300
    assert not any(item.joined for item in items)
    assert rows(put=put) == by_themselves
    assert all(item.joined for item in items)


@pytest.mark.long
def test_many_small_landings_are_loaded_and_judged_each_by_itself(job_lake: JobLake) -> None:
    from lake import joined

    job_lake.dimensions()
    good = [job_lake.orders(line(number), batch=f"{number:04}") for number in range(1, joined.FEWEST + 5)]
    bad = job_lake.orders(line(500), '501,01/02/2026,1,10,1,1.00,"a line', 'break"', batch="9000")
    late = job_lake.orders(line(600), batch="9001")
    ran = job_lake.run()
    assert ran.error
    assert ran.error.startswith("LandingsRefused: 1 landings refused")
    assert sorted(job_lake.rows("order_id", "_lake_file")) == [
        (number, f"s3://{job_lake.raw}/{key}") for number, key in [*enumerate(good, 1), (600, late)]
    ]
    (refused,) = (item for item in job_lake.landings() if item["load_status"] == "FAILED")
    assert refused["key"] == bad
    assert "line 4: 'break" in refused["reason"]
