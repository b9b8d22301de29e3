"""Types of columns: what the values say for certain, else text with a comment."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from inferring import Inferred

from lakectl.ops.init import dates
from lakectl.spec import date_patterns

Infer = Callable[..., Inferred]


def column(infer: Infer, name: str, values: Sequence[str], delimiter: str = ",") -> tuple[dict[str, object], str]:
    """What is inferred of a column of these values in a CSV: (its options, the notes about it)."""
    lines = [f"row_id{delimiter}{name}", *(f"{number}{delimiter}{text}" for number, text in enumerate(values, 1))]
    found = infer({"rows.csv": "\n".join(lines) + "\n"})
    (inferred,) = (each for each in found.only.columns if each.name == name)
    options: dict[str, object] = {"type": inferred.type}
    if inferred.formats:
        options["format"] = inferred.formats if len(inferred.formats) > 1 else inferred.formats[0]
    if inferred.decimal_mark != ".":
        options["decimal_mark"] = inferred.decimal_mark
    (draft,) = found.drafts.values()
    return options, "\n".join(draft.notes.get(f"columns.{name}", []))


@pytest.mark.parametrize(
    ("name", "values", "options"),
    [
        ("qty", ["1", "2", "-3"], {"type": "int"}),
        ("customer_id", ["1", "2", "3"], {"type": "bigint"}),
        ("bytes", ["1", "5000000000"], {"type": "bigint"}),
        ("weight", ["1", "2.5", "1e3"], {"type": "double"}),
        ("price", ["1.50", "12.00", "3.99"], {"type": "decimal(18,2)"}),
        ("flag", ["true", "False", ""], {"type": "boolean"}),
        ("flag", ["yes", "no", "Yes"], {"type": "boolean"}),
        ("flag", ["Y", "N", "Y"], {"type": "boolean"}),
        ("grade", ["Y", "Y", "Y"], {"type": "string"}),
        ("day", ["2024-01-31", "2024-02-01"], {"type": "date"}),
        ("day", ["31/01/2024", "01/02/2024"], {"type": "date", "format": "dd/MM/yyyy"}),
        ("day", ["01/31/2024", "02/01/2024"], {"type": "date", "format": "MM/dd/yyyy"}),
        ("day", ["31.1.2024", "1.2.2024"], {"type": "date", "format": "d.M.yyyy"}),
        ("day", ["Jan 1 2000", "Feb 11 2000"], {"type": "date", "format": "MMM d yyyy"}),
        ("day", ["20240131", "20240201"], {"type": "date", "format": "yyyyMMdd"}),
        ("at", ["2024-01-31T12:30:00Z", "2024-02-01 08:00:00.5"], {"type": "timestamp"}),
        ("at", ["2024/01/31 12:30", "2024/02/01 08:00"], {"type": "timestamp", "format": "yyyy/MM/dd HH:mm"}),
        ("at", ["1/31/2024 1:05 PM", "12/1/2024 11:59 AM"], {"type": "timestamp", "format": "M/d/yyyy h:mm a"}),
        ("day", ["2024-01-31", "13/02/2024"], {"type": "date", "format": ("yyyy-MM-dd", "dd/MM/yyyy")}),
        ("name", ["Ada", "Björn"], {"type": "string"}),
    ],
)
def test_a_type_that_reads_every_value(infer: Infer, name: str, values: list[str], options: dict[str, object]) -> None:
    assert column(infer, name, values)[0] == options


@pytest.mark.parametrize(
    ("name", "values", "options", "note"),
    [
        ("area", ["007", "012"], {"type": "string"}, "007 as a number would lose its zeros"),
        ("phone", ["4930123456", "4930123457"], {"type": "string"}, "bigint if these are numbers"),
        ("zip_code", ["10115", "20095"], {"type": "string"}, "bigint if these are numbers"),
        ("number", ["1" * 20, "2" * 20], {"type": "string"}, "more digits than a bigint has"),
        ("weight", ["1.234", "2.500"], {"type": "double"}, '1.234 can be read in two ways: here "." is the decimal'),
        ("active", ["1", "0"], {"type": "int"}, "boolean, if 1 and 0 mean yes and no"),
        ("day", ["01/02/2024", "01/02/2024"], {"type": "date", "format": "dd/MM/yyyy"}, "unsure: every value can be"),
        ("day", ["13/02/2024", "02/13/2024"], {"type": "string"}, ""),
        ("born", ["12/05/87", "30/11/99"], {"type": "string"}, ""),
        ("due", ["12/05/21", "30/11/22"], {"type": "date", "format": "dd/MM/yy"}, "two digits is 2000 to 2099"),
        ("at", ["2024-01-31 12:30:00"], {"type": "timestamp"}, "UTC, where the file has no offset"),
        ("at", ["1/31/2024 1:05 PM"], {"type": "timestamp", "format": "M/d/yyyy h:mm a"}, "UTC, where the file has no"),
        ("price", ["1.50", "2.25"], {"type": "decimal(18,2)"}, "always two decimals"),
        ("created_at", ["1700000000", "1700000001"], {"type": "bigint"}, "since 1970?"),
        ("comment", ["", ""], {"type": "string"}, "no values in these files"),
        ("amount", [*map(str, range(60)), "lots"], {"type": "string"}, "nearly every value is a number"),
    ],
)  # fmt: skip
def test_what_is_unsure_is_said_at_the_column(
    infer: Infer, name: str, values: list[str], options: dict[str, object], note: str
) -> None:
    found, notes = column(infer, name, values)
    assert found == options
    assert note in notes


@pytest.mark.parametrize(
    ("values", "options", "note"),
    [
        (["1,5", "12,25", "3"], {"type": "double", "decimal_mark": ","}, ""),
        (["1,50", "12,25"], {"type": "decimal(18,2)", "decimal_mark": ","}, "always two decimals"),
        (["1.5", "2,5"], {"type": "double", "decimal_mark": "any"}, "written with a decimal point and with a comma"),
        (["1.234,50", "12,7"], {"type": "double", "decimal_mark": "any"}, ""),
        (["1,234", "2,500"], {"type": "string"}, '1,234 can be read in two ways; {type: double, decimal_mark: ","}'),
        (["1.234", "2,500", "7"], {"type": "string"}, "can be read in two ways"),
    ],
)
def test_decimal_marks(infer: Infer, values: list[str], options: dict[str, object], note: str) -> None:
    found, notes = column(infer, "amount", values, ";")
    assert found == options
    assert note in notes


def test_the_decimal_mark_of_one_column_settles_that_of_another(infer: Infer) -> None:
    found = infer({"rows.csv": "row_id;net;gross\n1;1,234;1,5\n2;2,500;2,25\n"})
    assert [column.decimal_mark for column in found.only.columns] == [".", ",", ","]
    assert 'net: {type: double, decimal_mark: ","}' in found.yaml


def test_a_decimal_mark_that_could_be_two_is_written_down(infer: Infer) -> None:
    assert 'net: {type: double, decimal_mark: "."}' in infer({"rows.csv": "row_id,net\n1,1.234\n2,2.500\n"}).yaml


def test_a_time_with_its_offset_leaves_nothing_open(infer: Infer) -> None:
    assert column(infer, "at", ["2024-01-31T12:30:00Z", "2024-02-01T12:30:00.5+02:00"]) == ({"type": "timestamp"}, "")


def test_every_pattern_that_is_tried_is_one_that_a_source_can_have() -> None:
    for day in dates.DATES:
        date_patterns.check(day, "date")
    for time in dates.TIMES:
        for offset in dates.OFFSETS:
            date_patterns.check(f"yyyy-MM-dd'T'{time}{offset}", "timestamp")


def test_the_order_of_rows_settles_day_and_month(infer: Infer) -> None:
    days = [f"{month:02d}/{day:02d}/2024" for month in range(1, 13) for day in range(1, 13)]
    found, notes = column(infer, "day", days)
    assert found == {"type": "date", "format": "MM/dd/yyyy"}
    assert "the month stands first: the rows are in that order" in notes


def test_another_column_settles_day_and_month(infer: Infer) -> None:
    found = infer({"rows.csv": "row_id,ordered,paid\n1,05/01/2024,01/25/2024\n2,03/02/2024,02/03/2024\n"})
    assert [column.formats for column in found.only.columns] == [(), ("MM/dd/yyyy",), ("MM/dd/yyyy",)]
    assert "the month stands first: as in another column of the file" in found.notes


def test_texts_that_mean_no_value(infer: Infer) -> None:
    found = infer({"rows.csv": "row_id,size,sex\n1,NA,NA\n2,3,f\n3,4,m\n"})
    assert found.only.file.nulls == ("NA",)
    assert found.types["size"] == "int"
    assert "the nulls mean no value in sex, too" in found.notes


def test_a_text_in_a_column_of_text_is_only_asked_about(infer: Infer) -> None:
    found = infer({"countries.csv": "code,name\nNA,Namibia\nDE,Germany\n"})
    assert found.only.file.nulls == ()
    assert "if 'NA' means no value: add it to file: {nulls: […]}" in found.notes
