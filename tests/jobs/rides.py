"""A lake of rides: every file format, loading mode and kind of lookup, in the shape of lake.yaml."""

from __future__ import annotations

import gzip
import io
import json
from typing import Any

from whole_job import JobLake

SETTINGS: dict[str, Any] = {
    "sources": {
        "rides": {
            "description": "Trips, as the cars tell them",
            "keys": ["ride_id"],
            "starts_run": True,
            "file": {"format": "jsonl"},
            "columns": {
                "ride_id": "string",
                "started_at": {"type": "timestamp", "required": True, "zone": "Europe/Berlin"},
                "driver_id": "bigint",
                "zone_id": "int",
                "fare": {"type": "decimal(10,2)", "required": True, "description": "Euros, without surcharge"},
                "shared": "boolean",
            },
            "lookups": {
                "drivers": {"on": "driver_id", "take": [{"name": "driver"}, "company"]},
                "zones": {"on": "zone_id", "take": ["borough", "surcharge"], "missing": "quarantine"},
            },
            "derive": {"total": {"type": "decimal(13,2)", "sql": "fare + coalesce(surcharge, 0)"}},
            "checks": {
                "fares": {"sql": "fare >= 0", "otherwise": "quarantine"},
                "totals": {"sql": "total < 1000", "otherwise": "warn"},
            },
            "partition_by": ["day(started_at)", "bucket(8, zone_id)"],
        },
        "pings": {
            "loading": "append",
            "file": {"format": "jsonl"},
            "columns": {"driver_id": "bigint", "at": "timestamp", "lat": "double", "lon": "double"},
        },
        "zones": {
            "keys": ["zone_id"],
            "loading": "snapshot",
            "file": {"format": "parquet"},
            "columns": {"zone_id": "int", "borough": "string", "surcharge": "decimal(6,2)"},
        },
        "drivers": {
            "keys": ["driver_id"],
            "file": {"delimiter": ";", "encoding": "windows-1252", "nulls": ["NA"]},
            "columns": {
                "driver_id": "bigint",
                "name": {"type": "string", "header": "Driver's name"},
                "rating": {"type": "double", "decimal_mark": ","},
                "joined": {"type": "date", "format": ["dd.MM.yyyy", "yyyy-MM-dd"]},
                "company_id": "int",
            },
            "lookups": {"companies": {"on": "company_id", "take": ["company"], "missing": "warn"}},
        },
        "companies": {"keys": ["company_id"], "columns": {"company_id": "int", "company": "string"}},
    },
}
DRIVERS = "driver_id;Driver's name;rating;joined;company_id"


class RidesLake(JobLake):
    """Lands files of each source. ``day``: of ingest_date, in September 2025."""

    def __init__(self, spark: Any, endpoint: Any, **settings: Any) -> None:
        super().__init__(spark, endpoint, {**SETTINGS, **settings})

    def companies(self, *lines: str, day: int = 1) -> str:
        return self.land("companies", "\n".join(("company_id,company", *lines, "")), date=f"2025-09-{day:02}")

    def drivers(self, *lines: str, day: int = 1) -> str:
        text = "\n".join((DRIVERS, *lines, ""))
        return self.land("drivers", text.encode("windows-1252"), date=f"2025-09-{day:02}")

    def zones(self, *rows: tuple[int, str, Any], day: int = 1, surcharges: Any = None) -> str:
        """``surcharges``: the PyArrow type of the column."""
        import pyarrow
        from pyarrow import parquet

        names = ("zone_id", "Borough", "surcharge")
        columns = dict(zip(names, zip(*rows, strict=True) if rows else ((), (), ()), strict=True))
        kinds = (pyarrow.int64(), pyarrow.string(), surcharges or pyarrow.float64())
        buffer = io.BytesIO()
        parquet.write_table(
            pyarrow.table(
                {name: pyarrow.array(list(columns[name]), kind) for name, kind in zip(names, kinds, strict=True)}
            ),
            buffer,
        )
        return self.put(f"zones/ingest_date=2025-09-{day:02}/zones.parquet", buffer.getvalue())

    def lines(self, source: str, *rows: Any, day: int = 1, batch: str = "", gz: bool = False) -> str:
        """JSON Lines: each row a dict, or the text of a line."""
        text = "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows)
        folder = f"ingest_date=2025-09-{day:02}/" + (f"batch={batch}/" if batch else "")
        data = gzip.compress(text.encode()) if gz else text.encode()
        return self.put(f"{source}/{folder}{source}.jsonl{'.gz' if gz else ''}", data)

    def put(self, key: str, data: bytes) -> str:
        self.s3.put_object(Bucket=self.raw, Key=f"retail/{key}", Body=data)
        return f"retail/{key}"

    def everything(self) -> None:
        """Two companies, two drivers, two zones, and no ride."""
        self.companies("1,Taxi Süd", "2,Cabs")
        self.drivers("7;Jörg;4,5;01.02.2024;1", "8;Ann;NA;2024-03-04;2")
        self.zones((1, "Mitte", 1.5), (2, "Pankow", None))


def ride(
    ride_id: str, *, zone: Any = 1, driver: Any = 7, fare: Any = 10, at: str = "2025-09-01T12:00:00", **more: Any
) -> Any:
    return {"ride_id": ride_id, "started_at": at, "driver_id": driver, "zone_id": zone, "fare": fare, **more}
