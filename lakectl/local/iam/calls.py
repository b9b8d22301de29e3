"""An HTTP request of an AWS client, read as far as authorisation needs it: service, operation, parameters."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote

AUTHORIZATION = re.compile(r"Credential=([^/,\s]+)/\d+/([^/]+)/([^/]+)/aws4_request")
# Signing name → IAM prefix, where they differ.
PREFIXES = {"monitoring": "cloudwatch"}
MAX_BODY = 20 * 2**20  # no request but a PutObject and a function's package is larger
MAX_PACKAGE = 70 * 2**20  # 50 MB in base64
WITH_BODY = {"CreateFunction", "UpdateFunctionConfiguration"}  # of REST services: their body says what they need


@dataclass(frozen=True)
class Signature:
    """Who signed the request, for which region and service; ``service`` is the signing name."""

    access_key_id: str
    region: str = ""
    service: str = ""


@dataclass(frozen=True)
class Call:
    """``service`` is the IAM prefix; ``protocol`` is s3, json, query, rest or cbor."""

    service: str
    operation: str
    region: str
    protocol: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


def signature(environ: Mapping[str, Any]) -> Signature | None:
    """Of an Authorization header, or of a presigned URL; None for an anonymous request."""
    header = environ.get("HTTP_AUTHORIZATION", "")
    found = AUTHORIZATION.search(header)
    if found:
        return Signature(found[1], found[2], found[3])
    if header.startswith("AWS "):  # version 2, S3 only
        return Signature(header[4:].partition(":")[0], "", "s3")
    text = environ.get("QUERY_STRING", "")
    if "X-Amz-Credential=" in text or "AWSAccessKeyId=" in text:
        values = query(environ)
        parts = values.get("X-Amz-Credential", "").split("/")
        if len(parts) == 5:
            return Signature(parts[0], parts[2], parts[3])
        return Signature(values.get("AWSAccessKeyId", ""), "", "s3")
    return None


def query(environ: Mapping[str, Any]) -> dict[str, str]:
    """The query string's parameters, blank ones too."""
    return dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))


def read(environ: dict[str, Any], signed: Signature) -> Call:
    """The call of a signed request. It takes the body from ``wsgi.input`` and puts it back."""
    service = PREFIXES.get(signed.service, signed.service)
    if service in ("s3", "s3express"):
        return _s3(environ, signed)
    target = environ.get("HTTP_X_AMZ_TARGET")
    if target:
        body = _body(environ)
        return Call(service, target.rpartition(".")[2], signed.region, "json", json.loads(body or b"{}"))
    smithy = re.fullmatch(r"/service/[^/]+/operation/(\w+)", environ["PATH_INFO"])
    if smithy:
        return Call(service, smithy[1], signed.region, "cbor", _cbor(_body(environ)))
    form = dict(parse_qsl(environ.get("QUERY_STRING", "")))
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        form |= dict(parse_qsl(_body(environ).decode()))
    if "Action" in form:
        if service == "sqs":
            form.setdefault("QueueUrl", environ["PATH_INFO"])
        return Call(service, form["Action"], signed.region, "query", form)
    return _rest(service, environ, signed)


def _body(environ: dict[str, Any], limit: int = MAX_BODY) -> bytes:
    body: bytes = environ["wsgi.input"].read(limit)
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def _cbor(body: bytes) -> dict[str, Any]:
    from botocore.parsers import RpcV2CBORParser

    parser = RpcV2CBORParser()
    found: dict[str, Any] = parser.parse_data_item(parser.get_peekable_stream_from_bytes(body)) if body else {}
    return found


def _rest(service: str, environ: dict[str, Any], signed: Signature) -> Call:
    """REST services (Lambda) are known by method and path, from botocore's model."""
    from moto.core.request import Request
    from moto.core.routing import get_service_router
    from werkzeug.exceptions import HTTPException

    try:
        operation, arguments = get_service_router(service).match(Request(environ, populate_request=False))
    except (HTTPException, LookupError, ValueError):
        return Call(service, f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}", signed.region, "rest")
    names: dict[str, Any] = dict(parse_qsl(environ.get("QUERY_STRING", "")))
    if operation.name in WITH_BODY:
        names |= json.loads(_body(environ, MAX_PACKAGE) or b"{}")
    names |= {k: unquote(str(v)) for k, v in arguments.items()}
    return Call(service, operation.name, signed.region, "rest", names)


def _s3(environ: dict[str, Any], signed: Signature) -> Call:
    host = environ.get("HTTP_HOST", "").rpartition(":")[0] or environ.get("HTTP_HOST", "")
    path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace").lstrip("/")
    bucket = host.partition(".")[0] if host.endswith(".localhost") and host != "s3.localhost" else ""
    if not bucket:
        bucket, _, path = path.partition("/")
    arguments = query(environ)
    parameters: dict[str, Any] = {
        "bucket": bucket,
        "key": path,
        "query": arguments,
        "method": environ["REQUEST_METHOD"],
        "headers": {name[5:].replace("_", "-").lower(): v for name, v in environ.items() if name.startswith("HTTP_")},
    }
    makes_bucket = environ["REQUEST_METHOD"] == "PUT" and bucket and not path and not arguments
    if makes_bucket or ("delete" in arguments and environ["REQUEST_METHOD"] == "POST"):
        parameters["body"] = _body(environ)
    return Call("s3", environ["REQUEST_METHOD"], signed.region, "s3", parameters)
