"""What Lambda keeps outlives the server; what moto kept of it, in lakes of before, is taken over."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local_helpers import ACCOUNT, OWN_LOGS, REGION, TRUST, kill, new_role, settled, zipped
from moto.backends import get_backend

from lakectl.local.context import LocalContext
from lakectl.local.durable.database import Database
from lakectl.local.durable.snapshots import BACKEND, Snapshots
from lakectl.local.functions import from_moto, store
from lakectl.local.functions.names import LATEST
from lakectl.local.functions.store import Store

CODE = "def handler(event, context): return {}"


def test_versions_aliases_layers_and_policies_survive_a_kill(aws: Callable[[str], Any]) -> None:
    functions, role = aws("lambda"), new_role(aws("iam"), "keeper", *OWN_LOGS)
    layer = functions.publish_layer_version(LayerName="kept", Content={"ZipFile": zipped("")})["LayerVersionArn"]
    functions.create_function(
        FunctionName="kept",
        Runtime="python3.12",
        Handler="handler.handler",
        Role=role,
        Code={"ZipFile": zipped(CODE.format(1))},
        Layers=[layer],
        Tags={"a": "b"},
    )
    settled(functions, "kept")
    functions.publish_version(FunctionName="kept")
    functions.create_alias(FunctionName="kept", Name="live", FunctionVersion="1")
    functions.add_permission(
        FunctionName="kept", Qualifier="live", StatementId="s", Action="lambda:InvokeFunction", Principal=ACCOUNT
    )
    functions.update_function_code(FunctionName="kept", ZipFile=zipped(CODE.format(2)))
    kill()  # while the change may be in progress
    functions = aws("lambda")
    settled(functions, "kept")
    found = functions.get_function(FunctionName="kept", Qualifier="live")
    assert (found["Configuration"]["Version"], found["Tags"]) == ("1", {"a": "b"})
    assert [each["Arn"] for each in found["Configuration"]["Layers"]] == [layer]
    assert (
        json.loads(functions.get_policy(FunctionName="kept", Qualifier="live")["Policy"])["Statement"][0]["Sid"] == "s"
    )
    results = [functions.invoke(FunctionName="kept", Qualifier=each)["Payload"].read() for each in ("live", LATEST)]
    assert results == [b"1", b"2"]


def test_a_lake_whose_functions_moto_kept_still_has_them(tmp_path: Path) -> None:
    backend, code = get_backend("lambda")[ACCOUNT][REGION], zipped(CODE.format(1))
    iam = get_backend("iam")[ACCOUNT]["aws"]
    iam.create_role("r", TRUST, "/", None, "", [], "3600")
    backend.create_function(
        {
            "FunctionName": "old",
            "Runtime": "python3.12",
            "Handler": "handler.handler",
            "Role": f"arn:aws:iam::{ACCOUNT}:role/r",
            "Code": {"ZipFile": base64.b64encode(code).decode()},
            "Timeout": 7,
            "Environment": {"Variables": {"A": "1"}},
            "Tags": {"a": "b"},
        }
    )
    grant = {"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}
    backend.add_permission("old", None, json.dumps(grant))
    backend.put_function_event_invoke_config("old", {"MaximumRetryAttempts": 1})
    database = Database(tmp_path)
    Snapshots(database).save("awslambda", ACCOUNT, REGION)
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
        kept = Store(database, tmp_path)
        kept.load()
        from_moto.adopt(context, kept)
        item = kept.all(REGION, store.FUNCTION)["old"]
        made = item["Versions"][LATEST]
        assert (made["Timeout"], made["Environment"], item["Tags"]) == (7, {"Variables": {"A": "1"}}, {"a": "b"})
        assert kept.zip_path(made["_code"]).read_bytes() == code
        assert item["Policies"][""]["Statements"][0]["Sid"] == "s"
        assert item["InvokeConfigs"][LATEST]["MaximumRetryAttempts"] == 1
    assert database.rows(BACKEND) == []
    database.close()
    backend.reset()
    iam.reset()
