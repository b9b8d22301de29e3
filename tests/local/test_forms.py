"""A form keeps every attribute that its class has: a version of moto with another one is noticed here."""

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import Any

import pytest

from lakectl.local.durable import forms_dynamodb, forms_s3
from lakectl.local.durable.forms import Form

# Set by the code of a class, and not on its objects: moto's buffer of a key, which is a file of ours instead.
NOT_KEPT = {"s3-key": {"_value_buffer", "lock"}}
FORMS = [*forms_s3.CODEC.forms, forms_s3.KEY, *forms_dynamodb.CODEC.forms]


def assigned(cls: type) -> set[str]:
    """The attributes that the code of a class and of its bases in moto sets on ``self``."""
    found: set[str] = set()
    for base in cls.__mro__:
        if base.__module__.startswith("moto."):
            for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(base)))):
                targets: list[Any] = getattr(node, "targets", None) or [getattr(node, "target", None)]
                for target in targets:
                    parts = target.elts if isinstance(target, ast.Tuple) else [target]
                    found |= {each.attr for each in parts if isinstance(each, ast.Attribute) and is_self(each.value)}
    return {name for name in found if not isinstance(inspect.getattr_static(cls, name, None), property)}


def is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


@pytest.mark.parametrize("form", [form for form in FORMS if form.fields], ids=lambda form: form.kind)
def test_a_form_knows_every_attribute_of_its_class(form: Form) -> None:
    known = set(form.fields.split()) | set(form.without.split()) | NOT_KEPT.get(form.kind, set())
    assert assigned(form.cls) - known == set()


def test_two_classes_never_have_one_name() -> None:
    for codec in (forms_s3.CODEC, forms_dynamodb.CODEC):
        kinds = [form.kind for form in codec.forms]
        assert len(kinds) == len(set(kinds))
