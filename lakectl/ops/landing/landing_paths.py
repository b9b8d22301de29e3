"""What a person named → the files that are meant."""

from __future__ import annotations

import glob
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from lakectl.errors import UsageError

STDIN = Path("-")


def expand(paths: Sequence[Path], endings: Sequence[str]) -> list[Path]:
    """Files in the order given; a folder's files with these ``endings`` and a pattern's matches sorted by name; none
    twice.

    Raises :class:`UsageError` for a folder or a pattern that names no file.
    """
    found: dict[Path, Path] = {}
    for path in paths:
        for each in _expand(path, tuple(endings)):
            found.setdefault(each.resolve(), each)
    return list(found.values())


def _expand(path: Path, endings: tuple[str, ...]) -> list[Path]:
    if path.is_dir():
        files = sorted(each for each in path.iterdir() if each.name.endswith(endings) and each.is_file())
        if not files:
            raise UsageError(f"{path}/ holds no file that ends with {' or '.join(endings)}")
        return files
    if path.exists() or not glob.has_magic(str(path)):
        return [path]
    files = [Path(name) for name in sorted(glob.glob(str(path), recursive=True))]  # noqa: PTH207 - may be absolute
    if not files:
        raise UsageError(f"no file matches {path}")
    return [file for file in files if file.is_file()]


def spool(stream: IO[bytes], folder: Path) -> Path:
    """Standard input on disk, where it can be checked before it is sent, and read again."""
    target = folder / "stdin"
    with target.open("wb") as out:
        shutil.copyfileobj(stream, out, 1 << 20)
    return target
