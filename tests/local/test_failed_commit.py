"""A commit that fails is the last one: nothing that memory holds and the disk does not is answered or written."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from werkzeug.test import Client

from lakectl.local.durable.database import CommitFailed, Database
from lakectl.local.durable.forms import Codec
from lakectl.local.server import _Gateway


def fill(database: Database) -> None:
    """No page more for the state: SQLite then fails as on a full disk."""
    connection = database._connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")


def write_two(database: Database, then: Callable[[], None] = lambda: None) -> None:
    with database.transaction():
        database.put("kind", "scope", "kept", b"2")
        database.put("kind", "scope", "large", b"x" * 100_000)
        database.after_commit(then)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "state")


def test_after_a_failed_commit_nothing_is_written(database: Database, tmp_path: Path) -> None:
    """Item 11: what was committed before is there, and neither the failed commit nor a later one is."""
    stopped: list[str] = []
    database.on_failure = lambda: stopped.append(str(database.failure))
    database.put("kind", "scope", "kept", b"1")
    fill(database)
    with pytest.raises(CommitFailed, match="no space left on the disk of"):
        write_two(database)
    with pytest.raises(CommitFailed):
        database.put("kind", "scope", "small", b"1")
    assert len(stopped) == 1
    database.close()
    again = Database(tmp_path / "state")
    assert again.rows("kind") == [("scope", "kept", b"1")]
    again.close()


def test_a_delivery_of_a_failed_commit_is_not_made(database: Database) -> None:
    """Item 11: a refused request has no effects."""
    made: list[int] = []
    fill(database)
    with pytest.raises(CommitFailed):
        write_two(database, lambda: made.append(1))
    assert made == []


def test_what_has_no_form_of_its_own_is_a_failed_commit_too(database: Database) -> None:
    """Before: it stayed in memory, and each later write of the service failed on it."""
    stopped: list[str] = []
    database.on_failure = lambda: stopped.append(str(database.failure))
    codec = Codec(())
    with pytest.raises(CommitFailed, match="has no form"), database.transaction():
        database.before_commit(lambda: database.put("kind", "scope", "odd", codec.dumps(object())))
    with pytest.raises(CommitFailed, match="has no form"):
        database.put("kind", "scope", "small", b"1")
    assert stopped == ["the state can't be written: builtins.object has no form"]
    assert database.rows("kind") == []


@pytest.mark.parametrize(
    ("content_type", "read"),
    [
        ("application/x-amz-json-1.0", lambda text: json.loads(text)["message"]),
        ("application/octet-stream", lambda text: text),
        ("application/x-www-form-urlencoded", lambda text: text),
    ],
)
@pytest.mark.parametrize("first", ["/write", "/read"])
def test_no_answer_is_made_from_what_was_not_committed(
    database: Database, content_type: str, read: Callable[[str], str], first: str
) -> None:
    """Item 11: the request whose commit fails and every later one get 503, and so does one that read meanwhile."""
    calls: list[str] = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        calls.append(environ["PATH_INFO"])
        start_response("200 OK", [])
        if environ["PATH_INFO"] == first:
            with suppress(CommitFailed) if first == "/read" else nullcontext():
                database.put("kind", "scope", "large", b"x" * 100_000)
        return [b"seen"]

    fill(database)
    client = Client(_Gateway(SimpleNamespace(), application, SimpleNamespace(), database, "eu-west-1"))
    for path in (first, "/later", "/_lakectl/health"):
        answer = client.post(path, content_type=content_type)
        assert answer.status_code == 503
        assert "the local AWS stops: no space left on the disk of" in read(answer.text)
    assert calls == [first]


def test_a_request_before_the_failure_is_answered(database: Database) -> None:
    def application(_environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("X-Own", "1")])
        return [b"seen"]

    answer = Client(_Gateway(SimpleNamespace(), application, SimpleNamespace(), database, "eu-west-1")).get("/")
    assert (answer.status_code, answer.text, answer.headers["X-Own"]) == (200, "seen", "1")
