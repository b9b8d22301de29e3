"""How objects are written to rows: versioned JSON, in a form of our own.

Each class that is kept has a :class:`Form`: a name, a version, and the list of its attributes that are kept. So a row
depends on no version of Python, moto or sqlglot. An object becomes ``{"$": "s3-acl", "v": 1, "f": {"grants": […]}}``;
what JSON lacks is written in the same way: ``{"$": "bytes", "b": "…"}``.
"""

from __future__ import annotations

import base64
import json
import logging
import uuid
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

log = logging.getLogger(__name__)

MARK = "$"
_DEFAULTS = {"dict": dict, "list": list}
_PLAIN = frozenset({type(None), bool, int, float, str})
_NESTED = frozenset({dict, list})


class NewerForm(Exception):
    """A later version of lakectl has written this."""


class Unkept(TypeError):
    """An object of a class that has no form."""


def _nothing() -> dict[str, Any]:
    return {}


@dataclass(frozen=True)
class Form:
    """How objects of ``cls`` are kept. ``fields``: names of attributes, separated by spaces.

    ``without``: attributes that are not kept, because they are found again from others. ``anew`` gives those that a
    new object has at its load. With a change of the fields, raise ``version``, and add to ``older`` what makes the
    fields of the version before the new ones.
    """

    kind: str
    cls: Any  # a class
    fields: str
    version: int = 1
    without: str = ""
    anew: Callable[[], Mapping[str, Any]] = _nothing
    older: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = field(default_factory=dict)

    def attributes(self, value: Any) -> dict[str, Any]:
        """What is kept of an object. An attribute that the form does not know is lost, and the log says so once."""
        known, state = _split(self.fields), vars(value)
        for name in state.keys() - known - _split(self.without):
            if (self.kind, name) not in _unknown:
                _unknown.add((self.kind, name))
                log.error("the attribute %s of %s is not kept over a restart", name, self.kind)
        return {name: each for name, each in state.items() if name in known}

    def make(self, attributes: Mapping[str, Any]) -> Any:
        made = self.cls.__new__(self.cls)
        made.__dict__.update(self.anew())
        made.__dict__.update(attributes)
        return made


_unknown: set[tuple[str, str]] = set()
_names: dict[str, frozenset[str]] = {}


def _split(names: str) -> frozenset[str]:
    if names not in _names:
        _names[names] = frozenset(names.split())
    return _names[names]


class Codec:
    """Writes and reads values that are made of the classes of ``forms``. For any thread."""

    def __init__(self, forms: Iterable[Form]) -> None:
        self._by_class: dict[type, Form] = {}
        self._by_kind: dict[str, Form] = {}
        self.forms = tuple(forms)
        for form in self.forms:
            self._by_class[form.cls] = form
            self._by_kind[form.kind] = form

    def dumps(self, value: Any) -> bytes:
        """Raises Unkept."""
        return json.dumps(self.encoded(value), separators=(",", ":")).encode()

    def loads(self, data: bytes) -> Any:
        """Raises NewerForm, KeyError for an unknown form, ValueError for what is no JSON."""
        return self.decoded(json.loads(data))

    def encoded(self, value: Any) -> Any:
        kind = type(value)
        if kind in _PLAIN:
            return value
        if kind is list:
            return [each if type(each) in _PLAIN else self.encoded(each) for each in value]
        if kind is dict and MARK not in value and all(type(key) is str for key in value):
            return {key: each if type(each) in _PLAIN else self.encoded(each) for key, each in value.items()}
        if kind in self._by_class:
            form = self._by_class[kind]
            return {MARK: form.kind, "v": form.version, "f": self._fields(form.attributes(value))}
        return self._special(kind, value)

    def _fields(self, attributes: dict[str, Any]) -> dict[str, Any]:
        return {name: each if type(each) in _PLAIN else self.encoded(each) for name, each in attributes.items()}

    def _special(self, kind: type, value: Any) -> Any:
        if kind is bytes:
            return {MARK: "bytes", "b": base64.b64encode(value).decode()}
        if kind is datetime:
            return {MARK: "time", "t": value.isoformat()}
        if kind is tuple:
            return {MARK: "tuple", "i": [self.encoded(each) for each in value]}
        if kind in (set, frozenset):
            return {MARK: "set", "i": [self.encoded(each) for each in value]}
        if kind is uuid.UUID:
            return {MARK: "uuid", "u": str(value)}
        if kind in (dict, OrderedDict, defaultdict):
            items = [[self.encoded(key), self.encoded(each)] for key, each in value.items()]
            made = {MARK: kind.__name__, "i": items}
            if kind is defaultdict:
                made["d"] = next(name for name, each in _DEFAULTS.items() if each is value.default_factory)
            return made
        if isinstance(value, str):  # moto has subclasses of it
            return str(value)
        raise Unkept(f"{kind.__module__}.{kind.__qualname__} has no form")

    def decoded(self, value: Any) -> Any:
        if type(value) is list:
            return [self.decoded(each) for each in value]
        if type(value) is not dict:
            return value
        kind = value.get(MARK)
        if kind is None:
            return {key: self.decoded(each) if type(each) in _NESTED else each for key, each in value.items()}
        if kind in _READERS:
            return _READERS[kind](self, value)
        return self._object(self._by_kind[kind], value)

    def _object(self, form: Form, value: dict[str, Any]) -> Any:
        version, fields = value["v"], value["f"]
        if version > form.version:
            raise NewerForm(f"{form.kind} has version {version}, and this lakectl reads versions up to {form.version}")
        while version < form.version:
            fields = form.older[version](fields)
            version += 1
        return form.make({name: self.decoded(each) if type(each) in _NESTED else each for name, each in fields.items()})

    def _items(self, value: dict[str, Any]) -> list[tuple[Any, Any]]:
        return [(self.decoded(key), self.decoded(each)) for key, each in value["i"]]


_READERS: dict[str, Callable[[Codec, dict[str, Any]], Any]] = {
    "bytes": lambda _, value: base64.b64decode(value["b"]),
    "time": lambda _, value: datetime.fromisoformat(value["t"]),
    "tuple": lambda codec, value: tuple(codec.decoded(each) for each in value["i"]),
    "set": lambda codec, value: {codec.decoded(each) for each in value["i"]},
    "uuid": lambda _, value: uuid.UUID(value["u"]),
    "dict": lambda codec, value: dict(codec._items(value)),
    "OrderedDict": lambda codec, value: OrderedDict(codec._items(value)),
    "defaultdict": lambda codec, value: defaultdict(_DEFAULTS[value["d"]], codec._items(value)),
}


def is_pickle(data: bytes) -> bool:
    """Whether a row is of format 1, which held pickles."""
    return data[:1] == b"\x80"
