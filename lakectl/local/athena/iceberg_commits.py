"""Commits to Iceberg tables: each is whole or has not been made.

PyIceberg commits by an optimistic swap of the table's entry in Glue. An append that meets another writer's commit is
made again on top of it, at most four times (``commit.retry.num-retries``), as Iceberg's own clients do. Rows that were
changed or deleted are known by their places in files of one snapshot: such a commit fails if the table has moved on
(Athena's isolation level is serializable: https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg.html).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from pyiceberg.exceptions import CommitFailedException, ValidationException
from pyiceberg.manifest import (
    DataFile,
    ManifestContent,
    ManifestEntry,
    ManifestEntryStatus,
    ManifestFile,
    ManifestWriter,
    ManifestWriterV2,
)
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Operation, SnapshotSummaryCollector, Summary, update_snapshot_summaries
from pyiceberg.table.update.snapshot import _SnapshotProducer

from lakectl.local.athena.errors import QueryError

log = logging.getLogger(__name__)


@contextmanager
def committed() -> Iterator[None]:
    """Raises Athena's error where another writer has changed the table meanwhile."""
    try:
        yield
    except (CommitFailedException, ValidationException) as error:
        log.info("a commit failed: %s", error)
        raise QueryError(
            "ICEBERG_COMMIT_ERROR",
            "Failed to commit Iceberg update to table: another writer has changed the table meanwhile",
        ) from None


def append(table: Table, files: Iterable[DataFile]) -> None:
    with committed(), table.transaction() as transaction, transaction._append_snapshot_producer({}) as snapshot:
        for file in files:
            snapshot.append_data_file(file)


def change(
    table: Table,
    operation: Operation,
    added: list[DataFile],
    deletes: list[DataFile],
    removed: set[str],
) -> None:
    """One snapshot that adds data files and files of position deletes, and takes the files at ``removed`` away."""
    with committed(), table.transaction() as transaction:
        delta = _Delta(operation, transaction, table.io)
        for file in added:
            delta.append_data_file(file)
        delta.deletes, delta.removed = deletes, removed
        delta.commit()


class _Deletes(ManifestWriterV2):
    """PyIceberg writes manifests of data files only."""

    def content(self) -> ManifestContent:
        return ManifestContent.DELETES

    @property
    def _meta(self) -> dict[str, str]:
        return {**super()._meta, "content": "deletes"}


class _Delta(_SnapshotProducer["_Delta"]):
    """Iceberg's RowDelta and RewriteFiles, which PyIceberg does not have."""

    deletes: list[DataFile]
    removed: set[str]

    def _validate_concurrency(self) -> None:
        window = self._commit_window
        if window is not None and not window.is_empty():
            raise CommitFailedException("the table has another snapshot than the rows were read from")

    def _deleted_entries(self) -> list[ManifestEntry]:
        return []

    def _existing_manifests(self) -> list[ManifestFile]:
        """Those of the parent; one that names a removed file is written again, and says that the file is gone."""
        self._gone: list[DataFile] = []
        parent = self._parent_snapshot_id
        snapshot = self._transaction.table_metadata.snapshot_by_id(parent) if parent is not None else None
        found = []
        for manifest in snapshot.manifests(io=self._io) if snapshot is not None else []:
            entries = manifest.fetch_manifest_entry(io=self._io, discard_deleted=True)
            if not entries:
                continue
            if not any(entry.data_file.file_path in self.removed for entry in entries):
                found.append(manifest)
                continue
            with self._writer(manifest.partition_spec_id, manifest.content) as writer:
                for entry in entries:
                    gone = entry.data_file.file_path in self.removed
                    if gone:
                        self._gone.append(entry.data_file)
                    writer.add_entry(self._again(entry, gone))
            found.append(writer.to_manifest_file())
        return found

    def _again(self, entry: ManifestEntry, gone: bool) -> ManifestEntry:
        return ManifestEntry.from_args(
            status=ManifestEntryStatus.DELETED if gone else ManifestEntryStatus.EXISTING,
            snapshot_id=self.snapshot_id if gone else entry.snapshot_id,
            sequence_number=entry.sequence_number,
            file_sequence_number=entry.file_sequence_number,
            data_file=entry.data_file,
        )

    def _writer(self, spec_id: int, content: ManifestContent) -> ManifestWriter:
        spec = self.spec(spec_id)
        if content == ManifestContent.DATA:
            return self.new_manifest_writer(spec)
        return _Deletes(spec, self.schema(), self.new_manifest_output(), self._snapshot_id, self._compression)

    def _manifests(self) -> list[ManifestFile]:
        found = self._existing_manifests()
        for content, files in ((ManifestContent.DATA, self._added_data_files), (ManifestContent.DELETES, self.deletes)):
            by_spec: dict[int, list[DataFile]] = {}
            for file in files:
                by_spec.setdefault(file.spec_id, []).append(file)
            for spec_id, some in by_spec.items():
                with self._writer(spec_id, content) as writer:
                    for file in some:
                        writer.add(
                            ManifestEntry.from_args(
                                status=ManifestEntryStatus.ADDED,
                                snapshot_id=self._snapshot_id,
                                sequence_number=None,
                                file_sequence_number=None,
                                data_file=file,
                            )
                        )
                found.append(writer.to_manifest_file())
        return found

    def _summary(self, snapshot_properties: Any = None) -> Summary:
        metadata = self._transaction.table_metadata
        collector = SnapshotSummaryCollector(partition_summary_limit=0)
        for change, files in (
            (collector.add_file, [*self._added_data_files, *self.deletes]),
            (collector.remove_file, self._gone),
        ):
            for file in files:
                change(file, metadata.schema(), metadata.specs()[file.spec_id])
        parent = metadata.snapshot_by_id(self._parent_snapshot_id) if self._parent_snapshot_id is not None else None
        counted = update_snapshot_summaries(
            Summary(operation=Operation.OVERWRITE, **collector.build(), **(snapshot_properties or {})),
            parent.summary if parent is not None else None,
        )
        return Summary(operation=self._operation, **counted.additional_properties)
