"""Which events a pattern matches, and what a target gets of them.

The semantics are those of aws/event-ruler's README and of the cases that localstack recorded on AWS
(tests/aws/services/events/test_events_patterns.snapshot.json and test_events_inputs.snapshot.json): the cases here are
our own, in their words.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from lakectl.local.event_input import transform
from lakectl.local.event_matching import matches

ACCOUNT, REGION = "123456789012", "eu-west-1"
ITEMS = {"items": [{"sku": "a", "n": 1}, {"sku": "b", "n": 5}]}
ARN = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/nightly"
PATHS = {"all": "$.detail", "names": "$.detail.names", "name": "$.detail.name", "gone": "$.detail.gone"}
EVENT = {
    "id": "1",
    "source": "s",
    "detail-type": "t",
    "account": ACCOUNT,
    "region": REGION,
    "time": "2026-11-24T10:00:00Z",
    "resources": [],
    "detail": {"name": 'say "hi"', "names": ["x", "y"], "on": True},
}


@pytest.mark.parametrize(
    ("pattern", "event", "expected"),
    [
        ({"items": {"sku": ["b"]}}, ITEMS, True),
        ({"items": {"sku": ["c"]}}, ITEMS, False),
        ({"items": {"sku": ["b"], "n": [5]}}, ITEMS, True),
        ({"items": {"sku": ["a"], "n": [5]}}, ITEMS, False),  # each of them, but in two entries
        ({"items": {"sku": ["a", "b"], "n": [{"numeric": [">", 3]}]}}, ITEMS, True),
        ({"items": {"n": [{"exists": True}]}}, ITEMS, True),
        ({"items": {"other": [{"exists": False}]}}, ITEMS, True),
        ({"items": {"n": [{"exists": False}]}}, ITEMS, False),
        ({"resources": [{"exists": True}]}, {"resources": []}, False),
        ({"resources": [{"exists": False}]}, {"resources": []}, True),
        ({"a": [{"exists": True}]}, {"a": {}}, False),
        ({"a": [{"exists": True}]}, {"a": None}, True),
        ({"a": [None]}, {"a": None}, True),
        ({"a": [None]}, {}, False),
        ({"a": {"b": ["x"]}}, {"a.b": "x"}, True),
        ({"a.b": ["x"]}, {"a": {"b": "x"}}, True),
        ({"a": ["x"]}, {"a": ["y", ["x"]]}, True),
        ({"n": [1]}, {"n": 1.0}, True),
        ({"n": [1]}, {"n": True}, False),
        ({"n": ["1"]}, {"n": 1}, False),
        ({"n": [{"numeric": [">=", 0, "<", 2]}]}, {"n": [5, 1]}, True),
        ({"s": [{"prefix": ""}]}, {"s": "x"}, True),
        ({"s": [{"suffix": {"equals-ignore-case": ".PNG"}}]}, {"s": "a.png"}, True),
        ({"s": [{"wildcard": "a*b*c"}]}, {"s": "a--b--c"}, True),
        ({"s": [{"wildcard": "a*b*c"}]}, {"s": "a--c"}, False),
        ({"s": [{"wildcard": "ab*ba"}]}, {"s": "aba"}, False),
        ({"s": [{"wildcard": r"a\*b"}]}, {"s": "a*b"}, True),
        ({"s": [{"wildcard": r"a\*b"}]}, {"s": "axb"}, False),
        ({"s": [{"cidr": "10.0.0.0/24"}]}, {"s": "10.0.0.9"}, True),
        ({"s": [{"cidr": "10.0.0.0/24"}]}, {"s": "no address"}, False),
        ({"s": [{"anything-but": "x"}]}, {"s": None}, True),
        ({"s": [{"anything-but": "x"}]}, {}, False),
        ({"s": [{"anything-but": {"prefix": ["a", "b"]}}]}, {"s": "bx"}, False),
        ({"s": [{"anything-but": {"prefix": "a"}}]}, {"s": 5}, True),
        ({"$or": [{"a": [1]}, {"b": [2]}]}, {"b": 2}, True),
        ({"$or": [{"a": [1]}, {"b": [2]}], "c": [3]}, {"b": 2}, False),
        ({"items": {"$or": [{"sku": ["a"]}, {"sku": ["b"]}], "n": [5]}}, ITEMS, True),
    ],
)
def test_a_pattern_matches(pattern: Any, event: Any, expected: bool) -> None:
    assert matches(pattern, event) is expected


@given(st.text("ab*", max_size=8), st.text("ab", max_size=10))
def test_a_wildcard_is_any_text(pattern: str, text: str) -> None:
    import fnmatch

    assert matches({"s": [{"wildcard": pattern}]}, {"s": text}) is fnmatch.fnmatchcase(text, pattern)


def test_large_arrays_are_searched_once() -> None:
    """Each entry of one array with each of another would be 25 million ways."""
    event = {"a": [{"x": 1}] * 5_000, "b": [{"y": 2}] * 5_000, "c": 3}
    assert not matches({"a": {"x": [1]}, "b": {"y": [2]}, "c": [4]}, event)
    assert not matches({"a": {"x": [1], "y": [2]}, "c": [3]}, event | {"a": [{"x": 1, "y": 3}] * 20_000})


def test_choices_do_not_multiply() -> None:
    """Forty of two are 10^12 ways."""
    one = {"a": 1, "b": 1}
    pattern = {f"k{number}": {"$or": [{"a": [1]}, {"b": [1]}]} for number in range(40)}
    event = {f"k{number}": one for number in range(40)}
    assert matches(pattern, event)
    assert not matches(pattern | {"last": [1]}, event)
    assert not matches(pattern, event | {"k39": {"a": 2, "b": 2}})


SKU, NUMBER = st.sampled_from("ab"), st.integers(0, 2)
ENTRIES = st.lists(
    st.fixed_dictionaries({}, optional={"sku": SKU, "n": NUMBER, "tags": st.lists(SKU, max_size=2)}), max_size=3
)


@given(ENTRIES, SKU, NUMBER, SKU)
def test_conditions_on_an_array_hold_in_one_entry(entries: list[dict[str, Any]], sku: str, n: int, tag: str) -> None:
    pattern = {"items": {"sku": [sku], "$or": [{"n": [n]}, {"tags": [tag]}]}}
    expected = any(each.get("sku") == sku and (each.get("n") == n or tag in each.get("tags", [])) for each in entries)
    assert matches(pattern, {"items": entries}) is expected


@pytest.mark.parametrize("event", ['"text"', '["text"]', "text", '{"testEvent": "value"}'])
def test_what_is_no_event_is_refused(client: Callable[..., Any], event: str) -> None:
    with pytest.raises(ClientError, match=r"Parameter Event is not valid\.") as refused:
        client("events").test_event_pattern(Event=event, EventPattern='{"a": [1]}')
    assert refused.value.response["Error"]["Code"] == "ValidationException"


@pytest.mark.parametrize(
    ("comparison", "reason"),
    [
        ({"anything-but": {"prefix": {"equals-ignore-case": "a"}}}, "Value of anything-but must be an array or single"),
        ({"anything-but": None}, "Value of anything-but must be an array or single"),
        ({"anything-but": ["a", None]}, "Inside anything but list, start|null|boolean is not supported."),
        ({"anything-but": {"prefix": ""}}, "Null prefix/suffix not allowed"),
        ({"anything-but": {"suffix": 1}}, "prefix/suffix match pattern must be a string"),
        ({"anything-but": {"equals-ignore-case": [1]}}, "Inside anything-but/equals-ignore-case list, number|start|"),
        ({"numeric": 10}, "Value of numeric must be an array."),
        ({"numeric": [">", 0, ">", 0]}, "Bad numeric range operator: >"),
        ({"numeric": [">", 0, "<"]}, "Value of < must be numeric"),
        ({"cidr": "10.0.0.0"}, "Malformed CIDR, one '/' required"),
        ({"cidr": "10.0.0.0/x"}, "Malformed CIDR, mask bits must be an integer"),
        ({"cidr": "10.0.x/8"}, "Nonstandard IP address: 10.0.x"),
        ({"cidr": ["10.0.0.0/8"]}, "prefix match pattern must be a string"),
        ({"wildcard": "a**"}, "Consecutive wildcard characters at pos 2"),
    ],
)
def test_a_pattern_is_refused_in_the_words_of_aws(client: Callable[..., Any], comparison: Any, reason: str) -> None:
    with pytest.raises(ClientError) as refused:
        client("events").test_event_pattern(Event=json.dumps(EVENT), EventPattern=json.dumps({"a": [comparison]}))
    error = refused.value.response["Error"]
    assert error["Code"] == "InvalidEventPatternException"
    assert error["Message"].startswith(f"Event pattern is not valid. Reason: {reason}")


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ('"<name> of <names>, <gone>."', '"say \\"hi\\" of [x,y], ."'),
        ('"<names> one"\n"<gone> two"', '"[x,y] one"\n" two"'),
        ('{"list": <names>, "name": <name>, "in": "it is <name>", "gone": <gone>}',
         '{"list": ["x", "y"], "name": "say \\"hi\\"", "in": "it is say \\"hi\\"", "gone": ""}'),
        ('"<aws.events.rule-name> <aws.events.rule-arn>"', f'"nightly {ARN}"'),
        ('{"all": <aws.events.event.json>}', json.dumps({"all": EVENT})),
    ],
)  # fmt: skip
def test_a_template_is_filled(template: str, expected: str) -> None:
    assert transform(template, PATHS, EVENT, ARN) == expected


def test_the_event_of_a_template_has_no_detail() -> None:
    found = json.loads(transform('{"event": <aws.events.event>}', {}, EVENT, ARN))["event"]
    assert found.keys() == {"id", "source", "detailType", "account", "region", "time", "resources"}


@pytest.mark.parametrize("template", ['{"list": "<names>"}', "<names> unquoted"])
def test_what_would_be_no_json_is_not_delivered(template: str) -> None:
    with pytest.raises(ValueError, match=r"delimiter|Extra data"):
        transform(template, PATHS, EVENT, ARN)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"InputTransformer": {"InputPathsMap": {"a": "$.detail"}, "InputTemplate": '"<a> and <b>"'}},
            "InputTemplate for target 1 contains invalid placeholder b.",
        ),
        (
            {"InputPath": "$.detail", "Input": "{}"},
            "Only one of Input, InputPath, or InputTransformer must be provided for target 1.",
        ),
    ],
)
def test_a_target_that_asks_for_what_cannot_be_is_refused(
    client: Callable[..., Any], unique: str, settings: dict[str, Any], message: str
) -> None:
    events = client("events")
    events.put_rule(Name=unique, EventPattern='{"source": ["none"]}')
    try:
        target = {"Id": "1", "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:q", **settings}
        with pytest.raises(ClientError) as refused:
            events.put_targets(Rule=unique, Targets=[target])
        assert refused.value.response["Error"] == {"Code": "ValidationException", "Message": message}
    finally:
        events.delete_rule(Name=unique)
