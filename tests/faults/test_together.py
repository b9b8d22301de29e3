"""Several lakes in one account, and several `lakectl` at once on one lake. All real processes."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fault_lakes import Subject, finish
from recording_proxy import Proxy

from lakectl.aws import Aws
from lakectl.engine.model import State
from lakectl.engine.plan import read_all
from lakectl.local.control import Endpoint
from lakectl.ops.lake import Lake


def both(subject: Subject, proxy: Proxy, *arguments: str) -> list[subprocess.CompletedProcess[str]]:
    """The same command twice at once; both must end well."""
    processes = [subject.start(proxy.url, *arguments) for _ in range(2)]
    ended = [finish(process) for process in processes]
    for process in ended:
        assert process.returncode == 0, process.stdout
    return ended


def query_names(lake: Lake) -> list[str]:
    athena = lake.client("athena")
    ids = athena.list_named_queries(WorkGroup=lake.names.workgroup)["NamedQueryIds"]
    return sorted(query["Name"] for query in athena.batch_get_named_query(NamedQueryIds=ids)["NamedQueries"])


def test_two_up_at_once_make_one_lake(subject: Subject, proxy: Proxy) -> None:
    both(subject, proxy, "up")
    subject.assert_complete()
    names = query_names(subject.lake())
    assert len(names) == len(set(names)) > 0


@pytest.mark.long
def test_two_down_at_once_leave_nothing(up_subject: Subject, proxy: Proxy) -> None:
    both(up_subject, proxy, "down", "--yes")
    up_subject.assert_converges_down()


@pytest.mark.long
@pytest.mark.parametrize("_", range(8))
def test_two_at_once_again_and_again(subject: Subject, proxy: Proxy, _: int) -> None:
    both(subject, proxy, "up")
    subject.assert_complete()
    both(subject, proxy, "down", "--yes")


@pytest.fixture
def neighbours(endpoint: Endpoint, straight: Aws, tmp_path: Path) -> Iterator[list[Subject]]:
    """Lakes `alice` and `bob` with suffixed names, and `carol` without, in one account."""
    made = [
        Subject(endpoint, straight, tmp_path, "alice"),
        Subject(endpoint, straight, tmp_path, "bob"),
        Subject(endpoint, straight, tmp_path, "carol", suffix=False),
    ]
    yield made
    for subject in made:
        subject.assert_converges_down()


def everything(subject: Subject) -> dict[str, Any]:
    lake = subject.lake()
    read: dict[str, State | None] = read_all(lake.resources, lake.aws)
    return {key: state and (dict(state.fields), state.tags) for key, state in read.items()}


@pytest.mark.long
def test_lakes_in_one_account_leave_each_other_alone(neighbours: list[Subject]) -> None:
    for subject in neighbours:
        subject.assert_converges_up()
    names = [{r.id for r in subject.lake().resources} for subject in neighbours]
    assert not (names[0] & names[1]) | (names[0] & names[2]) | (names[1] & names[2])
    for subject in neighbours:
        others = [other for other in neighbours if other is not subject]
        before = [everything(other) for other in others]
        ended = subject.run(subject.endpoint.url, "down", "--yes")
        assert (ended.returncode, ended.stdout.splitlines()[-1]) == (0, "0 left."), ended.stdout
        assert [everything(other) for other in others] == before
        subject.assert_converges_up()
        assert [everything(other) for other in others] == before


def test_a_lake_of_the_same_names_and_another_tag_is_refused_and_left_alone(neighbours: list[Subject]) -> None:
    carol = neighbours[2]
    carol.assert_converges_up()
    dave = Subject(carol.endpoint, carol.straight, carol.folder, "dave", suffix=False)
    before = everything(carol)
    ended = dave.run(dave.endpoint.url, "up")
    assert ended.returncode == 1
    assert "part of lake 'carol', so left alone" in ended.stdout
    assert "Traceback" not in ended.stdout
    dave.run(dave.endpoint.url, "down", "--yes")
    assert everything(carol) == before
