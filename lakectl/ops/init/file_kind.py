"""What a data file is, by its bytes: format, compression, encoding. What can't be read is refused in one line."""

from __future__ import annotations

import codecs
import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, cast

from lakectl.errors import UsageError

CHUNK = 1 << 20
_GZIP, _PARQUET = b"\x1f\x8b", b"PAR1"
_OTHERS = {
    b"PK\x03\x04": "a zip archive or a spreadsheet; unpack it, or save it as CSV",
    b"\xd0\xcf\x11\xe0": "a spreadsheet or document of Microsoft Office; save it as CSV",
    b"%PDF": "a PDF; save its tables as CSV",
    b"BZh": "compressed with bzip2; use gzip",
    b"\xfd7zXZ": "compressed with xz; use gzip",
    b"\x28\xb5\x2f\xfd": "compressed with zstd; use gzip",
    b"ORC": "an ORC file; save it as Parquet",
    b"Obj\x01": "an Avro file; save it as Parquet",
}
# Text has none of these but tab, line ends and form feed.
_CONTROL = bytes(set(range(32)) - {9, 10, 12, 13})
# Where Windows-1252 has no character.
_NOT_WINDOWS = bytes((0x81, 0x8D, 0x8F, 0x90, 0x9D))


@dataclass(frozen=True)
class FileKind:
    """``encoding``: of a text file; what it was taken from stands in ``unsure`` where it was not certain."""

    format: Literal["csv", "jsonl", "parquet"]
    compressed: bool = False
    encoding: str = "utf-8"
    unsure: str = ""


def look(path: Path) -> FileKind:
    """Read the file through. Raises UsageError, naming the file, for one that is no CSV, JSON Lines or Parquet."""
    if not path.exists():
        raise UsageError(f"no file at {path}")
    if not path.is_file():
        raise UsageError(f"{path} is not a file")
    try:
        with path.open("rb") as file:
            magic = file.read(8)
        if not magic:
            raise UsageError(f"{path} is empty: 0 bytes", "name a file with a header and rows")
        if magic.startswith(_PARQUET):
            return FileKind("parquet")
        compressed = magic.startswith(_GZIP)
        return _text(path, compressed)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UsageError(f"{path}: not a whole gzip file: {error}", "write it again with gzip") from None
    except OSError as error:
        raise UsageError(f"can't read {path}: {error.strerror or error}") from None


def _text(path: Path, compressed: bool) -> FileKind:
    with opened(path, compressed) as binary:
        first = binary.read(CHUNK)
    if not first.strip():
        raise UsageError(f"{path} is empty: nothing but white space", "name a file with a header and rows")
    for magic, what in _OTHERS.items():
        if first.startswith(magic):
            raise UsageError(f"{path} is {what}")
    if first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UsageError(f"{path} is UTF-16 text", f"iconv -f utf-16 -t utf-8 {path} > FILE")
    if any(byte in first for byte in _CONTROL):
        raise UsageError(f"{path} is a binary file", "name a CSV, JSON Lines or Parquet file")
    text = first.removeprefix(codecs.BOM_UTF8).lstrip()
    if text.startswith(b"[") and text[1:].lstrip().startswith((b"{", b"]")):
        raise UsageError(
            f"{path} is one JSON array, not JSON Lines: one object on each line",
            f"jq -c '.[]' {path} > {path.stem}.jsonl",
        )
    encoding, unsure = _encoding(path, compressed)
    return FileKind("jsonl" if text.startswith(b"{") else "csv", compressed, encoding, unsure)


def _encoding(path: Path, compressed: bool) -> tuple[str, str]:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with opened(path, compressed) as binary:
        try:
            for chunk in _chunks(binary):
                decoder.decode(chunk)
            decoder.decode(b"", True)
            return "utf-8", ""
        except UnicodeDecodeError:
            binary.seek(0)
        windows = not any(byte in chunk for chunk in _chunks(binary) for byte in _NOT_WINDOWS)
    encoding = "windows-1252" if windows else "iso-8859-1"
    return encoding, f"not UTF-8, so taken as {encoding}: look whether letters beyond a to z are right"


def opened(path: Path, compressed: bool) -> IO[bytes]:
    """The file's bytes, without their compression."""
    return cast(IO[bytes], gzip.open(path, "rb")) if compressed else path.open("rb")


def _chunks(binary: IO[bytes]) -> Iterator[bytes]:
    return iter(lambda: binary.read(CHUNK), b"")
