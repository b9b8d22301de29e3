"""What a person named with ``--from`` -> the data sets that are meant: a name and its files."""

from __future__ import annotations

import glob
import re
from collections.abc import Sequence
from pathlib import Path

from lakectl.errors import UsageError
from lakectl.ops.init.names import data_set

SUFFIXES = tuple(
    f".{kind}{packed}"
    for kind in ("csv", "tsv", "psv", "txt", "jsonl", "ndjson", "json", "parquet", "pq")
    for packed in ("", ".gz")
)
_NAMED = re.compile(r"([a-z][a-z0-9_]*)=(.+)", re.DOTALL)


def data_sets(given: Sequence[str]) -> dict[str, list[Path]]:
    """Name of a source -> its files, in the order given. ``given``: files, folders and patterns, each with ``NAME=``
    before it where the name of the file is not to be the source's.

    Raises UsageError for a folder or a pattern without a file, and a file whose name has no name of a source in it.
    """
    named: dict[Path, tuple[str, Path]] = {}
    for text in given:
        name, wanted = _split(text)
        for file in _expand(wanted):
            named.setdefault(file.resolve(), (name, file))
    numbered = [data_set(path, numbered=True) for name, path in named.values() if not name]
    found: dict[str, list[Path]] = {}
    for given_name, path in named.values():
        name = given_name
        if not name:
            short = data_set(path, numbered=True)
            # A number alone says that files are parts only where there are several: form10.csv is no part.
            name = short if numbered.count(short) > 1 else data_set(path)
        if not name:
            raise UsageError(
                f"{path.name}: no name of a source (a to z, 0 to 9, _) can be made of it",
                f"name it: --from 'NAME={path}'",
            )
        found.setdefault(name, []).append(path)
    return found


def _split(text: str) -> tuple[str, str]:
    match = _NAMED.fullmatch(text)
    if match and not Path(text).exists():
        return match[1], match[2]
    return "", text


def _expand(text: str) -> list[Path]:
    path = Path(text).expanduser()
    if path.is_dir():
        files = sorted(each for each in path.iterdir() if each.name.lower().endswith(SUFFIXES) and each.is_file())
        if not files:
            raise UsageError(
                f"{text} holds no CSV, JSON Lines or Parquet file", f"known endings: {', '.join(SUFFIXES)}"
            )
        return files
    if path.exists() or not glob.has_magic(str(path)):
        return [path]
    matches = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207 - may be absolute
    files = [Path(name) for name in matches if Path(name).is_file()]
    if not files:
        raise UsageError(f"no file matches {text}")
    return files
