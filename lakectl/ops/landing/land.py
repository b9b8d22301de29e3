"""Landing files: checked before, written once, never overwritten."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Literal

from botocore.exceptions import BotoCoreError, ClientError

from lakectl.aws import code_of, explain
from lakectl.config import Config
from lakectl.core.landing_key import file_endings
from lakectl.errors import LakectlError, UsageError
from lakectl.ops.lake import Lake
from lakectl.ops.landing import landing_file, landing_paths, upload
from lakectl.ops.landing.landed_bytes import LandedBytes, repeated
from lakectl.ops.landing.landing_file import Check, LandingFile
from lakectl.ops.landing.landing_keys import AUTO, batches_for, key_for, next_batch
from lakectl.ops.landing.landing_paths import STDIN
from lakectl.ops.landing.lean_put import LeanPut
from lakectl.ops.landing.upload import PART_BYTES, Place, Taken, in_parallel
from lakectl.progress import Moved, unseen
from lakectl.spec.model import LakeSpec

SMALL_AT_ONCE = 8  # each holds its file, of at most 8 MiB, in memory
DAMAGED = ("BadDigest", "XAmzContentSHA256Mismatch")
RACES = 20  # how often a batch number may be taken by somebody else between our look and our write


class InSilver(LakectlError):
    """The bytes were landed before, or are by the same command, and would be loaded a second time."""


@dataclass(frozen=True)
class Landed:
    """One file in the bucket. ``outcome`` is ``already`` when the same bytes were there."""

    path: str
    source: str
    bucket: str
    key: str
    version_id: str | None
    size: int
    outcome: Literal["landed", "already"]


def prepare(
    config: Config,
    paths: Sequence[Path],
    source: str | None = None,
    *,
    batch: str | None = None,
    how: Check = "ends",
    spooled: Path | None = None,
) -> list[LandingFile]:
    """Find and check all files before the first is sent; in the order in which they land.

    ``spooled`` is the file that holds standard input, for the path ``-``. Raises :class:`UsageError`.
    """
    sources = config.sources
    if source is not None and source not in sources:
        raise UsageError(f"no source is called {source!r}; known: {', '.join(sources)}")
    if STDIN in paths and (source is None or spooled is None):
        raise UsageError(
            "standard input has no name", f"name its source: lakectl land - --source {next(iter(sources))}"
        )
    endings = sorted({ending for each in config.spec.sources.values() for ending in file_endings(each.file)})
    found = landing_paths.expand(paths, endings)
    named = [(path, source or landing_file.source_of(path, sources)) for path in found]
    evolution = config.schema_evolution
    files = []
    for path, name in named:
        if path == STDIN and spooled:
            files.append(landing_file.check(spooled, name, sources[name], how, "standard input", evolution=evolution))
        else:
            files.append(landing_file.check(path, name, sources[name], how, evolution=evolution))
    if batch != AUTO:
        _one_of_each(files)
    return sorted(files, key=lambda file: (*_turn(config.spec, file.source), file.source))


def _one_of_each(files: Sequence[LandingFile]) -> None:
    by_source: dict[str, LandingFile] = {}
    for file in files:
        first = by_source.setdefault(file.source, file)
        if first is not file:
            raise UsageError(
                f"{first.label} and {file.label} are both {file.source} of one date and would get the same key",
                "land each one as its own batch: add --batch auto",
            )


def land(
    lake: Lake,
    files: Sequence[LandingFile],
    ingest_date: date,
    batch: str | None = None,
    observer: Callable[[Landed], None] = lambda _: None,
    progress: Moved = unseen,
    again: bool = False,
) -> list[Landed]:
    """Write each file under its key, only when nothing is there.

    ``batch`` is four digits, ``"auto"`` (the next free number of source and date for each file) or ``None``.
    The same bytes already there: fine. The same bytes under another key, or in another one of ``files``, for a source
    that appends: refused, unless ``again``. Other bytes: the other files still land, then :class:`Taken` with the
    command that lands the file as a new batch; what was landed before stays as it is.
    """
    landed: list[Landed] = []
    taken: list[tuple[LandingFile, LakectlError]] = []
    if not again:
        files, taken = _each_once(lake, files)

    def one(job: tuple[LandingFile, str | None]) -> Landed | tuple[LandingFile, LakectlError]:
        return _land_one(lake, job[0], ingest_date, job[1], batch == AUTO, progress, lean, None if again else known)

    def settle(done: Landed | tuple[LandingFile, LakectlError]) -> None:
        if isinstance(done, Landed):
            landed.append(done)
            observer(done)
        else:
            taken.append(done)

    upload.spare(lake.client("s3"))
    lean, known = LeanPut.to(lake.aws), LandedBytes(lake)
    try:
        for _, group in groupby(files, key=lambda file: _turn(lake.config.spec, file.source)):
            jobs = _with_batches(lake, list(group), ingest_date, batch)
            small = [job for job in jobs if job[0].size <= PART_BYTES]
            for done in in_parallel(one, small, SMALL_AT_ONCE):
                settle(done)
            for job in jobs:
                if job[0].size > PART_BYTES:
                    settle(one(job))
    except (ClientError, BotoCoreError) as error:
        if code_of(error) == "NoSuchBucket":
            raise LakectlError(
                f"lake {lake.config.name!r} has no bucket {lake.names.raw_bucket} yet", "make it with: lakectl up"
            ) from error
        if code_of(error) in DAMAGED:
            raise LakectlError(
                f"the data arrived damaged in s3://{lake.names.raw_bucket} ({code_of(error)}); S3 refused it",
                "the network or a proxy corrupted the data; run the same command again",
            ) from error
        raise explain(error, f"landing in s3://{lake.names.raw_bucket}") from error
    if taken:
        file, refusal = taken[0]
        more = f" (and {len(taken) - 1} more)" if len(taken) > 1 else ""
        hint = _as_further_rows(file) if isinstance(refusal, InSilver) else _as_a_batch(file, ingest_date)
        raise type(refusal)(refusal.message + more, hint)
    return landed


def _each_once(
    lake: Lake, files: Sequence[LandingFile]
) -> tuple[list[LandingFile], list[tuple[LandingFile, LakectlError]]]:
    """``files`` without those of sources that append whose bytes an earlier one has; and why these are refused."""
    appended = [file for file in files if lake.config.spec.sources[file.source].loading == "append"]
    refused: list[tuple[LandingFile, LakectlError]] = [
        (file, InSilver(f"{file.label}: its bytes are those of {first.label}, which lands with it"))
        for file, first in repeated(appended)
    ]
    left_out = {id(file) for file, _ in refused}
    return [file for file in files if id(file) not in left_out], refused


def _turn(spec: LakeSpec, source: str) -> tuple[bool, int]:
    """When a source's files land: what starts no run before what does, what is looked up before what looks it up. So
    the run that a landing starts finds all that was landed with it."""

    def depth(name: str) -> int:
        return max((depth(lookup.source) + 1 for lookup in spec.sources[name].lookups), default=0)

    return spec.sources[source].starts_run, depth(source)


def _with_batches(
    lake: Lake, files: list[LandingFile], ingest_date: date, batch: str | None
) -> list[tuple[LandingFile, str | None]]:
    if batch != AUTO:
        return [(file, batch) for file in files]
    jobs: list[tuple[LandingFile, str | None]] = []
    for _, group in groupby(files, key=lambda file: file.source):
        of_source = list(group)
        jobs += zip(of_source, batches_for(lake, of_source, ingest_date), strict=True)
    return jobs


def _land_one(
    lake: Lake,
    file: LandingFile,
    ingest_date: date,
    batch: str | None,
    may_move: bool,
    progress: Moved,
    lean: LeanPut | None,
    known: LandedBytes | None,
) -> Landed | tuple[LandingFile, LakectlError]:
    """The landed file, or the file and why it was refused."""
    for _ in range(RACES):
        place = Place(lake.names.raw_bucket, key_for(lake, file, ingest_date, batch), lake.names.account)
        if known and lake.config.spec.sources[file.source].loading == "append":
            elsewhere = known.elsewhere(file, place.key)
            if elsewhere:
                return file, InSilver(f"{file.label}: its bytes are in the lake already, as {elsewhere}")
        try:
            sent = upload.send(lake.client("s3"), file, place, progress, lean)
        except Taken as error:
            if not may_move:
                return file, error
            batch = next_batch(lake, file.source, ingest_date)
            continue
        if sent.outcome == "already":
            progress(file.size, found=True)
        return Landed(file.label, file.source, place.bucket, place.key, sent.version_id, file.size, sent.outcome)
    return file, LakectlError(f"{file.label}: {RACES} batch numbers in a row were taken by somebody else")


def _as_further_rows(file: LandingFile) -> str:
    return f"to have its rows once more: lakectl land {_path(file)} --source {file.source} --batch auto --again"


def _path(file: LandingFile) -> str:
    return "-" if file.label != str(file.path) else shlex.quote(file.label)


def _as_a_batch(file: LandingFile, ingest_date: date) -> str:
    return (
        f"land it as a new batch: lakectl land {_path(file)} --source {file.source} "
        f"--ingest-date {ingest_date.isoformat()} --batch auto"
    )
