"""The grammar of landing keys: what is built is read back, for any source and any prefix; nothing else is read."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakectl.core.landing_key import (
    LAST_BATCH,
    NO_SOURCE,
    LandingKey,
    file_endings,
    file_name,
    folder_of,
    form_of,
    numbered,
    parse,
    source_of,
)
from lakectl.spec.model import FileFormat

SEGMENTS = st.text(min_size=1).filter(lambda text: "/" not in text)
PREFIXES = st.text(max_size=20)
BATCHES = st.one_of(st.just(""), st.integers(0, LAST_BATCH).map(numbered))


@given(PREFIXES, SEGMENTS, st.dates(), SEGMENTS, BATCHES)
def test_what_is_built_is_read_back(prefix: str, source: str, day: date, file: str, batch: str) -> None:
    built = LandingKey(prefix, source, day, file, batch)
    assert parse(str(built), prefix) == built
    assert source_of(str(built), prefix) == source
    assert str(built).startswith(built.folder)
    assert built.folder == folder_of(prefix, source, day)


@given(st.text(), PREFIXES)
def test_what_is_read_is_built_back(key: str, prefix: str) -> None:
    read = parse(prefix + key, prefix)
    assert read is None or str(read) == prefix + key


@given(PREFIXES.filter(bool), SEGMENTS, st.dates())
def test_a_key_below_another_prefix_is_no_landing(prefix: str, source: str, day: date) -> None:
    key = str(LandingKey("", source, day, "file"))
    assert key.startswith(prefix) or parse(key, prefix) is None


@pytest.mark.parametrize(
    "below",
    [
        "",
        "rides",
        "rides/",
        "rides/rides.csv",
        "rides/ingest_date=2026-11-24/",
        "rides/ingest_date=2026-02-30/rides.csv",
        "rides/ingest_date=0000-01-01/rides.csv",
        "rides/ingest_date=2026-1-1/rides.csv",
        "rides/ingest_date=٢٠٢٦-11-24/rides.csv",
        "rides/ingest_date=2026-11-24/batch=1/rides.csv",
        "rides/ingest_date=2026-11-24/batch=00001/rides.csv",
        "rides/ingest_date=2026-11-24/batch=0001/deeper/rides.csv",
        "a/rides/ingest_date=2026-11-24/rides.csv",
        "/ingest_date=2026-11-24/rides.csv",
        "rides/Ingest_Date=2026-11-24/rides.csv",
    ],
)
def test_other_forms_are_not_read(below: str) -> None:
    assert parse(f"lake/{below}", "lake/") is None


def test_an_object_directly_below_the_prefix_has_no_source() -> None:
    assert source_of("lake/rides.csv", "lake/") == NO_SOURCE


@pytest.mark.parametrize(
    ("file", "endings"),
    [
        (FileFormat(), (".csv", ".csv.gz")),
        (FileFormat(compression="none"), (".csv",)),
        (FileFormat(compression="gzip"), (".csv.gz",)),
        (FileFormat(format="jsonl"), (".jsonl", ".jsonl.gz")),
        (FileFormat(format="jsonl", compression="gzip"), (".jsonl.gz",)),
        (FileFormat(format="parquet"), (".parquet",)),
    ],
)
def test_a_source_has_the_file_endings_of_its_format(file: FileFormat, endings: tuple[str, ...]) -> None:
    assert file_endings(file) == endings
    for ending in (".csv", ".csv.gz", ".jsonl", ".jsonl.gz", ".parquet"):
        compressed, plain = ending.endswith(".gz"), ending.removesuffix(".gz")
        if ending in endings:
            assert file_name("rides", file, compressed=compressed) == f"rides{ending}"
            assert f"rides{ending}" in form_of("rides", file)
        elif plain == f".{file.format}":
            with pytest.raises(ValueError, match=re.escape(f"not with {ending}")):
                file_name("rides", file, compressed=compressed)


def test_batches_have_four_digits() -> None:
    assert (numbered(0), numbered(LAST_BATCH)) == ("0000", "9999")
    with pytest.raises(ValueError, match="10000 is no batch number"):
        numbered(LAST_BATCH + 1)
