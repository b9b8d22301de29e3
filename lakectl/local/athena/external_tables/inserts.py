"""INSERT INTO an external table: new files, and partitions for them where there are none.

https://docs.aws.amazon.com/athena/latest/ug/insert-into.html (supported formats and SerDes)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lakectl.local.athena import manifests
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.external_tables import hivetypes, partitions, projection, writing
from lakectl.local.athena.external_tables.files import line_count
from lakectl.local.athena.external_tables.formats import BY_SERDE
from lakectl.local.athena.external_tables.source import typed
from lakectl.local.athena.results import Column, Result

if TYPE_CHECKING:
    from lakectl.local.athena.engine import Run

physical = hivetypes.physical
_WRITTEN = ("AVRO", "JSON", "ORC", "PARQUET", "TEXTFILE")
_CODEC_SETTINGS = (
    "write.compression",
    "parquet.compression",
    "orc.compress",
    "avro.output.codec",
    "compression_format",
)


def target_of(entry: Mapping[str, Any], label: str, run: Run) -> writing.Target:
    """Where and how rows of the table are written. Raises QueryError for a table that can't be written to."""
    storage, parameters = entry["StorageDescriptor"], entry.get("Parameters", {})
    serde = storage.get("SerdeInfo", {})
    library = serde.get("SerializationLibrary", "")
    name = BY_SERDE.get(library, library)
    why = None
    if name not in _WRITTEN or library.startswith("org.openx"):
        why = f"its SerDe is {library}"
    elif storage.get("BucketColumns"):
        why = "it is bucketed"
    elif line_count(parameters, "skip.header.line.count") or line_count(parameters, "skip.footer.line.count"):
        why = "its files have headers or footers"
    elif projection.is_projected(parameters) and parameters.get("storage.location.template"):
        why = "its partitions are projected with storage.location.template"
    if why:
        raise QueryError("NOT_SUPPORTED", f"INSERT INTO {label} is not supported by the local Athena: {why}")
    fields, keys = typed(storage.get("Columns", []), label), typed(entry.get("PartitionKeys", []), label)
    writing.check_keys(keys)
    wanted = next((parameters[key] for key in _CODEC_SETTINGS if parameters.get(key)), None)
    known = {} if not keys or projection.is_projected(parameters) else _known(run, entry)
    return writing.Target(
        storage["Location"].rstrip("/") + "/",
        name,
        writing.codec_of(name, wanted),
        fields,
        keys,
        serde.get("Parameters", {}),
        known.get,
    )


def _known(run: Run, entry: Mapping[str, Any]) -> dict[tuple[str | None, ...], str]:
    """Values -> folder of the partitions that the catalog has."""
    return {
        tuple(None if value == partitions.NULL_FOLDER else value for value in each["Values"]): each[
            "StorageDescriptor"
        ]["Location"].rstrip("/")
        + "/"
        for each in partitions.of_table(run.catalog.glue, entry)
    }


def write(run: Run, entry: dict[str, Any], target: writing.Target, rows: Any) -> Result:
    from lakectl.local.athena.external_tables.alter import create

    written = writing.write(run, rows, target)
    try:
        if not projection.is_projected(entry.get("Parameters", {})):
            new = [
                ([partitions.NULL_FOLDER if value is None else value for value in values], folder)
                for values, folder in written.partitions.items()
                if target.folder_of(values) is None
            ]
            create(run, entry, new, exists_ok=True)
    except BaseException:
        writing.remove(run.s3, written.paths)
        raise
    result = Result([Column("rows", "bigint", 19)], update_count=written.rows, has_file=False)
    result.manifest = manifests.write(run, written.paths)
    return result
