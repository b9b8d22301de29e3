"""Which sources of a run wait for which."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from lakectl.config import Config


@pytest.fixture
def spec() -> Any:
    """``c`` looks up ``b``, which looks up ``a``; ``d`` looks up nothing."""
    number = {"type": "bigint"}
    sources: dict[str, Any] = {}
    for name, other in (("a", ""), ("b", "a"), ("c", "b"), ("d", "")):
        sources[name] = {"keys": ["id"], "columns": {"id": number, "ref": number, f"text_{name}": "string"}}
        if other:
            sources[name]["lookups"] = {other: {"on": "ref", "take": [f"text_{other}"]}}
    return Config.model_validate({"sources": sources}).spec


def test_a_source_is_compared_once_what_it_looks_up_is_readable_and_written_once_that_is_committed(spec: Any) -> None:
    from lake.loading_order import in_order

    compared_b, said = threading.Event(), []

    def bring_up(place: Any) -> str:
        if place.source == "a":
            place.let_others_read()
            assert compared_b.wait(20)  # b is compared while a is at work
            said.append("a is committed")
        if place.source == "b":
            compared_b.set()
            place.wait_to_write()
            said.append("b is committed")
        if place.source == "c":
            said.append("c is compared")
        return place.source

    assert in_order(spec, ["a", "b", "c"], bring_up) == {"a": "a", "b": "b", "c": "c"}
    assert said == ["a is committed", "b is committed", "c is compared"]  # b never said that others may read it


def test_who_is_alone_is_told(spec: Any) -> None:
    from lake.loading_order import in_order

    assert in_order(spec, ["a", "b", "c", "d"], lambda place: place.is_alone) == {
        "a": False,
        "b": True,
        "c": True,
        "d": False,
    }


def test_what_fails_keeps_those_that_look_it_up_from_writing(spec: Any) -> None:
    from lake.loading_order import in_order

    written, compared_b = [], threading.Event()

    def bring_up(place: Any) -> None:
        if place.source == "a":
            place.let_others_read()
            assert compared_b.wait(20)
            raise RuntimeError("no commit")
        compared_b.set()
        place.wait_to_write()
        written.append(place.source)

    with pytest.raises(RuntimeError, match="no commit"):
        in_order(spec, ["a", "b", "c"], bring_up)
    assert written == []
