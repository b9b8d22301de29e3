"""What Athena keeps outlives the server; what moto kept of it, in lakes of before, is taken over."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from local_helpers import kill
from moto.backends import get_backend

from lakectl.local.athena import from_moto, store
from lakectl.local.athena.store import Store
from lakectl.local.context import LocalContext
from lakectl.local.durable.database import Database
from lakectl.local.durable.snapshots import BACKEND, Snapshots

ACCOUNT, REGION = "123456789012", "eu-west-1"


def test_workgroups_statements_and_tags_survive_a_kill(aws: Callable[[str], Any]) -> None:
    athena = aws("athena")
    athena.create_work_group(Name="kept", Description="d", Tags=[{"Key": "a", "Value": "b"}])
    athena.update_work_group(WorkGroup="kept", ConfigurationUpdates={"BytesScannedCutoffPerQuery": 20_000_000})
    athena.create_prepared_statement(StatementName="pp", WorkGroup="kept", QueryStatement="SELECT ?")
    arn = f"arn:aws:athena:{athena.meta.region_name}:{ACCOUNT}:workgroup/kept"
    before = athena.get_work_group(WorkGroup="kept")["WorkGroup"]
    kill()
    athena = aws("athena")
    assert athena.get_work_group(WorkGroup="kept")["WorkGroup"] == before
    assert athena.list_tags_for_resource(ResourceARN=arn)["Tags"] == [{"Key": "a", "Value": "b"}]
    statement = athena.get_prepared_statement(StatementName="pp", WorkGroup="kept")["PreparedStatement"]
    assert statement["QueryStatement"] == "SELECT ?"
    athena.delete_work_group(WorkGroup="kept", RecursiveDeleteOption=True)


def test_a_lake_whose_workgroups_moto_kept_still_has_them(tmp_path: Path) -> None:
    backend = get_backend("athena")[ACCOUNT][REGION]
    backend.create_work_group("old", {"BytesScannedCutoffPerQuery": 20_000_000}, "d", [{"Key": "a", "Value": "b"}])
    query = backend.create_named_query("n", "about it", "db", "SELECT 1", "old")
    backend.__dict__["named_query_requests"] = {"t" * 32: (query, {"Name": "n"})}
    database = Database(tmp_path)
    Snapshots(database).save("athena", ACCOUNT, REGION)
    context = LocalContext(
        endpoint_url="",
        region=REGION,
        account_id=ACCOUNT,
        state_dir=tmp_path,
        access_key_id="",
        secret_access_key="",
        database=database,
    )
    for _ in range(2):  # the second start finds rows of its own
        kept = Store(database)
        kept.load()
        from_moto.adopt(context, kept)
        group = kept.all(REGION, store.WORKGROUP)["old"]
        assert (group["Configuration"]["BytesScannedCutoffPerQuery"], group["Tags"]) == (20_000_000, {"a": "b"})
        named = kept.all(REGION, store.NAMED_QUERY)[query]
        assert (named["Name"], named["WorkGroup"], named["QueryString"]) == ("n", "old", "SELECT 1")
        assert kept.all(REGION, store.TOKEN)["t" * 32]["made"] == query
    assert database.rows(BACKEND) == []
    database.close()
    backend.reset()
