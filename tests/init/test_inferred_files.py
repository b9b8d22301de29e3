"""How files are written: format, delimiter, quote, encoding, compression, names of columns, parts of a data set."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from inferring import Inferred, inferred_from, write

from lakectl.errors import UsageError
from lakectl.spec.model import FileFormat

Infer = Callable[..., Inferred]
PLAIN = "id,name\n1,Ada\n2,Bob\n"
WIDE = ",".join(f"c{n}" for n in range(1001)) + "\n" + ",1" * 1000 + "\n"
LATIN = "id;name\n1;Björn\n2;Zoë\n".encode("cp1252")


@pytest.mark.parametrize(
    ("name", "content", "form"),
    [
        ("a.csv", PLAIN, FileFormat()),
        ("a.csv", b"\xef\xbb\xbf" + PLAIN.encode(), FileFormat()),
        ("a.csv", PLAIN.replace("\n", "\r\n"), FileFormat()),
        ("a.csv", PLAIN.replace(",", ";"), FileFormat(delimiter=";")),
        ("a.tsv", PLAIN.replace(",", "\t"), FileFormat(delimiter="\t")),
        ("a.txt", PLAIN.replace(",", "|"), FileFormat(delimiter="|")),
        ("a.csv", "id,name\n1,'Ada, L.'\n2,'Bob, M.'\n", FileFormat(quote="'")),
        ("a.csv", 'id,name\n1,"Ada ""L."", x"\n2,Bob\n', FileFormat()),
        ("a.csv", "id,name\n1,Björn\n2,Zoë\n".encode("cp1252"), FileFormat(encoding="windows-1252")),
        ("a.csv", "id,name\n1,a\x81\n2,Zoë\n".encode("latin-1"), FileFormat(encoding="iso-8859-1")),
        ("a.csv.gz", gzip.compress(PLAIN.encode(), mtime=0), FileFormat()),
        ("a.csv.gz", gzip.compress(LATIN, mtime=0), FileFormat(delimiter=";", encoding="windows-1252")),
        ("a.jsonl", '{"id": 1, "name": "Ada"}\n{"id": 2, "name": null}\n', FileFormat("jsonl")),
        ("a.ndjson.gz", gzip.compress(b'{"id": 1, "name": "Ada"}\n{"id": 2}\n', mtime=0), FileFormat("jsonl")),
    ],
)  # fmt: skip
def test_how_a_file_is_written(infer: Infer, name: str, content: str | bytes, form: FileFormat) -> None:
    found = infer({name: content})
    assert found.only.file == form
    assert found.types == {"id": "bigint", "name": "string"}
    assert found.only.keys == ("id",)


def test_names_are_cleaned_and_the_files_own_is_kept(infer: Infer) -> None:
    found = infer(
        {"a.csv": "Order ID,Größe (mm),ORDER_DATE,2nd,group,batch\n1,2,2024-01-01,x,y,z\n2,3,2024-01-02,x,y,z\n"}
    )
    assert {column.name: column.header for column in found.only.columns} == {
        "order_id": "Order ID",
        "grosse_mm": "Größe (mm)",
        "order_date": "",
        "c_2nd": "2nd",
        "group_": "group",
        "batch_": "batch",
    }


def test_types_that_parquet_states(tmp_path: Path) -> None:
    path = tmp_path / "rides.parquet"
    duckdb.sql(
        "SELECT i::BIGINT AS ride_id, i::SMALLINT AS seats, (i / 4)::DOUBLE AS km, (i * 1.25)::DECIMAL(10,2) AS fare, "
        "i % 2 = 0 AS paid, DATE '2024-01-01' + i::INT AS day, TIMESTAMP '2024-01-01 10:00:00' AS started, "
        "'z' || i AS zone FROM range(50) t(i)"
    ).write_parquet(str(path))
    found = inferred_from(str(path))
    assert found.only.file == FileFormat("parquet")
    assert found.types == {
        "ride_id": "bigint",
        "seats": "int",
        "km": "double",
        "fare": "decimal(10,2)",
        "paid": "boolean",
        "day": "date",
        "started": "timestamp",
        "zone": "string",
    }


def test_types_of_json_are_the_files_own_and_dates_are_found(infer: Infer) -> None:
    rows = [
        {"id": 1, "year": "1565", "at": "2024-01-01T10:00:00Z", "price": 1.5, "ok": True, "qty": 3},
        {"id": 2, "year": "1570", "at": "2024-01-02T10:00:00Z", "price": 2, "ok": False, "qty": None},
    ]
    found = infer({"a.jsonl": "\n".join(map(json.dumps, rows))})
    assert found.types == {
        "id": "bigint", "year": "string", "at": "timestamp", "price": "double", "ok": "boolean", "qty": "int",
    }  # fmt: skip
    assert "decimal(18,2), if these are amounts of money" in found.notes


def test_a_nested_field_is_left_out_and_said(infer: Infer) -> None:
    found = infer({"a.jsonl": '{"id": 1, "tags": ["x"], "who": {"a": 1}}\n{"id": 2, "tags": []}\n'})
    assert found.types == {"id": "bigint"}
    assert "tags is left out: a list, not a value" in found.yaml
    assert "who is left out: an object, not a value" in found.yaml
    assert "\nschema_evolution: ignore" in found.yaml


def test_what_land_refuses_is_said(tmp_path: Path) -> None:
    (path,) = write(tmp_path, {"a.csv": 'id,name\n1,"Ada\nL."\n2,Bob\n'})
    found = inferred_from(str(path), refused="a quote has no partner on its line")
    assert f"`lakectl land` refuses {path}:2: a quote" in found.yaml.replace("\n  # ", " ")


def test_a_parquet_file_with_a_nested_column_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    duckdb.sql("SELECT 1 AS id, [1, 2] AS tags").write_parquet(str(path))
    with pytest.raises(UsageError, match=r"a.parquet: tags: its type is INTEGER\[\]: only plain values are read"):
        inferred_from(str(path))


@pytest.mark.parametrize(
    "names",
    [
        ("rides-2024-01.csv", "rides-2024-02.csv"),
        ("rides_20240131.csv", "rides_20240201.csv.gz"),
        ("rides-1.csv", "rides-2.csv"),
        ("rides/part-00000-1b2c.csv", "rides/part-00001-1b2c.csv"),
        ("jan/rides.csv", "feb/rides.csv"),
    ],
)
def test_parts_of_one_data_set_are_one_source(infer: Infer, names: tuple[str, str]) -> None:
    bodies = ["id,name\n1,Ada\n2,Bob\n", "name,id\nCleo,3\nDan,4\n"]
    files = {
        name: gzip.compress(body.encode()) if name.endswith(".gz") else body
        for name, body in zip(names, bodies, strict=True)
    }
    found = infer(files)
    assert list(found.specs) == ["rides"]
    assert found.drafts["rides"].rows == 4
    assert found.only.keys == ("id",)


def test_a_number_alone_is_part_of_a_name(infer: Infer) -> None:
    assert list(infer({"form10.csv": PLAIN}).specs) == ["form10"]


def test_files_with_other_columns_are_sources_of_their_own(infer: Infer) -> None:
    found = infer({"rides-2023.csv": PLAIN, "rides-2024.csv": "id,name,zone\n1,Ada,x\n2,Bob,y\n"})
    assert list(found.specs) == ["rides", "rides_2024"]


def test_a_key_that_is_unique_in_each_file_only(infer: Infer) -> None:
    found = infer({"t-1.csv": "place,heat\n1,x\n2,x\n", "t-2.csv": "place,heat\n1,y\n2,y\n"})
    assert found.only.keys == ("place", "heat")
    assert "place is unique in each file, not in all: is it the key?" in found.notes


def test_folders_patterns_and_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"d/a.csv": PLAIN, "d/notes.md": "no data", "e/x1.csv": PLAIN, "e/x2.csv": PLAIN})
    monkeypatch.chdir(tmp_path)
    assert list(inferred_from("d", "trips=e/*.csv").specs) == ["a", "trips"]


@pytest.mark.parametrize(
    ("files", "given", "says"),
    [
        ({}, ["none.csv"], "no file at none.csv"),
        ({}, ["*.csv"], "no file matches *.csv"),
        ({"d/readme.md": "x"}, ["d"], "d holds no CSV, JSON Lines or Parquet file"),
        ({"a.csv": ""}, ["a.csv"], "a.csv is empty: 0 bytes"),
        ({"a.csv": " \n\n"}, ["a.csv"], "a.csv is empty: nothing but white space"),
        ({"a.csv": "id,name\n"}, ["a.csv"], "a.csv: only a header, no rows"),
        ({"a.csv": b"\x89PNG\r\n\x1a\n\x00\x00"}, ["a.csv"], "a.csv is a binary file"),
        ({"a.csv": b"PK\x03\x04abc"}, ["a.csv"], "a.csv is a zip archive or a spreadsheet"),
        ({"a.csv": "id,name\n1,x\n".encode("utf-16")}, ["a.csv"], "a.csv is UTF-16 text"),
        ({"a.csv.gz": gzip.compress(PLAIN.encode())[:-6]}, ["a.csv.gz"], "a.csv.gz: not a whole gzip file"),
        ({"a.csv": "???,id\n1,2\n"}, ["a.csv"], "a.csv: column 1 is called '???'; a name needs a letter or digit"),
        ({"a.csv": "id,,x\n1,2,3\n"}, ["a.csv"], "a.csv: column 2 has no name"),
        ({"a.csv": "a\u00a0b,c\n1,2\n"}, ["a.csv"], "a.csv: column 1 is called 'a\\xa0b'; expected one line"),
        ({"a.csv": WIDE}, ["a.csv"], "a.csv: 1,001 columns; at most 1,000 are allowed"),
        ({"a.csv": "A b,a_b\n1,2\n"}, ["a.csv"], "a.csv: the columns 'A b' and 'a_b' would both be called a_b"),
        ({"a.csv": "id,name\n1,x\n2,y,z\n3,w\n"}, ["a.csv"], "a.csv:3: 3 values, expected 2 as in the header: 2,y,z"),
        ({"a.csv": "1,foo,2.5\n2,bar,3.5\n"}, ["a.csv"], "a.csv:1: no header, but data: 1,foo,2.5"),
        ({"a.csv": "My report\n\nid,name\n1,x\n"}, ["a.csv"], "a.csv:3: 2 values, expected 1 as in the header"),
        ({"a.csv": "# made by x\nid,name\n1,x\n2,y\n"}, ["a.csv"], "a.csv:2: 2 values, expected 1 as in the header"),
        ({"a.csv": '1,"x\\"y, z"\n2,"z"\n'}, ["a.csv"], "inside quotes a quote must be doubled"),
        ({"a.json": '[\n{"id": 1}]'}, ["a.json"], "a.json is one JSON array, not JSON Lines"),
        ({"a.jsonl": '{"id": 1}\n{"id": \n'}, ["a.jsonl"], "a.jsonl: Malformed JSON"),
        ({"a.jsonl": '{"id": 1}\n[2]\n'}, ["a.jsonl"], "a.jsonl: value 2 is no JSON object: [2]"),
        ({"a.jsonl": "{}\n{}\n"}, ["a.jsonl"], "a.jsonl: its objects have no fields"),
        ({"a.parquet": b"PAR1" + b"x" * 50}, ["a.parquet"], "a.parquet: "),
        ({"日本.csv": PLAIN}, ["日本.csv"], "日本.csv: no name of a source"),
        ({"a.csv": PLAIN, "a.jsonl": '{"id": 1, "name": "x"}\n'}, ["a.csv", "a.jsonl"], "would both be the source a"),
        ({"a1.csv": PLAIN, "a2.csv": PLAIN.replace(",", ";")}, ["a1.csv", "a2.csv"], "is written with delimiter ';'"),
    ],
)  # fmt: skip
def test_a_file_that_cant_be_used_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str | bytes], given: list[str], says: str
) -> None:
    write(tmp_path, files)
    monkeypatch.chdir(tmp_path)
    if given == ["日本.csv"]:
        (tmp_path / "日").mkdir()
        (tmp_path / "日本.csv").rename(tmp_path / "日/日本.csv")
        given = ["日/日本.csv"]
    with pytest.raises(UsageError) as refused:
        inferred_from(*given)
    assert says in refused.value.message
    assert "\n" not in refused.value.message


def test_a_folder_called_like_a_file_and_a_link_to_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").mkdir()
    (tmp_path / "b.csv").symlink_to("nowhere")
    for name, says in (("a.csv", "a.csv holds no CSV"), ("b.csv", "no file at b.csv")):
        with pytest.raises(UsageError, match=says):
            inferred_from(name)


def test_without_duckdb_one_line_says_what_to_install(infer: Infer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "duckdb", None)
    with pytest.raises(UsageError, match="needs DuckDB") as refused:
        infer({"a.csv": PLAIN})
    assert refused.value.hint == "pip install 'lakectl[local]'"
