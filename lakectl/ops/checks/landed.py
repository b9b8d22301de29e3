"""What the loaded landings say, read from the raw bucket itself: the yardstick for what silver should hold.

A few landings are read one by one, in the version that was loaded. Many are read by one query of the bronze table,
which sees what the bucket has now: landings whose key has several versions, or that the bronze table does not show,
are still read one by one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from lakectl.aws import code_of, explain
from lakectl.core.ledger_items import Entry
from lakectl.lake.bronze import columns_of
from lakectl.ops.checks.landed_rows import Key, Unreadable, key_of_bronze, keys_in
from lakectl.ops.checks.model import Subject, quoted
from lakectl.ops.checks.rejected import Version, rejected_keys
from lakectl.ops.runs import run_log

# Beyond these, reading everything back costs more than the check is worth.
MAX_BYTES = 512 * 1024**2
MAX_ROWS = 2_000_000
READ_ONE_BY_ONE = 200  # landings
AT_ONCE = 8


@dataclass
class Landing:
    """One loaded version of a key. ``keys``: key -> rows of it, ``keyless``: rows without a readable one;
    ``aside``: what of it was quarantined, also rows without a key; ``exact``: read in the version that was loaded, and
    not by the bronze table."""

    run: Entry
    keys: Counter[Key] = field(default_factory=Counter)
    keyless: int = 0
    aside: Counter[Key] = field(default_factory=Counter)
    exact: bool = False

    @property
    def version(self) -> Version:
        return self.run.path, self.run.version_id

    @property
    def rows(self) -> int:
        """Rows that silver has of it when each row of a landing stays."""
        return sum(self.keys.values()) + self.keyless - sum(self.aside.values())


class Unjudged(Exception):
    """Why the landings can't be counted."""


def loaded(subject: Subject) -> list[Landing]:
    """The landings of a source that silver should show: loaded, not reverted, and not replaced as a whole.

    Raises :class:`Unjudged`, and :class:`LakectlError` when the run log or the bucket can't be read at all.
    """
    name, loading = subject.source.name, subject.source.loading
    everything = list(run_log.runs(subject.lake, name))
    found = [run for run in everything if run.load_status == "LOADED"]
    if loading == "append":  # a version's rows replace those of the version before
        found = list({run.key: run for run in sorted(found, key=_order)}.values())
    elif loading == "snapshot":
        found = sorted(found, key=_order)[-1:]
    landings = [Landing(run) for run in found]
    if not landings:
        return []
    aside = rejected_keys(subject)
    for landing in landings:
        landing.aside = aside.get(landing.version, Counter())
    one_by_one = landings
    if len(landings) > READ_ONE_BY_ONE:
        versions = Counter(run.key for run in everything)
        one_by_one = _by_bronze(subject, landings, {key for key, count in versions.items() if count > 1})
    read(subject, one_by_one)
    return landings


def _order(run: Entry) -> tuple[str, str, str, str]:
    """Later landings have greater ones, as the job compares row versions (core.columns.ROW_VERSION)."""
    landing = run.landing
    return landing.ingest_date, landing.batch, landing.event_time, landing.version_id


def read(subject: Subject, landings: Iterable[Landing]) -> None:
    """Read each of these from the bucket, in the version that was loaded. Raises :class:`Unjudged`."""
    todo = list(landings)
    size = sum(landing.run.size for landing in todo)
    if size > MAX_BYTES:
        raise Unjudged(f"the landed files are too large to count ({size:,} bytes)")
    try:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for _ in pool.map(lambda landing: _read(subject, landing), todo):
                pass
    except Unreadable as error:
        raise Unjudged(str(error)) from error
    except (ClientError, BotoCoreError) as error:
        raise explain(error, f"reading the landed {subject.source.name}") from error


def _read(subject: Subject, landing: Landing) -> None:
    run, (name, version) = landing.run, landing.version
    asked = {} if version == "null" else {"VersionId": version}
    try:
        found = subject.lake.client("s3").get_object(Bucket=run.bucket, Key=run.key, **asked)
    except ClientError as error:
        if code_of(error) in ("NoSuchKey", "NoSuchVersion"):
            raise Unreadable(f"{name} is loaded, but version {version} has been deleted") from error
        raise
    if found["ETag"].strip('"') != run.etag:
        raise Unreadable(f"{name} is loaded, but was overwritten in a bucket without versions")
    counted = Counter(keys_in(found["Body"].read(), run.key, name, subject.source))
    landing.keyless = counted.pop(None, 0)
    landing.keys = Counter({key: count for key, count in counted.items() if key is not None})
    landing.exact = True


def _by_bronze(subject: Subject, landings: list[Landing], overwritten: set[str]) -> list[Landing]:
    """Fill in what the bronze table shows of ``landings``; returns those that it does not show as they were loaded."""
    rows = sum(int(landing.run.item.get("rows") or 0) for landing in landings)
    if rows > MAX_ROWS:
        raise Unjudged(f"the loaded landings have too many rows to compare ({rows:,})")
    shown_as = columns_of(subject.source)
    if any(name not in shown_as for name in subject.source.keys):
        return landings
    columns = ", ".join(['"$path"', *(quoted(shown_as[name][0]) for name in subject.source.keys)])
    kinds = [shown_as[name][1] for name in subject.source.keys]
    table = f"{quoted(subject.lake.names.bronze_database)}.{quoted(subject.source.raw_table)}"
    sql = f"SELECT {columns}, count(*) AS n FROM {table} GROUP BY {columns}"  # noqa: S608
    shown: dict[str, Landing] = {
        landing.version[0]: landing for landing in landings if landing.run.key not in overwritten
    }
    seen: set[str] = set()
    for path, *texts, count in subject.lines(sql):
        landing = shown.get(path)
        if landing is None:
            continue
        seen.add(path)
        key = key_of_bronze(texts, kinds, subject.source)
        if key is None:
            landing.keyless += int(count)
        else:
            landing.keys[key] += int(count)
    return [landing for landing in landings if landing.version[0] not in seen]


def by_version(landings: Iterable[Landing]) -> Mapping[Version, Landing]:
    """The landings by (``s3://bucket/key``, version id)."""
    return {landing.version: landing for landing in landings}
