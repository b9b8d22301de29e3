"""A power cut takes what was not synced yet: the state is then as it was at the last sync, in all services."""

from __future__ import annotations

import random
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from local_helpers import kill, new_bucket, until

from lakectl.local import control
from lakectl.local.durable import bodies as bodies_module
from lakectl.local.durable import database as database_module
from lakectl.local.durable.bodies import Bodies
from lakectl.local.durable.database import FILE_NAME, Database
from lakectl.local.durable.syncer import Syncer

Client = Callable[[str], Any]
KINDS, SCOPES, IDS = ("a", "b"), ("s", "t"), ("1", "2", "3")


def all_rows(database: Database) -> list[tuple[str, list[tuple[str, str, bytes]]]]:
    return [(kind, database.rows(kind)) for kind in KINDS]


def change(database: Database, chance: random.Random) -> None:
    with database.transaction():
        for _ in range(chance.randint(1, 4)):
            kind, scope, identity = chance.choice(KINDS), chance.choice(SCOPES), chance.choice(IDS)
            what = chance.random()
            if what < 0.6:
                database.put(kind, scope, identity, chance.randbytes(5))
            elif what < 0.9:
                database.delete(kind, scope, identity)
            else:
                database.delete_scope(kind, scope)


@pytest.mark.parametrize("seed", range(40))
def test_rows_go_back_to_what_they_were_when_settled(seed: int, tmp_path: Path) -> None:
    """Item 14: whatever changes there were since, also those of generations that ended and were not settled."""
    chance = random.Random(seed)
    database = Database(tmp_path / "state")
    for _ in range(chance.randint(0, 4)):
        change(database, chance)
    settled = all_rows(database)
    generation = database.end_generation()
    for _ in range(chance.randint(0, 5)):
        change(database, chance)
        if chance.random() < 0.3:
            database.end_generation()
    if generation is not None:
        database.settle(generation)
    else:
        settled = [(kind, []) for kind in KINDS]
    for _ in range(chance.randint(0, 5)):
        change(database, chance)
    database.close()

    again = Database(tmp_path / "state")
    again.roll_back()
    assert all_rows(again) == settled
    assert again.unsettled() == []
    again.close()


def test_files_are_synced_before_rows_are_settled_and_deleted_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Item 14: bytes, folder, rows, and only then what nothing names any more."""
    state = tmp_path / "state"
    database, bodies = Database(state), Bodies(state / "bodies")
    done: list[str] = []

    def note(path: Path) -> None:
        done.append(f"sync {path.relative_to(state)}, undo {len(database.unsettled())}, old {old_path.exists()}")
        database_sync(path)

    database_sync = database_module.sync_path
    old = bodies.write(b"old")
    old_path = bodies.path(old.segments[0][0])
    database.put("kind", "scope", "id", b"names old")
    Syncer(database, bodies).sync()
    monkeypatch.setattr(bodies_module, "sync_path", note)
    monkeypatch.setattr(database_module, "sync_path", note)
    new = bodies.write(b"new")
    with database.transaction():
        database.put("kind", "scope", "id", b"names new")
        database.after_commit(lambda: bodies.drop(old.files))
    (name,) = new.files
    assert old_path.exists()

    Syncer(database, bodies).sync()

    assert done[0] == f"sync bodies/{name[:2]}/{name}, undo 1, old True"
    assert done[1].startswith(f"sync bodies/{name[:2]}, undo 1")
    assert done[-1] == f"sync {FILE_NAME}-wal, undo 0, old True"
    assert not old_path.exists()
    database.close()


def test_a_file_dropped_while_a_sync_runs_waits_for_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Item 14: the rows that named it could still be rolled back."""
    state = tmp_path / "state"
    database, bodies = Database(state), Bodies(state / "bodies")
    old = bodies.write(b"old")
    (path,) = (bodies.path(name) for name in old.files)

    def replace(file: Path) -> None:
        monkeypatch.undo()
        database.put("kind", "scope", "id", b"names another")
        bodies.drop(old.files)
        bodies_module.sync_path(file)

    monkeypatch.setattr(bodies_module, "sync_path", replace)
    database.put("kind", "scope", "id", b"names old")
    syncer = Syncer(database, bodies)
    syncer.sync()
    assert path.exists()
    assert [value for *_, value in database.unsettled()] == [b"names another"]
    syncer.sync()
    assert not path.exists()
    assert database.unsettled() == []
    database.close()


@pytest.mark.parametrize("number", [bodies_module.FEW_FILES, bodies_module.FEW_FILES + 1])
def test_files_are_synced_once_be_they_few_or_many(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies = Bodies(tmp_path / "bodies")
    synced: list[Path] = []
    sync_all = bodies_module.sync_file_system
    monkeypatch.setattr(bodies_module, "sync_path", synced.append)
    monkeypatch.setattr(bodies_module, "sync_file_system", lambda folder: synced.append(folder) or sync_all(folder))
    names = {name for _ in range(number) for name in bodies.write(b"text").files}
    bodies.sync()
    found = {path.name for path in synced if path.is_file()}
    assert found == names or (sys.platform == "linux" and number > bodies_module.FEW_FILES and found == set())
    assert synced
    synced.clear()
    bodies.sync()
    assert synced == []


def unsettled(own_state: Path) -> int:
    with sqlite3.connect(own_state / "state" / FILE_NAME) as connection:
        return int(connection.execute("SELECT count(*) FROM undo").fetchone()[0])


def files(own_state: Path) -> set[Path]:
    return set((own_state / "state" / "bodies").glob("??/*"))


def test_a_power_cut_costs_the_last_moments_and_nothing_else(aws: Client, own_state: Path) -> None:
    """Item 14: an overwritten object is again what it was, a deleted one is there, and items agree with objects."""
    new_bucket(aws, "cut")
    aws("dynamodb").create_table(
        TableName="cut",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    s3, dynamodb = aws("s3"), aws("dynamodb")
    until(lambda: unsettled(own_state) == 0)
    for _ in range(10):
        for key in ("overwritten", "deleted"):
            s3.put_object(Bucket="cut", Key=key, Body=b"old")
        dynamodb.put_item(TableName="cut", Item={"pk": {"S": "k"}, "is": {"S": "old"}})
        until(lambda: unsettled(own_state) == 0)
        before = files(own_state)
        s3.put_object(Bucket="cut", Key="overwritten", Body=b"new")
        s3.delete_object(Bucket="cut", Key="deleted")
        dynamodb.put_item(TableName="cut", Item={"pk": {"S": "k"}, "is": {"S": "new"}})
        kill()
        if unsettled(own_state) >= 3:
            break  # no sync came between
        s3, dynamodb = aws("s3"), aws("dynamodb")
    (new,) = files(own_state) - before
    new.write_bytes(b"")  # its name was on disk, its bytes were not

    said: list[str] = []
    control.ensure_running(progress=said.append)

    assert "a power cut took what was not on disk yet: the state is as it was when it was synced last" in said
    s3, dynamodb = aws("s3"), aws("dynamodb")
    for key in ("overwritten", "deleted"):
        assert s3.get_object(Bucket="cut", Key=key)["Body"].read() == b"old"
    assert dynamodb.get_item(TableName="cut", Key={"pk": {"S": "k"}})["Item"]["is"] == {"S": "old"}
    s3.put_object(Bucket="cut", Key="overwritten", Body=b"newer")
    kill()
    said.clear()
    control.ensure_running(progress=said.append)
    assert not any("power cut" in line for line in said)
    assert aws("s3").get_object(Bucket="cut", Key="overwritten")["Body"].read() == b"newer"
