"""What a changed specification means for tables that exist."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from spec.strategies import lake_specs, spec_of

from lakectl.spec import yaml_items
from lakectl.spec.evolution import Change, evolve
from lakectl.spec.model import LakeSpec

OLD = """
sources:
  zones:
    keys: [zone_id]
    columns: {zone_id: int, borough: string, fee: decimal(8,2)}
    derive: {label: {type: string, sql: "upper(borough)"}}
  rides:
    keys: [ride_id]
    columns: {ride_id: bigint, started_at: timestamp, zone_id: int, fare: double, note: string}
    lookups: {zones: {on: zone_id, take: [label, fee], missing: warn}}
    derive:
      cents: {type: double, sql: "fare * 100"}
      about: {type: string, sql: "label || '!'"}
    checks: {paid: {sql: "fare > 0", otherwise: warn}}
    partition_by: [day(started_at)]
"""


def lake(*replaced: tuple[str, str]) -> LakeSpec:
    text = OLD
    for old, new in replaced:
        assert old in text, old
        text = text.replace(old, new)
    plain: dict[str, Any] = yaml_items.load(text, "lake.yaml").value
    return spec_of(plain)


CHANGED: list[tuple[str, tuple[str, str], list[str]]] = [
    ("a column", ("note: string}", "note: string, tip: double}"), ["rides_silver: add tip double"]),
    ("a longer integer", ("zone_id: int, fare", "zone_id: bigint, fare"), [
        "rides_silver: zone_id int becomes bigint",
    ]),
    ("a wider decimal, where it is shown too", ("fee: decimal(8,2)", "fee: decimal(12,2)"), [
        "zones_silver: fee decimal(8,2) becomes decimal(12,2)",
        "rides_silver: fee decimal(8,2) becomes decimal(12,2)",
    ]),
    ("a column less", (", note: string", ""), ["rides_silver: note stays, and is NULL in new rows"]),
    ("a derived column more", ("      cents:", "      half: {type: double, sql: \"fare * 0.5\"}\n      cents:"), [
        "rides_silver: add half double",
        "rides_silver: compute half again in every row: fare * 0.5",
    ]),
    ("other SQL", ("fare * 100", "fare * 1000"), ["rides_silver: compute cents again in every row: fare * 1000"]),
    ("other SQL that is looked up and derived from", ("upper(borough)", "lower(borough)"), [
        "zones_silver: compute label again in every row: lower(borough)",
        "rides_silver: compute label again in every row: zones.label by zone_id",
        "rides_silver: compute about again in every row: label || '!'",
    ]),
    ("a looked-up column more", ("take: [label, fee]", "take: [label, fee, borough]"), [
        "rides_silver: add borough string",
        "rides_silver: compute borough again in every row: zones.borough by zone_id",
    ]),
    ("a looked-up column less", ("take: [label, fee]", "take: [label]"), [
        "rides_silver: fee stays, and is NULL in new rows",
    ]),
    ("partitions", ("[day(started_at)]", "[month(started_at), 'bucket(8, zone_id)']"), [
        "rides_silver: partition new files by month(started_at), bucket(8, zone_id) instead of day(started_at)",
    ]),
    ("a check", ("otherwise: warn", "otherwise: quarantine"), [
        "rides: paid judges rows from the next run on: fare > 0, otherwise quarantine",
    ]),
    ("a lookup's policy", ("missing: warn", "missing: fail"), [
        "rides: lookup zones judges rows from the next run on: missing: fail",
    ]),
    ("a format", ("started_at: timestamp", "started_at: {type: timestamp, format: dd/MM/yyyy HH:mm, zone: UTC}"), [
        "rides: files are read with started_at formats dd/MM/yyyy HH:mm instead of started_at formats none from now "
        "on; rows in silver stay",
    ]),
    ("the files", ("rides:\n    keys", "rides:\n    file: {delimiter: ';'}\n    keys"), [
        "rides: files are read with delimiter ; instead of delimiter , from now on; rows in silver stay",
    ]),
    ("a comment", ("note: string", "note: {type: string, description: words}"), [
        "rides_silver: another comment of note",
    ]),
    ("a source more", ("sources:\n", "sources:\n  pings: {loading: append, columns: {x: int}}\n"), [
        "pings_silver: new table",
    ]),
]  # fmt: skip

REFUSED: list[tuple[str, tuple[str, str], str]] = [
    ("a narrower type", ("ride_id: bigint", "ride_id: int"), "rides_silver: ride_id: bigint can't become int in place"),
    ("a type", ("note: string", "note: double"), "rides_silver: note: string can't become double in place"),
    ("another scale", ("decimal(8,2)", "decimal(9,3)"), "zones_silver: fee: decimal(8,2) can't become decimal(9,3)"),
    (
        "a key",
        ("keys: [ride_id]", "keys: [ride_id, zone_id]"),
        "rides_silver: keys: ride_id can't become ride_id, zone",
    ),
    (
        "the loading",
        ("keys: [ride_id]", "keys: [ride_id]\n    loading: snapshot"),
        "rides_silver: loading: upsert can't",
    ),
    (
        "a file's column that is computed",
        (", note: string}\n", "}\n"),
        "rides_silver: note came another way and can't be",
    ),
]


@pytest.mark.parametrize(("replaced", "expected"), [each[1:] for each in CHANGED], ids=[each[0] for each in CHANGED])
def test_what_can_be_done_in_place_is_listed(replaced: tuple[str, str], expected: list[str]) -> None:
    found = evolve(lake(), lake(replaced))
    assert [str(change) for change in found.changes] == expected
    assert found.refusals == ()


@pytest.mark.parametrize(("replaced", "expected"), [each[1:] for each in REFUSED], ids=[each[0] for each in REFUSED])
def test_what_cannot_be_done_in_place_is_refused_with_the_way_out(replaced: tuple[str, str], expected: str) -> None:
    more = (
        [("      cents:", "      note: {type: string, sql: \"'x'\"}\n      cents:")]
        if "came another" in expected
        else []
    )
    found = evolve(lake(), lake(replaced, *more))
    assert str(found.refusals[0]).startswith(expected)
    assert "lakectl run-transform --full" in found.refusals[0].way_out


def test_sql_over_a_column_that_gets_wider_is_not_computed_again() -> None:
    more = ("      cents:", '      twice: {type: bigint, sql: "zone_id * 2"}\n      cents:')
    found = evolve(lake(more), lake(more, ("zone_id: int, fare", "zone_id: bigint, fare")))
    assert [change.kind for change in found.changes] == ["widen_column"]


def test_a_source_that_goes_keeps_its_table() -> None:
    old = lake(("sources:\n", "sources:\n  pings: {loading: append, columns: {x: int}}\n"))
    found = evolve(old, lake())
    assert found.changes == (Change("pings", "remove_source"),)
    assert "stay until `lakectl down`" in str(found.changes[0])


def test_a_column_that_comes_back_has_to_fit_what_the_table_still_has() -> None:
    old, new = lake((", note: string", "")), lake()
    assert [str(change) for change in evolve(old, new).changes] == ["rides_silver: add note string"]
    table = {**old.silver_columns("rides"), "note": "string"}
    assert evolve(old, new, {"rides": table}) == evolve(old, old)
    table["note"] = "double"
    (refusal,) = evolve(old, new, {"rides": table}).refusals
    assert str(refusal).startswith("rides_silver: note: double can't become string in place")


def test_a_source_that_has_no_table_yet_may_change_as_it_likes() -> None:
    new = lake(("keys: [ride_id]", "keys: [ride_id, zone_id]"))
    assert evolve(lake(), new, {"zones": new.silver_columns("zones")}) == evolve(new, new)


def test_the_same_keys_in_another_order_and_other_spaces_in_sql_change_nothing() -> None:
    old = lake(("keys: [ride_id]", "keys: [ride_id, zone_id]"))
    new = lake(("keys: [ride_id]", "keys: [zone_id, ride_id]"), ("fare * 100", "fare*100"))
    found = evolve(old, new)
    assert (found.changes, found.refusals) == ((), ())


@settings(max_examples=25, deadline=None)
@given(lake_specs())
def test_nothing_follows_from_no_change(spec: LakeSpec) -> None:
    found = evolve(spec, spec)
    assert (found.changes, found.refusals) == ((), ())


@settings(max_examples=25, deadline=None)
@given(lake_specs(), lake_specs())
def test_every_column_of_the_new_specification_is_there_has_its_type_or_is_named(old: LakeSpec, new: LakeSpec) -> None:
    found = evolve(old, new)
    named = {(change.source, change.column) for change in found.changes}
    refused = {refusal.source for refusal in found.refusals}
    for name in new.sources:
        if name in refused:
            continue
        if name not in old.sources:
            assert (name, "") in named
            continue
        before = old.silver_columns(name)
        for column, kind in new.silver_columns(name).items():
            assert before.get(column) == kind or (name, column) in named
