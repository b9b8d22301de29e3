"""The rows of data files as DuckDB tables of text, with DuckDB's sniffer for how a CSV is written."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lakectl.errors import UsageError
from lakectl.ops.init import names
from lakectl.ops.init.file_kind import FileKind, look, opened
from lakectl.spec.model import FileFormat

# More rows than this don't change what is inferred; they take memory and minutes.
MAX_ROWS = 1_000_000
DELIMITERS = ",;\t|"
# Which file a row is from; no column of a file can have this name.
FILE = "#file"
LOCAL_EXTRA = "pip install 'lakectl[local]'"


@dataclass(frozen=True)
class TableColumn:
    """``header``: the file's own name where it is another. ``types``: those that the files state (JSON's or DuckDB's
    names); none in a CSV, where all is text."""

    name: str
    header: str
    types: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Table:
    """Rows of one or more files of one form. ``notes``: what is unsure about how they are written."""

    name: str
    files: tuple[Path, ...]
    form: FileFormat
    columns: tuple[TableColumn, ...]
    rows: int
    notes: tuple[str, ...] = ()


@contextmanager
def workspace() -> Iterator[Any]:
    """A DuckDB connection; tables that are larger than memory go to disk. Raises UsageError when DuckDB is missing."""
    try:
        import duckdb
    except ImportError:
        raise UsageError("reading data files needs DuckDB, which is not installed", LOCAL_EXTRA) from None
    with tempfile.TemporaryDirectory(prefix="lakectl-init-") as folder:
        connection = duckdb.connect(config={"temp_directory": folder})
        try:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute("SET autoinstall_known_extensions = false")
            yield connection
        finally:
            connection.close()


def read(connection: Any, table: str, path: Path) -> Table:
    """Make ``table`` of the file's first MAX_ROWS rows. Raises UsageError for one that can't be read as a table."""
    kind = look(path)
    reader = {"csv": _csv, "jsonl": _jsonl, "parquet": _parquet}[kind.format]
    try:
        found = reader(connection, table, path, kind)
    except Exception as error:
        if type(error).__module__ not in ("duckdb", "_duckdb"):
            raise
        raise UsageError(*_explained(str(error), path)) from None
    if not found.rows:
        what = "only a header, no rows" if kind.format == "csv" else "no rows"
        raise UsageError(f"{path}: {what}: there is nothing to infer types from", "name a file that has rows")
    if found.rows > MAX_ROWS:
        note = f"inferred from the first {MAX_ROWS:,} rows of {path.name}"
        found = replace(found, rows=MAX_ROWS, notes=(*found.notes, note))
    return found


def _csv(connection: Any, table: str, path: Path, kind: FileKind) -> Table:
    with _as_utf8(path, kind) as plain:
        line = _first_line(plain, kind.compressed, path)
        packed = "gzip" if kind.compressed else "none"
        form, has_header = _dialect(connection, plain, packed, line, path)
        headers = _fields(line, form, path)
        if not has_header and _looks_like_data(headers):
            raise UsageError(
                f"{path}:1: no header, but data: {_short(line)}", "put a line with the columns' names first"
            )
        columns = tuple(TableColumn(name, header) for name, header in names.column_names(headers, str(path)))
        schema = "{" + ", ".join(f"'c{place}': 'VARCHAR'" for place in range(len(columns))) + "}"
        chosen = ", ".join(f'c{place} AS "{column.name}"' for place, column in enumerate(columns))
        # ruff: noqa: S608 - names are cleaned, and texts are quoted by _quoted
        connection.execute(
            f'CREATE TABLE "{table}" AS SELECT {_quoted(path.name)} AS "{FILE}", {chosen} FROM read_csv('
            f"{_quoted(str(plain))}, delim={_quoted(form.delimiter)}, quote={_quoted(form.quote)}, "
            f"escape={_quoted(form.quote)}, header=true, skip=0, auto_detect=false, strict_mode=true, comment='', "
            f"columns={schema}, compression='{packed}', max_line_size=4194304) LIMIT {MAX_ROWS + 1}"
        )
    encoding = "utf-8" if kind.encoding == "ascii" else kind.encoding
    notes = (kind.unsure,) if kind.unsure else ()
    return Table(table, (path,), replace(form, encoding=encoding), columns, _count(connection, table), notes)


def _dialect(connection: Any, plain: Path, packed: str, line: str, path: Path) -> tuple[FileFormat, bool]:
    """(how a CSV is written, whether its first line is surely a header) by DuckDB's sniffer. Where that gives up the
    first line, or the delimiter that it has, the line counts: the strict reader will name the row that does not fit."""
    import duckdb

    most = max(DELIMITERS, key=line.count)
    by_line = FileFormat("csv", most)
    try:
        row = connection.execute(
            "SELECT Delimiter, Quote, Escape, SkipRows, HasHeader, len(Columns) "
            f"FROM sniff_csv({_quoted(str(plain))}, compression='{packed}', max_line_size=4194304)"
        ).fetchone()
    except duckdb.Error:
        return by_line, False
    delimiter, quote, escape, skipped, has_header, count = row
    quote = '"' if quote in ("", "(empty)") else quote
    if escape not in ("", "(empty)", quote):
        raise UsageError(
            f"{path}: quotes are written {escape}{quote}; inside quotes a quote must be doubled: {quote}{quote}",
            "write the file again with doubled quotes",
        )
    if count == 1 and most not in line:
        return FileFormat("csv", quote=quote), has_header
    sniffed = FileFormat("csv", delimiter, quote)
    if skipped or count == 1 or delimiter not in DELIMITERS or count != len(_fields(line, sniffed, path)):
        return by_line, False
    return sniffed, has_header


def _jsonl(connection: Any, table: str, path: Path, kind: FileKind) -> Table:
    if kind.encoding not in ("utf-8", "ascii"):
        raise UsageError(f"{path} is not UTF-8 text, as JSON must be", f"iconv -f {kind.encoding} -t utf-8 {path}")
    packed = "gzip" if kind.compressed else "uncompressed"
    connection.execute("DROP TABLE IF EXISTS objects")
    connection.execute(
        "CREATE TEMP TABLE objects AS SELECT json, row_number() OVER () AS number FROM read_json_objects("
        f"{_quoted(str(path))}, format='newline_delimited', compression='{packed}') LIMIT {MAX_ROWS + 1}"
    )
    other = connection.execute(
        "SELECT number, json FROM objects WHERE json_type(json) <> 'OBJECT' ORDER BY number LIMIT 1"
    ).fetchone()
    if other:
        raise UsageError(f"{path}: value {other[0]} is no JSON object: {_short(other[1])}")
    keys = connection.execute(
        "SELECT key FROM (SELECT unnest(json_keys(json)) AS key, generate_subscripts(json_keys(json), 1) AS place, "
        "number FROM objects) GROUP BY key ORDER BY min(number), min(place)"
    ).fetchall()
    headers = [key for (key,) in keys]
    if not headers:
        raise UsageError(f"{path}: its objects have no fields")
    columns, chosen = [], []
    for header, (name, own) in zip(headers, names.column_names(headers, str(path)), strict=True):
        pointer = _quoted("/" + header.replace("~", "~0").replace("/", "~1"))
        types = connection.execute(f"SELECT DISTINCT json_type(json, {pointer}) FROM objects").fetchall()
        columns.append(TableColumn(name, own, frozenset(kind for (kind,) in types if kind not in (None, "NULL"))))
        chosen.append(f'json_extract_string(json, {pointer}) AS "{name}"')
    connection.execute(
        f'CREATE TABLE "{table}" AS SELECT {_quoted(path.name)} AS "{FILE}", {", ".join(chosen)} '
        "FROM objects ORDER BY number"
    )
    return Table(table, (path,), FileFormat("jsonl"), tuple(columns), _count(connection, table))


def _parquet(connection: Any, table: str, path: Path, kind: FileKind) -> Table:  # noqa: ARG001
    source = f"read_parquet({_quoted(str(path))})"
    described = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
    own = names.column_names([row[0] for row in described], str(path))
    columns, chosen = [], []
    for (header, kind_of, *_), (name, other) in zip(described, own, strict=True):
        columns.append(TableColumn(name, other, frozenset((kind_of,))))
        field = '"' + header.replace('"', '""') + '"'
        text = f"to_json({field})" if re.match(r"STRUCT|MAP|UNION|.*\[", kind_of) else field
        chosen.append(f'CAST({text} AS VARCHAR) AS "{name}"')
    connection.execute(
        f'CREATE TABLE "{table}" AS SELECT {_quoted(path.name)} AS "{FILE}", {", ".join(chosen)} FROM {source} '
        f"LIMIT {MAX_ROWS + 1}"
    )
    return Table(table, (path,), FileFormat("parquet"), tuple(columns), _count(connection, table))


def joined(connection: Any, tables: Sequence[Table]) -> Table:
    """One table of all of them, the first one's; the others are dropped. They have the same columns.

    Raises UsageError for files that are written in different ways.
    """
    first, *others = tables
    if not others:
        return first
    form = first.form
    types = {column.name: set(column.types) for column in first.columns}
    order = ", ".join(f'"{name}"' for name in (FILE, *types))
    for other in others:
        form = _common(first, other, form)
        for column in other.columns:
            types[column.name] |= column.types
        connection.execute(f'INSERT INTO "{first.name}" SELECT {order} FROM "{other.name}"')
        connection.execute(f'DROP TABLE "{other.name}"')
    columns = tuple(replace(column, types=frozenset(types[column.name])) for column in first.columns)
    notes = tuple(dict.fromkeys(note for table in tables for note in table.notes))
    files = tuple(file for table in tables for file in table.files)
    return Table(first.name, files, form, columns, sum(table.rows for table in tables), notes)


def _common(first: Table, other: Table, form: FileFormat) -> FileFormat:
    for key in ("delimiter", "quote", "encoding"):
        ours, theirs = getattr(form, key), getattr(other.form, key)
        if ours != theirs:
            raise UsageError(
                f"{other.files[0]} is written with {key} {theirs!r}, {first.files[0]} with {ours!r}: a source has one",
                f"make it a source of its own: --from NAME={other.files[0]}",
            )
    return form


@contextmanager
def _as_utf8(path: Path, kind: FileKind) -> Iterator[Path]:
    """The file, or a copy of it in UTF-8 (compressed or not as the file is)."""
    if kind.encoding in ("utf-8", "ascii"):
        yield path
        return
    import gzip

    with tempfile.TemporaryDirectory(prefix="lakectl-init-") as folder:
        copy = Path(folder) / path.name
        with opened(path, kind.compressed) as source, copy.open("wb") as raw:
            target: Any = gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=1) if kind.compressed else raw
            import codecs

            shutil.copyfileobj(codecs.EncodedFile(source, "utf-8", kind.encoding), target)
            target.close()
        yield copy


def _first_line(plain: Path, compressed: bool, path: Path) -> str:
    with opened(plain, compressed) as binary:
        data = binary.read(1 << 16)
    line = data.splitlines()[0] if data else b""
    if len(line) == 1 << 16:
        raise UsageError(f"{path}:1: more than {1 << 16:,} bytes in a line: not a header")
    return line.decode("utf-8-sig")


def _fields(line: str, form: FileFormat, path: Path) -> list[str]:
    import csv

    try:
        return next(csv.reader([line], delimiter=form.delimiter, quotechar=form.quote, strict=True), [])
    except csv.Error as error:
        raise UsageError(f"{path}:1: not readable as CSV: {error}: {_short(line)}") from None


def _looks_like_data(fields: Sequence[str]) -> bool:
    return any(re.fullmatch(r"\s*(-?[0-9]+([.,][0-9]+)?|\d{4}-\d\d-\d\d.*|)\s*", field) for field in fields)


def _explained(error: str, path: Path) -> tuple[str, str | None]:
    """DuckDB's message in one line, with the line of the file where it names one."""
    lines = [line.strip() for line in error.splitlines() if line.strip()]
    number = re.search(r"CSV Error on Line: (\d+)", error)
    if number:
        row = next((line.removeprefix("Original Line:").strip() for line in lines if "Original Line:" in line), "")
        counts = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", error)
        what = f"{counts[2]} values, expected {counts[1]} as in the header" if counts else lines[2 if row else 1]
        return f"{path}:{number[1]}: {what}: {_short(row)}", "correct or delete that line"
    first = re.sub(r"^[A-Za-z ]+ Error: ", "", lines[0]) if lines else "it can't be read"
    return f"{path}: {first}", None


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "..."


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _count(connection: Any, table: str) -> int:
    return int(connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0])
