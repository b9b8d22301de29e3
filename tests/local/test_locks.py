"""What may not be lost under concurrency: Glue's commit lock, DynamoDB's conditions and transactions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

WRITERS = 8


def code_of(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])


@pytest.fixture
def table(client: Callable[..., Any], unique: str) -> dict[str, str]:
    names = {"DatabaseName": f"db_{unique}", "Name": "t"}
    client("glue").create_database(DatabaseInput={"Name": names["DatabaseName"]})
    client("glue").create_table(
        DatabaseName=names["DatabaseName"], TableInput={"Name": "t", "Parameters": {"count": "0"}}
    )
    return names


def test_of_concurrent_updates_from_one_version_one_wins(client: Any, table: dict[str, str]) -> None:
    glue = client("glue")
    version = glue.get_table(**table)["Table"]["VersionId"]

    def update(number: int) -> str:
        try:
            glue.update_table(
                DatabaseName=table["DatabaseName"],
                TableInput={"Name": "t", "Parameters": {"count": str(number)}},
                VersionId=version,
                SkipArchive=True,
            )
        except ClientError as error:
            return code_of(error)
        return "ok"

    with ThreadPoolExecutor(WRITERS) as pool:
        outcomes = Counter(pool.map(update, range(WRITERS)))
    assert outcomes == {"ok": 1, "ConcurrentModificationException": WRITERS - 1}


def test_no_acknowledged_commit_is_lost(client: Any, table: dict[str, str]) -> None:
    """The loop of an Iceberg commit: read, add one, update from the version read, try again on a conflict."""
    glue, commits = client("glue"), 20

    def commit(_: int) -> None:
        while True:
            found = glue.get_table(**table)["Table"]
            count = int(found["Parameters"]["count"]) + 1
            try:
                glue.update_table(
                    DatabaseName=table["DatabaseName"],
                    TableInput={"Name": "t", "Parameters": {"count": str(count)}},
                    VersionId=found["VersionId"],
                    SkipArchive=True,
                )
            except ClientError as error:
                if code_of(error) != "ConcurrentModificationException":
                    raise
            else:
                return

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(commit, range(commits * WRITERS // 2)))
    final = glue.get_table(**table)["Table"]
    assert int(final["Parameters"]["count"]) == commits * WRITERS // 2
    assert len(glue.get_table_versions(DatabaseName=table["DatabaseName"], TableName="t")["TableVersions"]) <= 2


def test_an_update_without_a_version_is_not_checked(client: Any, table: dict[str, str]) -> None:
    for _ in range(3):
        client("glue").update_table(DatabaseName=table["DatabaseName"], TableInput={"Name": "t"})
    assert (
        len(client("glue").get_table_versions(DatabaseName=table["DatabaseName"], TableName="t")["TableVersions"]) == 4
    )


@pytest.fixture
def ledger(client: Callable[..., Any], unique: str) -> str:
    name = f"runs-{unique}"
    client("dynamodb").create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return name


def test_500_identities_claimed_by_three_at_once_are_granted_once_each(client: Any, ledger: str) -> None:
    dynamodb, identities, claimants = client("dynamodb"), 500, 3

    def claim(number: int) -> int | None:
        identity = number // claimants
        guard = {"pk": {"S": f"OBJ#b/{identity}"}, "sk": {"S": "v1"}, "by": {"N": str(number)}}
        run = {"pk": {"S": "SRC#orders"}, "sk": {"S": f"INGEST#{identity:04d}#{number}"}}
        once = {"ConditionExpression": "attribute_not_exists(pk)"}
        items = [{"Put": {"TableName": ledger, "Item": item} | once} for item in (guard, run)]
        try:
            dynamodb.transact_write_items(TransactItems=items)
        except ClientError as error:
            if error.response["CancellationReasons"][0]["Code"] != "ConditionalCheckFailed":
                raise
            return None
        return identity

    with ThreadPoolExecutor(24) as pool:
        granted = [identity for identity in pool.map(claim, range(identities * claimants)) if identity is not None]
    assert sorted(granted) == list(range(identities))
    pages = dynamodb.get_paginator("query").paginate(
        TableName=ledger,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": "SRC#orders"}},
        ConsistentRead=True,
    )
    assert sum(page["Count"] for page in pages) == identities


def test_a_cancelled_transaction_leaves_nothing(client: Any, ledger: str) -> None:
    dynamodb = client("dynamodb")
    old = {"pk": {"S": "a"}, "sk": {"S": "1"}, "n": {"N": "1"}}
    dynamodb.put_item(TableName=ledger, Item=old)
    update = {
        "TableName": ledger,
        "Key": {"pk": old["pk"], "sk": old["sk"]},
        "UpdateExpression": "SET n = :n",
        "ExpressionAttributeValues": {":n": {"N": "2"}},
    }
    new = {"TableName": ledger, "Item": {"pk": {"S": "new"}, "sk": {"S": "1"}}}
    failing = {"TableName": ledger, "Key": {"pk": {"S": "x"}, "sk": {"S": "x"}}}
    with pytest.raises(ClientError, match="TransactionCanceledException"):
        dynamodb.transact_write_items(
            TransactItems=[
                {"Update": update},
                {"Put": new},
                {"ConditionCheck": failing | {"ConditionExpression": "attribute_exists(pk)"}},
            ]
        )
    assert dynamodb.scan(TableName=ledger)["Items"] == [old]


def test_a_conditional_put_is_won_once(client: Any, ledger: str) -> None:
    dynamodb = client("dynamodb")

    def put(number: int) -> bool:
        item = {"pk": {"S": f"k{number % 50}"}, "sk": {"S": "1"}}
        try:
            dynamodb.put_item(TableName=ledger, Item=item, ConditionExpression="attribute_not_exists(pk)")
        except ClientError as error:
            if code_of(error) != "ConditionalCheckFailedException":
                raise
            return False
        return True

    with ThreadPoolExecutor(24) as pool:
        assert sum(pool.map(put, range(300))) == 50


def test_concurrent_counters_count_everything(client: Any, ledger: str) -> None:
    def add(_: int) -> None:
        client("dynamodb").update_item(
            TableName=ledger,
            Key={"pk": {"S": "counter"}, "sk": {"S": "1"}},
            UpdateExpression="ADD n :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
        )

    with ThreadPoolExecutor(24) as pool:
        list(pool.map(add, range(200)))
    key = {"pk": {"S": "counter"}, "sk": {"S": "1"}}
    found = client("dynamodb").get_item(TableName=ledger, Key=key, ConsistentRead=True)
    assert found["Item"]["n"] == {"N": "200"}
