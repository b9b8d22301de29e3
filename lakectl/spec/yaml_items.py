"""YAML whose every value knows its line and its dotted key, so that a refusal can name both.

Keys are text as written: YAML 1.1 would read the bare keys ``on`` and ``no`` as booleans. A key given twice is refused.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

import yaml

from lakectl.errors import UsageError


def load(text: str, path: Path | str) -> Item:
    """The document in ``text``; ``path`` is what messages call it.

    Raises UsageError for what is not YAML, for a key given twice and for a value that contains itself.
    """
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node is None:
            node = yaml.MappingNode("tag:yaml.org,2002:map", [], yaml.Mark("", 0, 0, 0, "", 0), None)
        _check(loader, node, str(path), (), set())
        return Item(str(path), "", node.start_mark.line + 1, node, loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UsageError(f"{path}:{line}: not valid YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise UsageError(f"{path}:1: not valid YAML: {str(error).splitlines()[0]}") from None


def read(path: Path) -> Item:
    """The document in the file at ``path``. Raises UsageError, also when it can't be read."""
    try:
        return load(path.read_text(encoding="utf-8"), path)
    except FileNotFoundError:
        raise UsageError(f"no config file at {path}", "name one with -c/--config") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"can't read {path}: {error}") from None


def _check(
    loader: yaml.SafeLoader, node: yaml.Node, path: str, above: tuple[yaml.Node, ...], done: set[yaml.Node]
) -> None:
    if any(node is other for other in above):
        raise UsageError(f"{path}:{node.start_mark.line + 1}: this value contains itself")
    if node in done:  # an alias names it again
        return
    done.add(node)
    if isinstance(node, yaml.CollectionNode) and node.flow_style:
        _join_parentheses(node)
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _check(loader, item, path, (*above, node), done)
    if not isinstance(node, yaml.MappingNode):
        return
    seen: dict[str, int] = {}
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise UsageError(f"{path}:{line}: a key must be one word, found a list or a map")
        if key.value in seen:
            raise UsageError(f"{path}:{line}: the key {key.value!r} is given twice; first in line {seen[key.value]}")
        seen[key.value] = line
        _check(loader, value, path, (*above, node), done)
    loader.flatten_mapping(node)  # `<<: *anchor`; what the map itself says comes last and wins


def _join_parentheses(node: yaml.CollectionNode) -> None:
    """In ``[…]`` and ``{…}`` YAML ends a value at each comma: ``[bucket(8, zone)]`` would be two. Join what belongs to
    one pair of parentheses, unless it is in quotes."""
    joined: list[Any] = []
    for part in node.value:
        text: Any = joined[-1] if joined else None
        more: Any = part
        if isinstance(node, yaml.MappingNode):
            text, more = (text[1] if text else None), (part[0] if part[1].value == "" else None)
        if _plain(text) and _plain(more) and text.value.count("(") > text.value.count(")"):
            text.value = f"{text.value}, {more.value}"
            text.tag = "tag:yaml.org,2002:str"
        else:
            joined.append(part)
    node.value = joined


def _plain(node: Any) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.style is None


@dataclass(frozen=True)
class Item:
    """One value. ``key``: its dotted key, empty for the document; ``line``: of the key, from 1."""

    path: str
    key: str
    line: int
    node: yaml.Node
    loader: yaml.SafeLoader

    def refuse(self, problem: str, hint: str | None = None) -> NoReturn:
        """Raise UsageError in the form ``file:line: key: problem``."""
        where = f"{self.key}: " if self.key else ""
        raise UsageError(f"{self.path}:{self.line}: {where}{problem}", hint)

    @property
    def name(self) -> str:
        """The last part of the dotted key."""
        return self.key.rpartition(".")[2]

    @property
    def is_map(self) -> bool:
        return isinstance(self.node, yaml.MappingNode)

    @property
    def is_list(self) -> bool:
        return isinstance(self.node, yaml.SequenceNode)

    @property
    def is_null(self) -> bool:
        return self.node.tag == "tag:yaml.org,2002:null"

    @cached_property
    def value(self) -> Any:
        """As plain Python: dicts with text keys, lists, text, numbers, booleans, None."""
        if isinstance(self.node, yaml.MappingNode):
            return {key: item.value for key, item in self.mapping().items()}
        if isinstance(self.node, yaml.SequenceNode):
            return [item.value for item in self.sequence()]
        try:
            return self.loader.construct_object(self.node, deep=True)
        except (yaml.MarkedYAMLError, ValueError) as error:
            self.refuse(f"not a value that YAML allows here: {getattr(error, 'problem', error)}")

    def mapping(self, what: str = "keys and values") -> Mapping[str, Item]:
        """Key as written -> value. ``what`` says what was expected, for the refusal of anything else."""
        if not isinstance(self.node, yaml.MappingNode):
            self.refuse(f"expected {what}, found {self._shown()}")
        above = f"{self.key}." if self.key else ""
        return {
            key.value: Item(self.path, above + key.value, key.start_mark.line + 1, value, self.loader)
            for key, value in self.node.value
        }

    def sequence(self, what: str = "a list") -> list[Item]:
        if not isinstance(self.node, yaml.SequenceNode):
            self.refuse(f"expected {what}, found {self._shown()}")
        return [Item(self.path, self.key, value.start_mark.line + 1, value, self.loader) for value in self.node.value]

    def one_or_more(self, what: str) -> list[Item]:
        """The items of a list, or the one value that stands in its place."""
        return self.sequence() if self.is_list else [self] if self._is_text else self.sequence(what)

    @property
    def _is_text(self) -> bool:
        return isinstance(self.node, yaml.ScalarNode) and not self.is_null

    def text(self, what: str = "text") -> str:
        """A scalar as it is written: ``NO`` and ``007`` are text here."""
        if not self._is_text:
            self.refuse(f"expected {what}, found {self._shown()}")
        return str(self.node.value)

    def flag(self) -> bool:
        if not isinstance(self.value, bool):
            self.refuse(f"{self._shown()} is not allowed; expected true or false")
        return bool(self.value)

    def choice(self, allowed: Iterable[str]) -> str:
        """Text that is one of ``allowed``."""
        allowed = tuple(allowed)
        text = self.text(f"one of {', '.join(allowed)}")
        if text not in allowed:
            self.refuse(f"{text!r} is not allowed; expected {', '.join(allowed)}")
        return text

    def known(self, keys: Iterable[str], what: str = "keys and values") -> Mapping[str, Item]:
        """As :meth:`mapping`, with a refusal of keys that are not among ``keys``."""
        keys = tuple(keys)
        found = self.mapping(what)
        for key, item in found.items():
            if key not in keys:
                near = difflib.get_close_matches(key, keys, n=1)
                mean = f"; did you mean {near[0]!r}?" if near else f"; known here: {', '.join(keys)}"
                item.refuse(f"unknown key{mean}")
        return found

    def _shown(self) -> str:
        if self.is_map:
            return "keys and values"
        if self.is_list:
            return "a list"
        return "nothing" if self.is_null else repr(self.node.value)
