"""A raw bucket, a ledger and the job's inbox on moto in this process: orders of events without Spark.

What a run would read is its items; silver is, for each key, what was loaded with the greatest row version.
"""

from __future__ import annotations

import itertools
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3

from lakectl.config import default_spec
from lakectl.local.seams import dynamodb

KEYS = tuple(f"retail/orders/ingest_date=2026-11-24/batch={number:04d}/orders.csv" for number in (1, 2))
GOOD, OTHER, BAD = b"good", b"other", b"bad"


class NoGlue:
    """Every run in this process has ended when the next one looks."""

    def get_job_run(self, **_request: Any) -> dict[str, Any]:
        return {"JobRun": {"JobRunState": "SUCCEEDED"}}


@dataclass(frozen=True)
class Load:
    """One landing in silver: ``row_version`` decides between two of one key, ``run`` is the number of the run."""

    key: str
    sk: str
    etag: str
    row_version: Any
    run: int


@dataclass
class World:
    """Call inside ``mock_aws``. ``told``: events that S3 has not delivered yet."""

    told: list[Any] = field(default_factory=list)
    silver: list[Load] = field(default_factory=list)
    strict: bool = True

    def __post_init__(self) -> None:
        from lakectl.core.ledger import Ledger

        name = uuid.uuid4().hex[:12]
        self.bucket, table = f"raw-{name}", f"runs-{name}"
        self.s3, client = _client("s3"), _client("dynamodb")
        self.s3.create_bucket(Bucket=self.bucket)
        self.s3.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": "Enabled"})
        client.create_table(
            TableName=table,
            AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("pk", "sk")],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.ledger = Ledger(table, client)
        self.clock_off = timedelta()
        self._sequencers = itertools.count(1)
        self._runs = itertools.count(1)

    # ---- what happens to an object

    def put(self, content: bytes = GOOD, key: str = KEYS[0], *, deliver: bool = True) -> None:
        from lakectl.config import Config
        from lakectl.core.landing import LandingZone

        put = self.s3.put_object(Bucket=self.bucket, Key=key, Body=content)
        moment = datetime.now(UTC) + self.clock_off
        event = LandingZone("retail/", Config().spec.sources).landing(
            bucket=self.bucket,
            key=key,
            version_id=put["VersionId"],
            etag=put["ETag"],
            size=len(content),
            event_time=moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            sequencer=f"{next(self._sequencers):06X}",
        )
        self.told += [event, event]  # the log function and the starter
        if deliver:
            self.deliver()

    def delete(self, key: str = KEYS[0]) -> None:
        self.s3.delete_object(Bucket=self.bucket, Key=key)

    def undelete(self, key: str = KEYS[0]) -> None:
        """Remove the newest version if it is a delete marker."""
        marker = next((each for each in self.versions(key) if each["IsLatest"] and "ETag" not in each), None)
        if marker:
            self.s3.delete_object(Bucket=self.bucket, Key=key, VersionId=marker["VersionId"])

    def destroy_older(self, key: str = KEYS[0]) -> None:
        """Delete for good all versions but the newest."""
        for each in self.versions(key):
            if not each["IsLatest"]:
                self.s3.delete_object(Bucket=self.bucket, Key=key, VersionId=each["VersionId"])

    def versions(self, key: str) -> list[dict[str, Any]]:
        page = self.s3.list_object_versions(Bucket=self.bucket, Prefix=key)
        return [*page.get("Versions", []), *page.get("DeleteMarkers", [])]

    def current(self, key: str = KEYS[0]) -> str:
        """The ETag of the current version; ``""`` when the object is deleted."""
        return next((each["ETag"].strip('"') for each in self.versions(key) if each["IsLatest"] and "ETag" in each), "")

    # ---- what the program does

    def deliver(self, order: list[int] | None = None) -> None:
        """All events that S3 holds, in the order of the numbers, which may repeat and leave out."""
        for number in range(len(self.told)) if order is None else order:
            self.ledger.record(self.told[number % len(self.told)])
        if order is None:
            self.told = []

    def run(self, path: str = "", *, full: bool = False, retry_failed: bool = False) -> list[str]:
        """A run; the reasons of what it refuses. With ``strict``, bad bytes are refused."""
        from lake.arguments import Arguments
        from lake.landings import Inbox

        number = next(self._runs)
        asked = Arguments(
            raw_bucket=self.bucket,
            silver_db="silver",
            silver_warehouse="s3://silver/",
            ledger_table="-",
            landing_prefix="retail/",
            job_name="job",
            run_id=f"jr_{number}",
            raw_path=f"s3://{self.bucket}/{path}" if path else "",
            full=full,
            retry_failed=retry_failed,
            spec=default_spec(),
        )
        inbox = Inbox(asked, self.ledger, self.s3, NoGlue())
        items = inbox.take()
        for item in items:
            landing = item.landing
            read = self.s3.get_object(Bucket=self.bucket, Key=landing.key, VersionId=landing.version_id)["Body"].read()
            if self.strict and read == BAD:
                item.problems.append("bad bytes")
            else:
                self.silver.append(Load(landing.key, item.entry.sk, landing.etag, item.landed_at, number))
        inbox.finish(items, {"orders": str(number)}, lambda _: {})
        return [problem for item in items if item.claimed for problem in item.problems]

    def roll_back(self, runs: int, *, requeue: bool = False) -> None:
        """Undo the last ``runs`` runs."""
        from lakectl.core.ledger import LOADED

        last = next(self._runs)
        self.silver = [load for load in self.silver if load.run < last - runs]
        for entry in list(self.ledger.history("orders")):
            if entry.load_status == LOADED and int(entry.snapshot_id) >= last - runs:
                self.ledger.reverted(entry, "rolled back")
                if requeue:
                    self.ledger.requeue(entry)

    # ---- what came of it

    def loaded(self, key: str = KEYS[0]) -> str:
        """The ETag of what silver has of the key."""
        loads = [load for load in self.silver if load.key == key]
        return max(loads, key=lambda load: load.row_version).etag if loads else ""

    def statuses(self, key: str = KEYS[0]) -> list[str]:
        """Of the key's landings, in the order of their sequencers or as S3 lists them."""
        entries = {each.landing.version_id: each for each in self.ledger.history("orders") if each.landing.key == key}
        listed = sorted(self.versions(key), key=lambda each: each["LastModified"])
        ids = [each["VersionId"] for each in listed if each["VersionId"] in entries]
        return [entries[version].load_status for version in ids]

    def waiting(self) -> list[str]:
        return [entry.landing.key for entry in self.ledger.pending("orders")]


_clients: dict[str, Any] = {}


def _client(service: str) -> Any:
    """One for all worlds: making a client takes longer than most of these tests."""
    if service not in _clients:
        dynamodb.take_turns()  # as on the endpoint: moto alone loses rows of concurrent transactions
        session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
        _clients[service] = session.client(service)
    return _clients[service]
