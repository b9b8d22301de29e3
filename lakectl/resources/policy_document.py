"""Policy documents, compared by what they mean and not by how they are written.

AWS does not hand a policy back as it was put: S3 reorders arrays and turns an array of one into a string, principals
are rewritten (hashicorp/terraform#2432, hashicorp/terraform-provider-aws#13144). The rules are those of the IAM user
guide: "Grammar of the IAM JSON policy language" and the pages of the single elements.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

Statement = dict[str, Any]

# What a document without Version means (IAM user guide, "IAM JSON policy elements: Version").
OLD_VERSION = "2008-10-17"
ACCOUNT_ROOT = re.compile(r"arn:[^:]+:iam::(\d{12}):root")


def parsed(document: Any) -> Any:
    """The document as an object. IAM gives it as URL-encoded JSON, which botocore decodes; some endpoints don't."""
    if not isinstance(document, str):
        return document
    return json.loads(document if document.lstrip().startswith("{") else unquote(document))


def statements(document: Any) -> list[Statement]:
    """The statements of a document (JSON, or the object; ``None`` = no policy). One alone needs no array around it."""
    found = (parsed(document) or {}).get("Statement", [])
    return [found] if isinstance(found, dict) else list(found)


def comparable(document: Any) -> Any:
    """The document in a form that is equal for documents of equal meaning. ``Id`` means nothing, nor does order."""
    if not isinstance(document, Mapping):
        return document
    unique = {json.dumps(each, sort_keys=True): each for each in map(comparable_statement, statements(document))}
    return {"Version": document.get("Version", OLD_VERSION), "Statement": [unique[key] for key in sorted(unique)]}


def comparable_documents(documents: Mapping[str, Any] | None) -> Any:
    """:func:`comparable` of each of several documents."""
    return documents and {name: comparable(document) for name, document in documents.items()}


def comparable_statements(found: Mapping[str, Statement] | None) -> Any:
    """:func:`comparable_statement` of each of several statements."""
    return found and {sid: comparable_statement(statement) for sid, statement in found.items()}


def comparable_statement(statement: Mapping[str, Any]) -> Statement:
    """A statement in a form that is equal for statements of equal meaning."""
    normal: Statement = {}
    for element, value in statement.items():
        if element in ("Action", "NotAction"):
            normal[element] = sorted({text.lower() for text in _texts(value)})  # not case-sensitive (element "Action")
        elif element in ("Resource", "NotResource"):
            normal[element] = sorted(set(_texts(value)))
        elif element in ("Principal", "NotPrincipal"):
            normal[element] = _principals(value)
        elif element == "Condition":
            if value:
                normal[element] = _conditions(value)
        else:
            normal[element] = value
    return normal


def _principals(value: Any) -> dict[str, list[str]]:
    # "*" and {"AWS": "*"} are equivalent; an account id is short for its root (element "Principal").
    named = {"AWS": value} if isinstance(value, str) else value
    return {kind: sorted({ACCOUNT_ROOT.sub(r"\1", text) for text in _texts(each)}) for kind, each in named.items()}


def _conditions(block: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, list[str]]]:
    # Names of keys are not case-sensitive, values are alternatives (element "Condition").
    normal: dict[str, dict[str, list[str]]] = {}
    for operator, keys in block.items():
        tests = normal.setdefault(operator.lower(), {})
        for key, values in keys.items():
            tests[key.lower()] = sorted(set(_texts(values)))
    return normal


def _texts(value: Any) -> list[str]:
    """A value or an array of them, as texts: true and 1 may be written without quotation marks."""
    values = value if isinstance(value, list | tuple) else [value]
    return [each if isinstance(each, str) else json.dumps(each) for each in values]
