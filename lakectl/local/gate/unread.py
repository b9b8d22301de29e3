"""A request to a service that is refused as a whole: only as much is read as a refusal in its protocol needs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from lakectl.local.gate import table
from lakectl.local.gate.names import Named, candidates

SMITHY = re.compile(r"/service/(\w+)/operation/(\w+)")
MAX_FIELDS = 1000


def read(environ: Mapping[str, Any], signing_name: str, body: bytes) -> dict[str, Any]:
    """``operation``, ``protocol``, ``body`` and ``refused_service`` of a Call."""
    services = candidates(signing_name)
    protocol = protocol_of(environ, services)
    if protocol == "json":
        prefix, _, operation = str(environ["HTTP_X_AMZ_TARGET"]).rpartition(".")
        found = next((each for each in services if each.target == prefix), None)
    elif protocol == "cbor":
        path = SMITHY.fullmatch(environ["PATH_INFO"])
        prefix, operation = path.groups() if path is not None else ("", "")
        found = next((each for each in services if each.target == prefix), None)
    elif protocol in ("query", "ec2"):
        operation, found = _action(environ, body), None
    else:
        ordered = sorted(services, key=lambda each: each.name in table.names())
        operation, found = _routed(environ, ordered)
    found = found or next(iter(services), None)
    full_name = found.full_name if found is not None else signing_name
    return {"operation": operation, "protocol": protocol, "body": body, "refused_service": full_name}


def is_for_another(environ: Mapping[str, Any], signing_name: str) -> bool:
    """Whether a request is for a service that shares its signing name with one of the table, and is not in it."""
    others = [each for each in candidates(signing_name) if each.name not in table.names()]
    prefix = str(environ.get("HTTP_X_AMZ_TARGET", "")).rpartition(".")[0]
    smithy = SMITHY.fullmatch(environ["PATH_INFO"])
    if prefix or smithy:
        return any(each.target == (prefix or (smithy and smithy[1])) for each in others)
    return _routed(environ, others)[1] is not None


def protocol_of(environ: Mapping[str, Any], services: Iterable[Named]) -> str:
    """The protocol in which to answer."""
    if "HTTP_X_AMZ_TARGET" in environ:
        return "json"
    if SMITHY.fullmatch(environ["PATH_INFO"]):
        return "cbor"
    known = {each.protocol for each in services}
    form = str(environ.get("CONTENT_TYPE", "")).startswith("application/x-www-form-urlencoded")
    if known & {"query", "ec2"} and (form or "Action=" in environ.get("QUERY_STRING", "")):
        return "ec2" if "ec2" in known else "query"
    return "rest-xml" if "rest-xml" in known else "rest"


def _action(environ: Mapping[str, Any], body: bytes) -> str:
    text = f"{environ.get('QUERY_STRING', '')}&{body.decode('utf-8', 'replace')}"
    try:
        return dict(parse_qsl(text, max_num_fields=MAX_FIELDS)).get("Action", "")
    except ValueError:
        return ""


def _routed(environ: Mapping[str, Any], services: Iterable[Named]) -> tuple[str, Named | None]:
    from moto.core.request import Request
    from moto.core.routing import get_service_router
    from werkzeug.exceptions import HTTPException

    for each in services:
        if each.protocol.startswith("rest"):
            try:
                operation, _ = get_service_router(each.name).match(Request(dict(environ), populate_request=False))
            except (HTTPException, LookupError, ValueError, NotImplementedError):
                continue
            return str(operation.name), each
    return f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}", None
