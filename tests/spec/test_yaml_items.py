"""YAML as the configuration reads it."""

from __future__ import annotations

import pytest

from lakectl.errors import UsageError
from lakectl.spec.yaml_items import Item, load


def item(text: str) -> Item:
    return load(text, "lake.yaml")


def test_keys_are_text_as_written_and_values_are_what_yaml_says() -> None:
    assert item("on: yes\nno: {off: 1.5, 007: null}\n").value == {"on": True, "no": {"off": 1.5, "007": None}}
    assert item("# nothing\n").value == {}
    assert [each.text() for each in item("a: [NO, 007, -, ~x]").mapping()["a"].sequence()] == ["NO", "007", "-", "~x"]


def test_every_value_knows_its_line_and_its_key() -> None:
    lake = item("a:\n  b:\n    - x\n    - y\n").mapping()["a"].mapping()["b"]
    assert (lake.key, lake.line) == ("a.b", 2)
    assert [(each.key, each.line) for each in lake.sequence()] == [("a.b", 3), ("a.b", 4)]


def test_what_stands_in_parentheses_is_one_value() -> None:
    text = "a: [day(x), bucket(8, y), 'f(1', 2]\nb: {type: decimal(10,2), sql: round(f(x, 1), 2) > 0, c: 1}\n"
    assert item(text).value == {
        "a": ["day(x)", "bucket(8, y)", "f(1", 2],
        "b": {"type": "decimal(10, 2)", "sql": "round(f(x, 1), 2) > 0", "c": 1},
    }


def test_anchors_and_merges_are_followed_and_what_a_map_itself_says_wins() -> None:
    text = "base: &base {a: 1, b: 2}\none: &one {<<: *base, b: 3}\ntwo: *one\n"
    assert item(text).value == {"base": {"a": 1, "b": 2}, "one": {"a": 1, "b": 3}, "two": {"a": 1, "b": 3}}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: 1\nb: 2\na: 3\n", "lake.yaml:3: the key 'a' is given twice; first in line 1"),
        ("? [a]\n: 1\n", "lake.yaml:1: a key must be one word, found a list or a map"),
        ("a: [", "lake.yaml:1: not valid YAML: expected the node content, but found '<stream end>'"),
        ("a: 'x\n", "lake.yaml:2: not valid YAML: found unexpected end of stream"),
        ("a: *b\n", "lake.yaml:1: not valid YAML: found undefined alias 'b'"),
        ("a: &a [*a]\n", "lake.yaml:1: this value contains itself"),
        ("a: !!python/name:os.system x\n", "lake.yaml:1: a: not a value that YAML allows here"),
        ("a: 2025-02-30\n", "lake.yaml:1: a: not a value that YAML allows here: day is out of range for month"),
        ("a: \x07\n", "lake.yaml:1: not valid YAML: unacceptable character #x0007"),
    ],
)
def test_what_cannot_be_read_is_one_line(text: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        assert item(text).value
    assert caught.value.message.startswith(says)
    assert "\n" not in caught.value.message
