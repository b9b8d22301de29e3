"""The files that are landed: the tutorial's."""

from __future__ import annotations

from pathlib import Path

from lakectl.errors import UsageError
from lakectl.ops.landing import sample_data
from lakectl.ops.landing.landing_file import LandingFile

BAD_VALUE = sample_data.LATE_ORDERS[-1].split(",")[1]  # a date that no calendar has
CORRECTED_ROWS = len(sample_data.CORRECTED_ORDERS)
BAD_SOURCE = "orders"


def first(folder: Path) -> list[Path]:
    """One file of each source. Raises :class:`UsageError`."""
    try:
        return sample_data.write_sample_data(folder)
    except OSError as error:
        raise UsageError(f"can't write {folder}: {error.strerror}") from None


def bad_and_corrected(folder: Path) -> tuple[Path, Path]:
    """A file with a row that is refused, and one with that row put right and another. Raises :class:`UsageError`."""
    try:
        return sample_data.write_late_orders(folder)
    except OSError as error:
        raise UsageError(f"can't write {folder}: {error.strerror}") from None


def unchecked(path: Path) -> LandingFile:
    """The bad file as another program would send it: `land` has refused it."""
    found = path.stat()
    return LandingFile(path, BAD_SOURCE, False, found.st_size, found.st_mtime_ns, str(path))
