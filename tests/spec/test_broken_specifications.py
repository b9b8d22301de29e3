"""What can't be a specification, and the one line that says so."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from lakectl import config
from lakectl.errors import UsageError
from lakectl.spec import parsing, yaml_items
from lakectl.spec.model import LakeSpec

# Sources that the cases below change or add to. `rides` begins in line 10.
LAKE = """\
sources:
  companies:
    keys: [company_id]
    columns: {company_id: string, city: string}
  drivers:
    keys: [driver_id]
    columns: {driver_id: bigint, company_id: string, licence: decimal(10,2)}
    lookups:
      companies: {on: company_id, take: [city]}
  rides:
    keys: [ride_id]
    columns:
      ride_id: bigint
      started_at: timestamp
      driver_id: int
      fare: double
"""


def parse(text: str) -> LakeSpec:
    def none() -> yaml_items.Item:
        raise AssertionError("the text has sources of its own")

    return parsing.parse_lake(yaml_items.load(text, "lake.yaml"), none)


def rides(lines: str) -> str:
    return LAKE + "".join(f"    {line}\n" for line in dedent(lines).strip().splitlines())


# (name, YAML, the line that is expected, the hint)
BROKEN: list[tuple[str, str, str, str | None]] = [
    (
        "no sources",
        "name: x\nsources:\n",
        "lake.yaml:2: sources: no sources; expected at least one",
        "leave `sources:` out for the tutorial's, or type: lakectl source add FILE",
    ),
    (
        "a key twice",
        LAKE + "sources: {}\n",
        "lake.yaml:17: the key 'sources' is given twice; first in line 1",
        None,
    ),
    (
        "a column twice",
        "sources:\n  a:\n    keys: [x]\n    columns:\n      x: int\n      x: bigint\n",
        "lake.yaml:6: the key 'x' is given twice; first in line 5",
        None,
    ),
    (
        "two sources that differ in case",
        "sources:\n  a: {keys: [x], columns: {x: int}}\n  A: {keys: [x], columns: {x: int}}\n",
        "lake.yaml:3: sources.A: 'A' and 'a' differ only in case; names are compared without case",
        None,
    ),
    (
        "two columns that differ in case",
        "sources:\n  a:\n    keys: [x]\n    columns:\n      Order_ID: int\n      order_id: int\n",
        "lake.yaml:6: sources.a.columns.order_id: 'order_id' and 'Order_ID' differ only in case; names are compared "
        "without case",
        None,
    ),
    (
        "a source's name",
        "sources:\n  my-source: {keys: [x], columns: {x: int}}\n",
        "lake.yaml:2: sources.my-source: 'my-source' can't name a source: expected letters, digits and '_', a letter "
        "first, at most 100 characters",
        None,
    ),
    (
        "a column's name",
        "sources:\n  a: {keys: [x], columns: {x: int, unit price: int}}\n",
        "lake.yaml:2: sources.a.columns.unit price: 'unit price' can't name a column: expected letters, digits and "
        "'_', no digit first, at most 128 characters",
        "write unit_price: {type: …, header: 'unit price'}",
    ),
    (
        "a long column's name",
        f"sources:\n  a: {{keys: [x], columns: {{x: int, {'y' * 129}: int}}}}\n",
        f"lake.yaml:2: sources.a.columns.{'y' * 129}: '{'y' * 129}' can't name a column: expected letters, digits and "
        "'_', no digit first, at most 128 characters",
        f"write {'y' * 128}: {{type: …, header: '{'y' * 129}'}}",
    ),
    (
        "a reserved word",
        "sources:\n  a: {keys: [x], columns: {x: int, Order: int}}\n",
        "lake.yaml:2: sources.a.columns.Order: 'Order' can't name a column: it is a reserved word of Athena",
        "write order_: {type: …, header: 'Order'}",
    ),
    (
        "the program's prefix",
        "sources:\n  a: {keys: [x], columns: {x: int, _lake_file: string}}\n",
        "lake.yaml:2: sources.a.columns._lake_file: '_lake_file' can't name a column: names that begin with _lake_ are "
        "the program's own",
        "write lake_file: {type: …, header: '_lake_file'}",
    ),
    (
        "a folder of the landing",
        "sources:\n  a: {keys: [x], columns: {x: int, batch: string}}\n",
        "lake.yaml:2: sources.a.columns.batch: 'batch' can't name a column: it is a folder of each landing's key "
        "(ingest_date, batch)",
        "write batch_: {type: …, header: 'batch'}",
    ),
    (
        "a type",
        "sources:\n  a: {keys: [x], columns: {x: integer}}\n",
        "lake.yaml:2: sources.a.columns.x: 'integer' is not a type; expected bigint, int, double, boolean, date, "
        "timestamp, string or decimal(p,s)",
        None,
    ),
    (
        "a decimal of too many digits",
        "sources:\n  a: {keys: [x], columns: {x: 'decimal(39,2)'}}\n",
        "lake.yaml:2: sources.a.columns.x: 'decimal(39,2)' is not a type; decimal(p,s) has 1 to 38 digits, s of them "
        "behind the mark",
        None,
    ),
    (
        "no columns",
        "sources:\n  a:\n    keys: [x]\n",
        "lake.yaml:2: sources.a: no columns; expected columns: {NAME: TYPE, …}",
        None,
    ),
    (
        "an unknown column in a key",
        "sources:\n  a:\n    keys: [Foo]\n    columns: {fop: int, b: int}\n",
        "lake.yaml:3: sources.a.keys: 'Foo' is not a column of a; columns: fop, b",
        "did you mean 'fop'?",
    ),
    (
        "upsert without keys",
        "sources:\n  a:\n    columns: {x: int}\n",
        "lake.yaml:2: sources.a: no keys: an upsert source needs them, for example keys: [x]",
        "a source whose rows have no key is written with loading: append",
    ),
    (
        "snapshot without keys",
        "sources:\n  a:\n    loading: snapshot\n    columns: {x: int}\n",
        "lake.yaml:2: sources.a: no keys: a snapshot source needs them, for example keys: [x]",
        "a source whose rows have no key is written with loading: append",
    ),
    (
        "append with keys",
        "sources:\n  a:\n    loading: append\n    keys: [x]\n    columns: {x: int}\n",
        "lake.yaml:4: sources.a.keys: an append source has no keys: a row is known by its file and line",
        "take the keys out, or write loading: upsert at sources.a",
    ),
    (
        "an unknown key of a source",
        rides("partitioned_by: [day(started_at)]"),
        "lake.yaml:17: sources.rides.partitioned_by: unknown key; did you mean 'partition_by'?",
        None,
    ),
    (
        "a word for a flag",
        rides("starts_run: maybe"),
        "lake.yaml:17: sources.rides.starts_run: 'maybe' is not allowed; expected true or false",
        None,
    ),
    (
        "an option that the format doesn't have",
        rides("file: {format: parquet, delimiter: ';'}"),
        "lake.yaml:17: sources.rides.file.delimiter: parquet files have no delimiter; options of parquet: none",
        None,
    ),
    (
        "a delimiter",
        rides("file: {delimiter: '||'}"),
        "lake.yaml:17: sources.rides.file.delimiter: '||' is not allowed; expected one character such as ',', ';', '|' "
        'or "\\t"',
        None,
    ),
    (
        "an encoding",
        rides("file: {encoding: utf-16}"),
        "lake.yaml:17: sources.rides.file.encoding: 'utf-16' is not allowed; expected utf-8, iso-8859-1, iso-8859-2, "
        "iso-8859-15, windows-1250, windows-1251, windows-1252, koi8-r",
        None,
    ),
    (
        "a format of a number",
        "sources:\n  a:\n    keys: [x]\n    columns:\n      x: {type: int, format: dd/MM/yyyy}\n",
        "lake.yaml:5: sources.a.columns.x.format: a column of type int has no format; only date and timestamp columns "
        "have",
        None,
    ),
    (
        "a pattern",
        "sources:\n  a:\n    keys: [x]\n    columns:\n      x: {type: date, format: DD/MM/YYYY}\n",
        "lake.yaml:5: sources.a.columns.x.format: 'DD/MM/YYYY': 'DD' is not supported; allowed: yyyy yy uuuu uu M MM "
        "MMM d dd H HH h hh a m mm s ss S… X XX XXX x xx xxx Z, and text in '…'",
        None,
    ),
    (
        "an hour in a date",
        "sources:\n  a:\n    keys: [x]\n    columns:\n      x: {type: date, format: yyyy-MM-dd HH}\n",
        "lake.yaml:5: sources.a.columns.x.format: 'yyyy-MM-dd HH': a date has no hour; make the column a timestamp",
        None,
    ),
    (
        "a time zone",
        "sources:\n  a:\n    keys: [x]\n    columns:\n      x: {type: timestamp, zone: Europe/Viena}\n",
        "lake.yaml:5: sources.a.columns.x.zone: 'Europe/Viena' is not a time zone; did you mean 'Europe/Vienna'?",
        None,
    ),
    (
        "two columns of one header",
        "sources:\n  a:\n    keys: [x]\n    columns: {x: int, y: {type: int, header: X}}\n",
        "lake.yaml:4: sources.a.columns: x and y have the same header 'X'",
        None,
    ),
    (
        "a lookup of an unknown source",
        rides("lookups: {driver: {on: driver_id, take: [city]}}"),
        "lake.yaml:17: sources.rides.lookups.driver: 'driver' is not a source; sources: companies, drivers, rides",
        "did you mean 'drivers'?",
    ),
    (
        "a lookup by an unknown column",
        rides("lookups: {drivers: {on: driver, take: [city]}}"),
        "lake.yaml:17: sources.rides.lookups.drivers.on: 'driver' is not a column of rides; columns: ride_id, "
        "started_at, driver_id, fare",
        "did you mean 'driver_id'?",
    ),
    (
        "a lookup that takes an unknown column",
        rides("lookups: {drivers: {on: driver_id, take: [town]}}"),
        "lake.yaml:17: sources.rides.lookups.drivers.take: 'town' is not a column of drivers; columns: driver_id, "
        "company_id, licence, city",
        "a column of the files is added at sources.drivers.columns",
    ),
    (
        "a lookup by a column of another type",
        rides("lookups: {companies: {on: ride_id, take: [city]}}"),
        "lake.yaml:17: sources.rides.lookups.companies.on: 'ride_id' is bigint, but the key company_id of companies is "
        "string; both must be of one type",
        None,
    ),
    (
        "a lookup by too many columns",
        rides("lookups: {drivers: {on: [driver_id, ride_id], take: [city]}}"),
        "lake.yaml:17: sources.rides.lookups.drivers.on: 2 columns; expected one for each key of drivers, in this "
        "order: driver_id",
        None,
    ),
    (
        "a lookup that takes a name that is there",
        rides("lookups: {drivers: {on: driver_id, take: [{city: Fare}]}}"),
        "lake.yaml:17: sources.rides.lookups.drivers.take.city: 'Fare' is a column of rides already; choose another "
        "name",
        "take: [{theirs: ours}] renames",
    ),
    (
        "a lookup into append",
        "sources:\n  p: {loading: append, columns: {x: int}}\n"
        "  a: {keys: [x], columns: {x: int}, lookups: {p: {on: x, take: [x]}}}\n",
        "lake.yaml:3: sources.a.lookups.p: p has loading: append and so no keys; only a source with keys can be looked "
        "up",
        None,
    ),
    (
        "a source that looks up itself",
        rides("lookups: {rides: {on: ride_id, take: [{fare: first_fare}]}}"),
        "lake.yaml:17: sources.rides.lookups.rides: rides looks up itself; a lookup takes columns of another source",
        None,
    ),
    (
        "a cycle of lookups",
        LAKE.replace("companies:\n    keys", "companies:\n    lookups: {rides: {on: city, take: [fare]}}\n    keys", 1)
        + "    lookups: {drivers: {on: driver_id, take: [city]}}\n",
        "lake.yaml:3: sources.companies.lookups.rides: a cycle of lookups: companies looks up rides, rides looks up "
        "drivers, drivers looks up companies",
        None,
    ),
    (
        "a derived column over an unknown one",
        rides('derive: {cents: {type: double, sql: "far * 100"}}'),
        "lake.yaml:17: sources.rides.derive.cents.sql: 'far' is not a column of rides; columns: ride_id, started_at, "
        "driver_id, fare",
        "did you mean 'fare'?",
    ),
    (
        "a derived column of another type",
        rides('derive: {cents: {type: bigint, sql: "fare * 100"}}'),
        "lake.yaml:17: sources.rides.derive.cents.sql: the expression is double, not bigint",
        "write CAST(… AS bigint)",
    ),
    (
        "a derived column with the name of another",
        rides('derive: {FARE: {type: double, sql: "fare * 100"}}'),
        "lake.yaml:17: sources.rides.derive.FARE: 'FARE' is a column of rides already; choose another name",
        "take: [{theirs: ours}] renames",
    ),
    (
        "no SQL",
        rides('derive: {cents: {type: double, sql: "fare *"}}'),
        "lake.yaml:17: sources.rides.derive.cents.sql: not SQL: an operand is missing",
        None,
    ),
    (
        "a check over an unknown column",
        rides('checks: {positive: {sql: "price > 0"}}'),
        "lake.yaml:17: sources.rides.checks.positive.sql: 'price' is not a column of rides; columns: ride_id, "
        "started_at, driver_id, fare",
        "a column of the files is added at sources.rides.columns",
    ),
    (
        "a check that is no predicate",
        rides('checks: {positive: {sql: "fare + 1"}}'),
        "lake.yaml:17: sources.rides.checks.positive.sql: the expression is double; expected a predicate, which is "
        "true or false",
        None,
    ),
    (
        "a subquery",
        rides('checks: {known: {sql: "driver_id IN (SELECT driver_id FROM drivers)"}}'),
        "lake.yaml:17: sources.rides.checks.known.sql: a subquery is not allowed; derived columns and checks see one "
        "row",
        None,
    ),
    (
        "an aggregate",
        rides('checks: {small: {sql: "fare < AVG(fare)"}}'),
        "lake.yaml:17: sources.rides.checks.small.sql: AVG is an aggregate; derived columns and checks see one row",
        None,
    ),
    (
        "a window",
        rides('checks: {small: {sql: "fare < lag(fare) OVER (ORDER BY ride_id)"}}'),
        "lake.yaml:17: sources.rides.checks.small.sql: a window or an aggregate is not allowed; derived columns and "
        "checks see one row",
        None,
    ),
    (
        "the present",
        rides('checks: {past: {sql: "started_at < now()"}}'),
        "lake.yaml:17: sources.rides.checks.past.sql: now gives another value each time; a derived column or check "
        "must not",
        None,
    ),
    (
        "an unknown function",
        rides('checks: {odd: {sql: "abbs(fare) > 1"}}'),
        "lake.yaml:17: sources.rides.checks.odd.sql: abbs is not a function that is known here; functions: lower, "
        "upper, trim, ltrim, rtrim, substr, length, concat, replace, strpos, starts_with, abs, round, floor, ceil, "
        "coalesce, nullif, year, quarter, month, week, day, day_of_week, hour, minute, second, date_trunc, date_add, "
        "date_diff",
        "did you mean abs?",
    ),
    (
        "a policy of a check of one's own",
        rides('checks: {positive: {sql: "fare > 0", otherwise: reject}}'),
        "lake.yaml:17: sources.rides.checks.positive.otherwise: 'reject' is not allowed; expected fail, quarantine, "
        "warn, ignore",
        None,
    ),
    (
        "a policy that a built-in check can't have",
        rides("checks: {null_keys: warn}"),
        "lake.yaml:17: sources.rides.checks.null_keys: 'warn' is not allowed; expected fail, quarantine",
        None,
    ),
    (
        "a built-in check with SQL",
        rides('checks: {numbers: {sql: "fare > 0"}}'),
        "lake.yaml:17: sources.rides.checks.numbers: numbers is a built-in check; write its policy: numbers: fail",
        None,
    ),
    (
        "a policy of no check",
        rides("checks: {number: warn}"),
        "lake.yaml:17: sources.rides.checks.number: no built-in check is called 'number'; did you mean 'numbers'?",
        "your own is number: {sql: …}",
    ),
    (
        "an old check of lookups",
        LAKE + "checks:\n  unknown_drivers: quarantine\n",
        "lake.yaml:18: checks.unknown_drivers: no built-in check is called 'unknown_drivers'; for the whole lake: "
        "broken_rows, null_keys, required, dates, numbers, booleans, duplicate_keys, empty_snapshot",
        "for a row that a lookup does not find: sources.SOURCE.lookups.NAME: {…, missing: POLICY}",
    ),
    (
        "an old check of one source",
        LAKE + "checks:\n  quantities: quarantine\n",
        "lake.yaml:18: checks.quantities: no built-in check is called 'quantities'; for the whole lake: broken_rows, "
        "null_keys, required, dates, numbers, booleans, duplicate_keys, empty_snapshot",
        "one of your own belongs to its source: sources.SOURCE.checks.quantities: {sql: …, otherwise: POLICY}",
    ),
    (
        "a partition by an unknown column",
        rides("partition_by: [day(started)]"),
        "lake.yaml:17: sources.rides.partition_by: 'started' is not a column of rides; columns: ride_id, started_at, "
        "driver_id, fare",
        "did you mean 'started_at'?",
    ),
    (
        "a partition of a wrong type",
        rides("partition_by: ['bucket(8, fare)']"),
        "lake.yaml:17: sources.rides.partition_by: 'bucket(8, fare)': fare is double; bucket takes int, bigint, "
        "decimal, date, timestamp, string",
        None,
    ),
    (
        "a bucket without a number",
        rides("partition_by: [bucket(driver_id)]"),
        "lake.yaml:17: sources.rides.partition_by: 'bucket(driver_id)': expected bucket(n, column)",
        None,
    ),
    (
        "an unknown transform",
        rides("partition_by: [days(started_at)]"),
        "lake.yaml:17: sources.rides.partition_by: 'days(started_at)' is not a transform; expected year(column), "
        "month(column), day(column), hour(column), bucket(n, column), truncate(n, column), identity(column) or a "
        "column",
        None,
    ),
    (
        "two transforms of one time",
        rides("partition_by: [day(started_at), hour(started_at)]"),
        "lake.yaml:17: sources.rides.partition_by: hour(started_at) and day(started_at) partition by the same column; "
        "keep one",
        None,
    ),
    (
        "what becomes of further columns",
        LAKE + "schema_evolution: replace\n",
        "lake.yaml:17: schema_evolution: 'replace' is not allowed; expected fail, ignore, add",
        None,
    ),
    (
        "a value that contains itself",
        "sources: &all\n  a: *all\n",
        "lake.yaml:1: this value contains itself",
        None,
    ),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "hint"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
def test_a_broken_specification_is_refused_in_one_line(text: str, line: str, hint: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert (caught.value.message, caught.value.hint) == (line, hint)


def test_there_are_at_least_thirty_and_the_lake_that_they_break_is_one() -> None:
    assert len(BROKEN) >= 30
    assert list(parse(LAKE).sources) == ["companies", "drivers", "rides"]


def test_a_config_refuses_what_its_specification_refuses_and_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "lake.yaml"
    path.write_text(LAKE + "    loading: often\n")
    with pytest.raises(UsageError) as caught:
        config.load(path, environ={})
    assert caught.value.message == (
        f"{path}:17: sources.rides.loading: 'often' is not allowed; expected upsert, snapshot, append"
    )
