"""The lake of rides (``tests/rides_project``) for whole runs of the job in this process."""

from __future__ import annotations

import gzip
from typing import Any

import ride_files
from whole_job import JobLake

from lakectl.spec import yaml_items


def sources() -> dict[str, Any]:
    """The lake's sources as plain values: a copy to change."""
    found: dict[str, Any] = yaml_items.read(ride_files.PROJECT / "config/lake.yaml").value["sources"]
    return found


class RidesLake(JobLake):
    """Lands files of each source. ``day``: of ingest_date, in September 2025."""

    def __init__(self, spark: Any, endpoint: Any, **settings: Any) -> None:
        super().__init__(spark, endpoint, {"sources": sources(), **settings})

    def companies(self, *lines: str, day: int = 1) -> str:
        return self.file("companies", "csv", ride_files.companies(*lines), day=day)

    def drivers(self, *lines: str, day: int = 1) -> str:
        return self.file("drivers", "csv", ride_files.drivers(*lines), day=day)

    def zones(self, *rows: tuple[int, str, Any], day: int = 1, types: Any = ()) -> str:
        return self.file("zones", "parquet", ride_files.zones(*rows, types=types), day=day)

    def lines(self, source: str, *rows: Any, day: int = 1, batch: str = "", gz: bool = False) -> str:
        data = ride_files.lines(*rows)
        return self.file(source, "jsonl.gz" if gz else "jsonl", gzip.compress(data) if gz else data, day, batch)

    def file(self, source: str, ending: str, data: bytes, day: int = 1, batch: str = "") -> str:
        folder = f"ingest_date=2025-09-{day:02}/" + (f"batch={batch}/" if batch else "")
        return self.put(f"{source}/{folder}{source}.{ending}", data)

    def put(self, key: str, data: bytes) -> str:
        self.s3.put_object(Bucket=self.raw, Key=f"retail/{key}", Body=data)
        return f"retail/{key}"

    def everything(self) -> None:
        """Two companies, two drivers, two zones, and no ride."""
        self.companies("1,Taxi Süd", "2,Cabs")
        self.drivers("7;Jörg;4,5;01.02.2024;1", "8;Ann;NA;2024-03-04;2")
        self.zones((1, "Mitte", 1.5), (2, "Pankow", None))
