"""The pages of a real lake on the local AWS, from before it is made until a file has landed in it. No run of Spark."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from console_client import FROM_HERE, ORIGIN, PORT, browser
from flask.testing import FlaskClient
from lakes import bring_up, open_test_lake, tear_down

from lakectl.aws import is_running
from lakectl.config import Config
from lakectl.console.app import Console, create
from lakectl.console.guard import Guard
from lakectl.console.opened import OpenedLake
from lakectl.local.control import Endpoint
from lakectl.ops.lake import Lake, open_lake

KEY = "retail/orders/ingest_date=2025-09-15/orders.csv"


@pytest.fixture(scope="module")
def lake(endpoint: Endpoint) -> Iterator[Lake]:
    lake = open_test_lake(endpoint)
    yield lake
    tear_down(lake)


def client_of(lake: Lake, *, allow_writes: bool = False) -> FlaskClient:
    guard = Guard(PORT)
    return browser(create(Console(OpenedLake(lake, lambda: lake, lambda: True), allow_writes), guard), guard)


def until(read: Callable[[], str], wanted: str, seconds: float = 30) -> str:
    deadline = time.monotonic() + seconds
    while wanted not in (text := read()):
        assert time.monotonic() < deadline, f"no {wanted!r} in {text}"
        time.sleep(0.1)
    return text


def answer(client: FlaskClient, sql: str) -> str:
    """What the page shows of a statement in the end."""
    sent = client.post("/query", base_url=ORIGIN, headers=FROM_HERE, data={"sql": sql}).text
    address = re.search(r'hx-get="(/query/[^"]+)"', sent)
    assert address, sent
    deadline = time.monotonic() + 30
    while (look := client.get(address[1], base_url=ORIGIN)).status_code != 286:
        assert time.monotonic() < deadline, look.text
        time.sleep(0.05)
    return look.text


def test_a_lake_from_before_it_is_made(lake: Lake) -> None:
    client, writer = client_of(lake), client_of(lake, allow_writes=True)

    def page(path: str) -> str:
        found = client.get(path, base_url=ORIGIN)
        assert found.status_code in (200, 286), found.text
        return " ".join(found.text.split())

    # Not made yet: each page says what to do.
    for path, problem in (
        ("/overview/now", "there is no run log"),
        ("/landings/now", "there is no run log"),
        ("/tables/now", "there is no database"),
        ("/runs/now", "The job has not run yet"),
        ("/resources/now", '<b class="wait">0 of'),
    ):
        assert problem in page(path), path
    assert (
        "there is no workgroup"
        in client.post("/query", base_url=ORIGIN, headers=FROM_HERE, data={"sql": "SELECT 1"}).text
    )
    assert "lakectl up" in page("/overview/now")

    # Made: the same pages, without a restart.
    bring_up(lake)
    for rule in (lake.names.orders_rule, lake.names.drain_rule):
        lake.client("events").disable_rule(Name=rule)
    overview = page("/overview/now")
    assert "problem" not in overview
    assert "nothing loaded yet" in overview
    resources = page("/resources/now")
    assert resources.index(">drifted<") < resources.index(">in place<")  # the rules that this test has disabled
    assert lake.names.orders_rule in resources

    # A file lands, and is pending.
    lake.client("s3").put_object(Bucket=lake.names.raw_bucket, Key=KEY, Body=b"order_id\n1\n")
    assert "PENDING" in until(lambda: page("/landings/now?kind=PENDING"), KEY)
    assert '<b class="wait">1</b><span>landings pending' in page("/overview/now")
    assert "No landing is refused" in page("/landings/now?kind=FAILED")

    # Queries: an answer with its chart, Athena's error, a write that is not sent and one that is.
    shown = answer(client, "SELECT * FROM (VALUES ('a', 1.5), ('b', 2.5), (NULL, 3.5)) AS t (borough, total)")
    for part in ("borough", "double", "NULL", "3 rows", "scanned", "<svg"):
        assert part in shown, part
    assert "line 1:8" in answer(client, "SELECT nope")
    assert "500 rows" in answer(client, "SELECT x FROM UNNEST(sequence(1, 501)) AS t (x)")
    table = "orders_silver"
    made = (
        f"CREATE TABLE {table} WITH (table_type = 'ICEBERG', is_external = false, "
        f"location = 's3://{lake.names.silver_bucket}/made/', partitioning = ARRAY['day']) AS "
        "SELECT x AS order_id, DATE '2025-09-15' + x * INTERVAL '1' DAY AS day FROM UNNEST(sequence(1, 3)) AS t (x)"
    )
    assert "--allow-writes" in client.post("/query", base_url=ORIGIN, headers=FROM_HERE, data={"sql": made}).text
    assert "CREATE TABLE" not in answer(writer, made)

    # The table is seen in all pages.
    assert "3 rows" in page("/overview/now")
    assert f">{table}</a>" in page("/tables/now")
    address = f"/tables/{lake.names.silver_database}/{table}"
    assert "partitioned by day" in page(f"{address}/now")
    assert "3 partitions" in page(f"{address}/partitions")
    assert "s3://" in page(f"{address}/files")
    assert "order_id" in page(f"/tables/{lake.names.bronze_database}/{lake.names.bronze_table('orders')}/now")

    # Checks come one by one, and what can't be judged yet is no failure.
    assert "There are none" not in client.post("/checks", base_url=ORIGIN, headers=FROM_HERE).text
    checks = until(lambda: page("/checks/now"), "All have run", 60)
    assert "not judged" in checks


def test_credentials_that_are_changed_while_it_is_open(
    lake: Lake, endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an account's: a profile in ~/.aws, whose keys are good, then not, then good again."""
    file = tmp_path / "credentials"

    def keys(secret: str) -> None:
        file.write_text(
            f"[p]\naws_access_key_id = {endpoint.access_key_id}\naws_secret_access_key = {secret}\n", encoding="utf-8"
        )

    def opened() -> Lake:
        return open_lake(lake.project, config)

    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    monkeypatch.setattr("lakectl.console.opened.PAUSE_S", 0.0)
    about = {"target": "aws", "profile": "p", "endpoint_url": endpoint.url, "region": endpoint.region}
    config = Config.model_validate({"name": lake.config.name, "suffix_names": True, **about})
    keys(endpoint.secret_access_key)
    guard = Guard(PORT)
    client = browser(create(Console(OpenedLake(opened(), opened, lambda: is_running(config)), False), guard), guard)

    def problem() -> str:
        text = client.get("/overview/now", base_url=ORIGIN).text
        return text.partition('class="problem')[2]

    assert problem() == ""
    keys("expired")
    assert problem() == ""  # the session still has the good ones
    session = opened()
    session.aws._account = endpoint.account_id  # it was asked for when they were good
    client.application.extensions["lakectl"].opened._lake = session
    assert "the credentials are wrong or expired: log in again" in problem()
    keys(endpoint.secret_access_key)
    assert problem() == ""
