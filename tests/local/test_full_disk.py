"""A disk that is full: what was acknowledged is kept, what was refused is nowhere, and the next server starts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from local_helpers import kill, new_bucket

from lakectl.errors import LakectlError
from lakectl.local import control

DISK_MB = 24
QUICK_LEVELS = (4, 60, 150)
ALL_LEVELS = (0, *range(4, 64, 8), *range(64, 272, 16))
NAMES = ("s3", "dynamodb", "sqs", "glue", "logs")


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A disk of a few megabytes, with the state folder on it."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("only root on Linux can mount a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m,mode=700", "tmpfs", str(folder)]
    mounted = subprocess.run(command, capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    try:
        yield folder
    finally:
        (folder / "filler").unlink(missing_ok=True)
        control.stop()
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path, left_kb: int) -> None:
    """Leave ``left_kb`` kilobytes free."""
    with (disk / "filler").open("wb", buffering=0) as file:
        while True:
            try:
                file.write(b"\0" * 4096)
            except OSError:
                break
        file.truncate(file.tell() - left_kb * 1024)


def clients() -> dict[str, Any]:
    endpoint = control.ensure_running()
    return {
        name: boto3.client(
            name,
            endpoint_url=endpoint.url,
            region_name="eu-west-1",
            aws_access_key_id=endpoint.access_key_id,
            aws_secret_access_key=endpoint.secret_access_key,
            config=Config(retries={"total_max_attempts": 1}, read_timeout=20, connect_timeout=5),
        )
        for name in NAMES
    }


def prepare() -> None:
    made = clients()
    new_bucket(made.__getitem__, "full")
    made["dynamodb"].create_table(
        TableName="full",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    made["sqs"].create_queue(QueueName="full")
    made["glue"].create_database(DatabaseInput={"Name": "full"})
    made["logs"].create_log_group(logGroupName="full")


def url_of(made: dict[str, Any]) -> str:
    return str(made["sqs"].get_queue_url(QueueName="full")["QueueUrl"])


def writes(made: dict[str, Any], url: str, name: str) -> dict[str, Callable[[], Any]]:
    """One write to each kind of row."""
    new = "attribute_not_exists(pk)"
    item = {"pk": {"S": name}, "text": {"S": "x" * 1000}}
    return {
        "object": lambda: made["s3"].put_object(Bucket="full", Key=name, Body=name.encode() * 100),
        "item": lambda: made["dynamodb"].put_item(TableName="full", Item=item, ConditionExpression=new),
        "message": lambda: made["sqs"].send_message(QueueUrl=url, MessageBody=name),
        "table": lambda: made["glue"].create_table(DatabaseName="full", TableInput={"Name": name}),
        "stream": lambda: made["logs"].create_log_stream(logGroupName="full", logStreamName=name),
    }


def is_there(made: dict[str, Any], kind: str, name: str) -> bool:
    if kind == "object":
        listed = made["s3"].list_objects_v2(Bucket="full", Prefix=name).get("Contents", [])
        return bool(listed) and made["s3"].get_object(Bucket="full", Key=name)["Body"].read() == name.encode() * 100
    if kind == "item":
        return "Item" in made["dynamodb"].get_item(TableName="full", Key={"pk": {"S": name}})
    if kind == "table":
        return any(
            t["Name"] == name for t in made["glue"].get_tables(DatabaseName="full", Expression=name)["TableList"]
        )
    found = made["logs"].describe_log_streams(logGroupName="full", logStreamNamePrefix=name)["logStreams"]
    return bool(found)


def messages(made: dict[str, Any], url: str) -> set[str]:
    seen = set()
    while found := made["sqs"].receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in found:
            seen.add(message["Body"])
            made["sqs"].delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return seen


def write_until_full(made: dict[str, Any], url: str, level: int) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """What was acknowledged and what was refused, as (kind, name). A refused write is not to be seen, while the
    server answers."""
    done, refused = set[tuple[str, str]](), set[tuple[str, str]]()
    for number in range(60):
        for kind, write in writes(made, url, f"k{level}-{number:03d}-end").items():
            name = f"k{level}-{number:03d}-end"
            try:
                write()
                done.add((kind, name))
            except (ClientError, BotoCoreError):
                refused.add((kind, name))
                if kind != "message":
                    assert not seen_meanwhile(made, kind, name), f"{kind} {name} was refused, and is there"
        if len(refused) > 5:
            break
    return done, refused


def seen_meanwhile(made: dict[str, Any], kind: str, name: str) -> bool:
    try:
        return is_there(made, kind, name)
    except (ClientError, BotoCoreError):
        return False  # the server says that it can't answer, or is gone


@pytest.mark.parametrize("levels", [QUICK_LEVELS, pytest.param(ALL_LEVELS, marks=pytest.mark.long)], ids=len)
def test_a_full_disk_loses_nothing_and_stops_no_start(levels: tuple[int, ...], disk: Path) -> None:
    """Item 11: the disk is filled to each level, the server stops or is killed, space is made, and it starts."""
    prepare()
    for level in levels:
        made = clients()
        url = url_of(made)
        fill(disk, level)
        done, refused = write_until_full(made, url, level)
        assert refused, "the disk did not get full"
        if control.running() is not None:
            kill()
        told = control.silence(str(made["s3"].meta.endpoint_url), ConnectionError())
        assert f"is gone: no space left on the disk of {control.server_dir()}" in told.message
        (disk / "filler").unlink()

        made = clients()

        held = {("message", body) for body in messages(made, url)}
        held |= {each for each in done | refused if each[0] != "message" and is_there(made, *each)}
        assert done - held == set(), f"acknowledged and lost with {level} KB left"
        assert held & refused == set(), f"refused and there with {level} KB left"
        for kind, name in sorted(refused):  # the retry of what was refused succeeds
            writes(made, url, name)[kind]()
        messages(made, url)


def test_a_start_on_a_full_disk_says_so(disk: Path) -> None:
    """Item 11: no start that fails for want of space advises to empty the state."""
    fill(disk, 0)
    with pytest.raises(LakectlError, match="no space left on the disk of") as caught:
        control.ensure_running()
    assert caught.value.hint == "free some, or set XDG_STATE_HOME"
    (disk / "filler").unlink()
    prepare()
    kill()
    fill(disk, 0)
    with pytest.raises(LakectlError, match="no space left on the disk of") as caught:
        control.ensure_running()
    assert caught.value.hint == "free some, or set XDG_STATE_HOME"
    (disk / "filler").unlink()
    assert is_empty(clients())


def is_empty(made: dict[str, Any]) -> bool:
    return "Contents" not in made["s3"].list_objects_v2(Bucket="full")
