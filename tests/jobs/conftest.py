"""The job's parts with one Spark session for all of them, without S3 and without Iceberg."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "jobs"), str(ROOT / "lambdas" / "shared")]


def _resolved_options(argv: list[str], names: list[str]) -> dict[str, str]:
    """awsglue's, as far as the job uses it: asked-for names must be there, Glue's own come unasked."""
    given: dict[str, str] = {}
    words = iter(argv[1:])
    for word in words:
        name, has_value, value = word.removeprefix("--").partition("=")
        given[name] = value if has_value else next(words)
    missing = [name for name in names if name not in given]
    if missing:
        raise RuntimeError(f"the following arguments are required: {missing}")
    return {name: value for name, value in given.items() if name in (*names, "JOB_RUN_ID", "JOB_ID")}


if "awsglue" not in sys.modules:  # the runtime gives it to a job; it is no dependency of this project
    utils: Any = ModuleType("awsglue.utils")
    utils.getResolvedOptions = _resolved_options
    sys.modules["awsglue"] = ModuleType("awsglue")
    sys.modules["awsglue.utils"] = utils


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    from pyspark.sql import SparkSession

    session = (
        SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.legacy.timeParserPolicy", "CORRECTED")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .getOrCreate()
    )
    yield session
    session.stop()


class Files:
    """S3 for the job's parts: objects are files in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get_object(self, *, Bucket: str, Key: str, Range: str = "") -> dict[str, Any]:  # noqa: ARG002
        return {"Body": (self.folder / Key).open("rb")}


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.fixture
def landed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """``landed("orders", text, batch="0001")``: an item whose path is a local file that Spark can read."""
    from datetime import UTC, datetime

    from landing import landing_of
    from ledger import PENDING, Entry
    from retail.landings import Item

    monkeypatch.setattr(Item, "path", property(lambda item: f"file://{tmp_path}/{item.landing.key}"))
    numbers = iter(range(100))

    def land(source: str, content: str | bytes, *, batch: str = "", day: str = "2026-11-24", gz: bool = False) -> Any:
        folder = f"retail/{source}/ingest_date={day}/" + (f"batch={batch}/" if batch else "")
        key = f"{folder}{source}.csv" + (".gz" if gz else "")
        data = content.encode() if isinstance(content, str) else content
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / key).write_bytes(data)
        landing = landing_of(
            prefix="retail/",
            bucket="raw",
            key=key,
            version_id=f"v{batch or day}",
            etag="e",
            size=len(data),
            event_time="2026-11-24T10:00:00Z",
        )
        assert landing
        entry = Entry(landing, landing.run_sk, PENDING)
        return Item(entry, datetime(2026, 11, 24, 10, tzinfo=UTC), claimed=True, number=next(numbers))

    return land
