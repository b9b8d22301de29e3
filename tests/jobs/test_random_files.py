"""Random files beside good ones: every good row is in silver, every bad landing bears its reason, and no run fails."""

from __future__ import annotations

import gzip
from pathlib import Path
from random import Random
from typing import Any

import pytest
from whole_job import HEADER, JobLake, line

from lakectl.config import Config
from lakectl.core import csv_files, values
from lakectl.errors import UsageError
from lakectl.local.control import Endpoint
from lakectl.ops.landing import landing_file

ORDERS = Config().sources["orders"]
COLUMNS = HEADER.split(",")
NAMES = [
    "_corrupt_line",
    "raw_qty",
    "landing_no",
    "_lake_flags",
    "qty",
    "",
    "a b",
    "pr\u0131ce",
    "object",
    "kind",
    "x" * 200,
]
ODD = [
    '"',
    '""',
    ",",
    "\r",
    "\n",
    "\0",
    "\ufeff",
    "\u00a0",
    "\ufffd",
    "é",
    "😀",
    "\t",
    "\u2028",
    "\x1a",
    " ",
    "\u0663",
    "-",
    "1e5",
]
CHANNELS = ["web", "", 'the "web"', "a,b", "  ", "café", '5" pipe', "\u2028", "#1", "\\", "'"]


def random_file(random: Random, first: int) -> bytes:
    """A file of orders ``first``, ``first + 1``, … with nothing, or several things, wrong."""
    columns = random.sample(COLUMNS, len(COLUMNS))
    if random.random() < 0.3:
        columns.insert(random.randrange(len(columns) + 1), random.choice(NAMES))
    header = ",".join(random.choice((name, name.upper(), f" {name} ", f'"{name}"')) for name in columns)
    lines = [header, *(random_row(random, columns, order) for order in range(first, first + random.randrange(5)))]
    ends = random.choice((["\n"], ["\r\n"], ["\r"], ["\n", "\r", "\r\n", "\n\n", "\n \n"]))
    text = "".join(each + random.choice(ends) for each in lines)
    for _ in range(random.choice((0, 0, 0, 1, 2))):
        place = random.randrange(len(text) + 1)
        text = text[:place] + random.choice(ODD) + text[place + random.randrange(2) :]
    encoding = random.choice(("utf-8",) * 6 + ("utf-8-sig", "utf-16", "latin-1"))
    data = bytearray(text.encode(encoding, "replace"))
    for _ in range(random.choice((0, 0, 0, 0, 1, 3))):
        if data:
            data[random.randrange(len(data))] = random.randrange(256)
    return bytes(data if random.random() < 0.9 else data[: random.randrange(len(data) + 1)])


def random_row(random: Random, columns: list[str], order: int) -> str:
    good = dict(zip(COLUMNS, line(order, qty=random.randrange(1, 9)).split(","), strict=True))
    good["channel"] = random.choice(CHANNELS)
    good["unit_price"] = random.choice(["2.50", "2,50", "1.234,56", "1,234.56", "7", "9" * 15])
    fields = []
    for name in columns:
        text = good.get(name, random.choice(CHANNELS))
        quoted = random.random() < 0.3 or "," in text or '"' in text
        fields.append('"' + text.replace('"', '""') + '"' if quoted else text)
    return ",".join(fields)


def accepted(path: Path, data: bytes) -> dict[int, tuple[int, float, str | None]] | None:
    """Order -> its row, of a file that `land --check full` accepts; else None."""
    path.write_bytes(data)
    try:
        landing_file.check(path, "orders", ORDERS, "full", evolution="add")
    except UsageError:
        return None
    plain = gzip.decompress(data) if data[:2] == landing_file.GZIP_MAGIC else data
    names = csv_files.header(plain)
    rows = {}
    for text in plain.decode("utf-8-sig").encode().splitlines()[1:]:
        if csv_files.is_blank(text.decode()):
            continue
        fields = dict(zip(names, csv_files.fields(text.decode()), strict=True))
        row = {name: values.clean(fields[name], column) for name, column in ORDERS.by_name.items()}
        read = {
            name: values.value_of(row[name] or "", ORDERS.by_name[name]) for name in ("order_id", "qty", "unit_price")
        }
        rows[read["order_id"]] = (read["qty"], read["unit_price"], row["channel"])
    return rows


def run_over(lake: JobLake, random: Random, folder: Path, files: int) -> None:
    lake.settings = {"schema_evolution": "add"}
    lake.dimensions()
    expected = {}
    for number in range(1, files + 1):
        data = random_file(random, number * 100)
        packed = random.random() < 0.2
        data = gzip.compress(data)[: None if random.random() < 0.7 else -7] if packed else data
        key = lake.land("orders", data, batch=f"{number:04}", gz=packed)
        expected[key] = accepted(folder / key.rsplit("/", 1)[1], data)
    good = lake.orders(line(1), line(2, qty=3), batch="9999")
    expected[good] = {1: (1, 2.5, "web"), 2: (3, 2.5, "web")}
    ran = lake.run()
    assert not ran.error or ran.error.startswith("LandingsRefused"), ran.error
    assert lake.waiting() == []
    found = {item["key"]: item for item in lake.landings() if item["source"] == "orders"}
    assert found.keys() == expected.keys()
    rows = {row[0]: row[1:] for row in lake.rows("order_id", "_lake_file", "qty", "unit_price", "channel")}
    for key, orders in expected.items():
        item = found[key]
        if item["load_status"] == "FAILED":
            assert item["reason"]
            assert orders is None or "occur more than once" in item["reason"], (key, item["reason"])
            continue
        assert item["load_status"] == "LOADED", (key, item["load_status"])
        assert orders is not None, (key, "refused by `land`, and loaded by the job")
        for order, row in orders.items():
            file, *told = rows[order]
            # A mutated id may be that of an order in a later batch.
            assert tuple(told) == row or not file.endswith(key), (key, order, told, row)
    assert {order: rows[order][1:] for order in (1, 2)} == expected[good]
    assert all(
        not str(row[0]).endswith(item["key"])
        for item in found.values()
        if item["load_status"] == "FAILED"
        for row in rows.values()
    )


@pytest.mark.long
def test_random_files_stop_no_good_one(
    spark: Any, endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Items 1 and 5: what `land` accepts the job reads, to the same values; all else is refused by name."""
    from lake import joined

    monkeypatch.setattr(joined, "FEWEST", 1)
    run_over(JobLake(spark, endpoint), Random(14), tmp_path, files=12)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(8))
def test_very_many_random_files_stop_no_good_one(
    spark: Any, endpoint: Endpoint, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Items 1 and 5. Every other time each small file is read by itself."""
    from lake import joined

    monkeypatch.setattr(joined, "FEWEST", 1 if seed % 2 else 1000)
    run_over(JobLake(spark, endpoint), Random(seed), tmp_path, files=60)
