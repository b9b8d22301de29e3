"""Files of Iceberg tables: data files of rows, and files of position deletes.

https://iceberg.apache.org/spec/#position-delete-files
"""

from __future__ import annotations

import itertools
import logging
import uuid
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import parquet
from pyiceberg.io.pyarrow import _dataframe_to_data_files, schema_to_pyarrow
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.table import Table

from lakectl.local.athena.errors import QueryError

if TYPE_CHECKING:
    from lakectl.local.athena.engine import Run

log = logging.getLogger(__name__)

PART_BYTES = 64 << 20  # of Arrow data in memory; each part is one file, or one in each partition
# https://docs.aws.amazon.com/athena/latest/ug/ctas-insert-into.html
MOST_PARTITIONS = 100
PATH_ID, PLACE_ID = 2147483546, 2147483545  # ids of reserved fields
_DELETES = pa.schema(
    [
        pa.field("file_path", pa.string(), nullable=False, metadata={"PARQUET:field_id": str(PATH_ID)}),
        pa.field("pos", pa.int64(), nullable=False, metadata={"PARQUET:field_id": str(PLACE_ID)}),
    ]
)


class DataWriter:
    """Writes tables of rows as data files of an Iceberg table. ``files``: those that were written."""

    def __init__(self, table: Table) -> None:
        if table.metadata.format_version > 2:
            raise QueryError(
                "NOT_SUPPORTED",
                "writing to an Iceberg table of format version 3 is not supported by the local Athena",
            )
        self._table = table
        self._arrow = schema_to_pyarrow(table.schema(), include_field_ids=False)
        self._names, self._numbers = uuid.uuid4(), itertools.count()
        self.files: list[DataFile] = []
        self._partitions: set[str] = set()
        self.rows = 0

    def write(self, rows: pa.Table) -> None:
        """``rows`` have columns by the names of the table's, in any order; one that is not there is NULL."""
        if not rows.num_rows:
            return
        data = self._fitted(rows)
        self.rows += data.num_rows
        metadata = self._table.metadata
        for file in _dataframe_to_data_files(metadata, data, self._table.io, self._names, self._numbers):
            file.spec_id = metadata.default_spec_id
            self.files.append(file)
            self._partitions.add(repr(file.partition))
        if len(self._partitions) > MOST_PARTITIONS:
            raise QueryError(
                "ICEBERG_TOO_MANY_OPEN_PARTITIONS",
                f"Exceeded limit of {MOST_PARTITIONS} open writers for partitions",
            )

    def _fitted(self, rows: pa.Table) -> pa.Table:
        arrays = []
        given = dict(zip(rows.column_names, rows.columns, strict=True))
        for field, stored in zip(self._arrow, self._table.schema().fields, strict=True):
            column = given.get(field.name)
            if column is None:
                column = pa.nulls(rows.num_rows, field.type)
            if stored.required and column.null_count:
                raise QueryError("CONSTRAINT_VIOLATION", f"NULL value not allowed for NOT NULL column: {field.name}")
            arrays.append(column.cast(field.type))
        return pa.Table.from_arrays(arrays, schema=self._arrow)

    def discard(self) -> None:
        """Delete what was written: no snapshot will name it."""
        discard(self._table, [file.file_path for file in self.files])


def discard(table: Table, paths: Iterable[str]) -> None:
    for path in paths:
        table.io.delete(path)


def parts(run: Run, rows: Iterable[Any]) -> Iterator[pa.Table]:
    """Tables of at most about PART_BYTES."""
    batches: list[Any] = []
    size = 0
    for batch in rows:
        run.check_cancelled()
        batches.append(batch)
        size += batch.nbytes
        if size >= PART_BYTES:
            yield pa.Table.from_batches(batches)
            batches, size = [], 0
    if batches:
        yield pa.Table.from_batches(batches)


def write_deletes(table: Table, file: DataFile, places: pa.Array) -> DataFile:
    """A file that deletes the rows at ``places`` (sorted, from 0) of a data file."""
    paths = pa.array([file.file_path] * len(places), pa.string())
    folder = file.file_path.rpartition("/")[0]
    path = f"{folder}/{uuid.uuid4()}-deletes.parquet"
    output = table.io.new_output(path)
    with output.create(overwrite=True) as stream:
        parquet.write_table(pa.Table.from_arrays([paths, places], schema=_DELETES), stream, compression="zstd")
    bound = file.file_path.encode()
    first, last = (places[at].as_py().to_bytes(8, "little", signed=True) for at in (0, -1))
    deletes = DataFile.from_args(
        content=DataFileContent.POSITION_DELETES,
        file_path=path,
        file_format=FileFormat.PARQUET,
        partition=file.partition,
        record_count=len(places),
        file_size_in_bytes=len(output),
        column_sizes=None,
        value_counts=None,
        null_value_counts=None,
        nan_value_counts=None,
        lower_bounds={PATH_ID: bound, PLACE_ID: first},
        upper_bounds={PATH_ID: bound, PLACE_ID: last},
        key_metadata=None,
        split_offsets=None,
        equality_ids=None,
    )
    deletes.spec_id = file.spec_id
    return deletes
