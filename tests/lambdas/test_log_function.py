"""The log function: one run item for each landing."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from landing_events import ORDERS_KEY, SPEC, bridge_event, load_handler, record_event

from lakectl.spec.model import LakeSpec, SourceSpec


def test_the_same_event_three_times_is_one_row(log_function, rows) -> None:
    answers = [log_function.handler(record_event(), None) for _ in range(3)]
    assert [answer["recorded"] for answer in answers] == [1, 0, 0]
    (item,) = rows("SRC#")
    assert item["status"] == "LANDED"
    assert item["load_status"] == "PENDING"
    assert len(rows("PENDING#orders")) == 1


def test_the_same_landing_by_both_paths_is_one_row(log_function, rows) -> None:
    log_function.handler(bridge_event(), None)
    log_function.handler(record_event(), None)
    assert len(rows("SRC#orders")) == 1


def test_the_run_item_has_the_keys_and_fields_of_the_run_log(log_function, rows) -> None:
    log_function.handler(record_event(), None)
    (item,) = rows("SRC#")
    assert item["pk"] == "SRC#orders"
    assert item["sk"] == f"INGEST#2026-11-24T10:00:00Z#e1#{item['dedupe']}"
    assert item["key"] == ORDERS_KEY
    assert item["ingest_ts"] == "2026-11-24T10:00:00Z"
    assert item["size_bytes"] == 100
    assert item["run_id"].startswith("orders_2026-11-24T10-00-00Z_")
    (guard,) = rows("OBJ#")
    assert (guard["pk"], guard["sk"]) == (f"OBJ#lake-raw/{ORDERS_KEY}", "v1")


def test_equal_content_under_ten_keys_at_once_is_ten_rows(log_function, rows) -> None:
    keys = [f"retail/orders/ingest_date=2026-11-24/batch={n:04d}/orders.csv" for n in range(10)]
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(lambda key: log_function.handler(record_event(key), None), keys))
    assert sorted(item["key"] for item in rows("SRC#orders")) == keys


def test_a_key_that_nothing_loads_is_in_the_log_but_not_pending(log_function, rows) -> None:
    log_function.handler(record_event("retail/orders/test_orders.csv"), None)
    (item,) = rows("SRC#orders")
    assert (item["status"], item["load_status"]) == ("LANDED", "IGNORED")
    assert rows("PENDING#") == []


def test_a_record_that_fails_does_not_stop_the_others(log_function, rows, monkeypatch) -> None:
    record = log_function.LEDGER.record

    def flaky(landing, **options):
        if landing.version_id == "v1":
            raise RuntimeError("no table")
        return record(landing, **options)

    monkeypatch.setattr(log_function.LEDGER, "record", flaky)
    other = record_event("retail/customers/ingest_date=2026-11-24/customers.csv", version="v2")
    event = {"Records": [*record_event()["Records"], *other["Records"]]}
    with pytest.raises(
        RuntimeError, match=r"1 of 2 records not recorded: .*date=2026-11-24/orders.csv: RuntimeError: no table"
    ):
        log_function.handler(event, None)
    assert [item["source"] for item in rows("SRC#")] == ["customers"]


def test_the_log_is_one_line_of_json_for_each_landing(log_function, capsys) -> None:
    log_function.handler(record_event(), None)
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["what"] == "recorded"


def test_a_record_that_makes_no_sense_does_not_stop_the_others(log_function, rows) -> None:
    broken = {"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": {"object": {"key": "retail/x"}}}
    with pytest.raises(RuntimeError, match="1 of 2 records not recorded: retail/x: KeyError"):
        log_function.handler({"Records": [broken, *record_event()["Records"]]}, None)
    assert len(rows("SRC#orders")) == 1


def test_after_a_partial_failure_the_event_again_adds_only_what_was_missing(log_function, rows) -> None:
    keys = [f"retail/orders/ingest_date=2026-11-24/batch={n:04d}/orders.csv" for n in range(5)]
    event = {"Records": [record for key in keys for record in record_event(key)["Records"]]}
    record = log_function.LEDGER.record

    def flaky(landing, **options):
        if "batch=0003" in landing.key:
            raise RuntimeError("no table")
        return record(landing, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(log_function.LEDGER, "record", flaky)
        with pytest.raises(RuntimeError, match=r"1 of 5 records not recorded: .*batch=0003"):
            log_function.handler(event, None)
    assert log_function.handler(event, None) == {"recorded": 1, "already_recorded": 4}
    assert sorted(item["key"] for item in rows("SRC#orders")) == keys


def test_the_log_lines_carry_the_request_id(log_function, capsys) -> None:
    log_function.handler(record_event(), SimpleNamespace(aws_request_id="r-1"))
    assert json.loads(capsys.readouterr().out)["request_id"] == "r-1"


def test_a_reserved_source_is_logged_and_never_pending(log_function, rows) -> None:
    log_function.handler(record_event("retail/_smoke/ingest_date=2026-11-24/_smoke.csv"), None)
    assert [item["load_status"] for item in rows("SRC#_smoke")] == ["IGNORED"]
    assert rows("PENDING#") == []


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (
            "retail/returns/ingest_date=2026-11-24/returns.csv",
            "no source returns; it has customers, products, orders",
        ),
        (
            "retail/orders/2026-11-24.csv",
            "orders/ingest_date=YYYY-MM-DD/[batch=NNNN/]orders.csv or orders.csv.gz",
        ),
        ("retail/_smoke/ingest_date=2026-11-24/_smoke.csv", "no source _smoke"),
    ],
)
def test_a_landing_that_no_run_takes_says_why(log_function, rows, key, reason) -> None:
    """Item 6."""
    log_function.handler(record_event(key), None)
    ((status, why),) = [(item["load_status"], item["reason"]) for item in rows("SRC#")]
    assert status == "IGNORED"
    assert reason in why
    assert rows("PENDING#") == []


def test_what_landed_before_the_lake_had_its_source_is_loaded_once_its_event_comes_again(log_function, rows) -> None:
    """`reconcile --fix` sends it."""
    event = record_event("retail/returns/ingest_date=2026-11-24/batch=0002/returns.csv")
    log_function.handler(event, None)
    (ignored,) = rows("SRC#returns")
    assert (ignored["load_status"], rows("PENDING#")) == ("IGNORED", [])
    since = LakeSpec({**SPEC.sources, "returns": SourceSpec("returns", ())})
    for _ in range(2):
        load_handler("log_ingestion_run", since).handler(event, None)
    (item,), (pointer,) = rows("SRC#returns"), rows("PENDING#returns")
    assert (item["load_status"], item["ingest_date"], item["batch"]) == ("PENDING", "2026-11-24", "0002")
    assert {**pointer, "pk": item["pk"]} == item
    assert item["reason"] == ""
