"""An HTTP request of an AWS client, read once: service, operation, parameters, account.

What is read here is what the policies are asked about, and ``rewrite`` hands moto nothing but that: a request that
could be read in another way is refused, and what the operation does not have as a parameter is left out.
"""

from __future__ import annotations

import io
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

from lakectl.local.gate import names, pretend, unread
from lakectl.local.iam import models, refusals, s3_deletion
from lakectl.local.iam.refusals import Refused, malformed
from lakectl.local.iam.s3_address import Address
from lakectl.local.iam.signature import AUTHENTICATION, Signature

UNKNOWN = "unknown"
CALL = "lakectl.call"  # the WSGI environ's name of the Call
# Signing name → IAM prefix, where they differ.
PREFIXES = {"monitoring": "cloudwatch"}
MAX_BODY = 20 * 2**20  # of all that is not an object
MAX_XML = 4 * 2**20  # S3's; DeleteObjects with 1,000 keys of 1 KB is the largest
MAX_LAMBDA_BODY = 70_167_211  # what CreateFunction says: "Request must be smaller than 70167211 bytes"
WITH_CODE = {"CreateFunction", "UpdateFunctionCode", "PublishLayerVersion"}
MAX_FIELDS = 10_000
FORM = "application/x-www-form-urlencoded"
JSON_TYPES = ("application/x-amz-json-1.0", "application/x-amz-json-1.1", "application/json")
TARGET = re.compile(r"(\w+(?:\.\w+)*)\.(\w+)")
SMITHY = re.compile(r"/service/(\w+)/operation/(\w+)")
OBJECT_POSTS = {"uploads", "uploadId", "restore", "select"}
BUCKET_POSTS = {"delete", "metadataConfiguration", "metadataTable"}
QUEUE_PATH = re.compile(r"/\d{12}/[\w-]{1,80}(\.fifo)?")


@dataclass(frozen=True)
class Call:
    """``service`` is the IAM prefix; ``protocol`` is s3, json, query, ec2, rest, rest-xml, cbor or unknown."""

    service: str
    operation: str
    region: str
    protocol: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    signed: Signature = field(default_factory=lambda: Signature(""))
    account: str = ""
    address: Address | None = None
    in_path: Mapping[str, str] = field(default_factory=dict)  # of a REST call
    in_body: Mapping[str, Any] = field(default_factory=dict)  # of a REST call whose body is JSON
    wire: Mapping[str, Any] = field(default_factory=dict)  # what ``rewrite`` puts into the WSGI environ
    body: bytes = b""
    refused_service: str = ""  # the full name of a service that is refused as a whole

    @property
    def access_key_id(self) -> str:
        return self.signed.access_key_id


def protocol_of(environ: Mapping[str, Any], signed: Signature | None) -> str:
    """In which protocol to answer a request that can't be read."""
    if "HTTP_X_AMZ_TARGET" in environ:
        return "json"
    if SMITHY.fullmatch(environ["PATH_INFO"]):
        return "cbor"
    if signed is None:
        return "query" if _media_type(environ) == FORM else "s3"
    if signed.service in ("s3", "s3express"):
        return "s3"
    return unread.protocol_of(environ, names.candidates(signed.service))


def query(environ: Mapping[str, Any]) -> dict[str, str]:
    """The query string's parameters, blank ones too, without those that authenticate. Raises Refused for doubles."""
    return _once(environ.get("QUERY_STRING", ""), AUTHENTICATION)


def _once(text: str, without: Any = ()) -> dict[str, str]:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        raise Refused(malformed("The query string contains a syntax error.")) from None
    found = {name: value for name, value in pairs if name not in without}
    if len(found) != sum(name not in without for name, _ in pairs):
        twice = next(name for name, _ in pairs if sum(each == name for each, _ in pairs) > 1)
        raise Refused(malformed(f"The parameter {twice[:100]!r} is given more than once."))
    return found


def read_body(environ: dict[str, Any], signed: Signature) -> bytes:
    """The whole body, of what is not an object. Raises Refused when it is too large."""
    most = MAX_LAMBDA_BODY if signed.service == "lambda" else MAX_BODY
    body: bytes = environ["wsgi.input"].whole(most + 1)
    if len(body) > most:
        raise Refused(refusals.TOO_LARGE)
    return body


def read(environ: Mapping[str, Any], signed: Signature, body: bytes, address: Address | None, account: str) -> Call:
    """The call of a signed request. Raises Refused."""
    service = PREFIXES.get(signed.service, signed.service)
    if address is not None:
        return _s3(environ, signed, address, account, body)
    known: dict[str, Any] = {"service": service, "region": signed.region, "signed": signed, "account": account}
    if not pretend.is_offered(signed.service):
        return Call(**known, **unread.read(environ, signed.service, body))
    try:
        return Call(**known, **_of_service(environ, signed, body))
    except Refused as refused:
        if refused.refusal is refusals.UNKNOWN_OPERATION and unread.is_for_another(environ, signed.service):
            return Call(**known, **unread.read(environ, signed.service, body))
        raise


def _of_service(environ: Mapping[str, Any], signed: Signature, body: bytes) -> dict[str, Any]:
    body = _unzipped(environ, body)
    if signed.service == "s3":
        return _rest("s3control", environ, body)
    model = models.service(signed.service)
    target, smithy = environ.get("HTTP_X_AMZ_TARGET"), SMITHY.fullmatch(environ["PATH_INFO"])
    if target or smithy:
        if (target and smithy) or "Action" in dict(parse_qsl(environ.get("QUERY_STRING", ""))):
            raise Refused(refusals.UNKNOWN_OPERATION)
        if smithy is None:
            return _json(environ, signed, str(target), body)
        if model is not None and smithy[1] != model.metadata.get("targetPrefix"):
            raise Refused(refusals.UNKNOWN_OPERATION)
        return _cbor(smithy[2], body)
    if model is not None and model.protocol.startswith("rest") and "query" not in model.metadata.get("protocols", ()):
        return _rest(signed.service, environ, body)
    if model is None:
        return _unknown(environ, body)
    return _query(environ, signed, body)


def _media_type(environ: Mapping[str, Any]) -> str:
    return str(environ.get("CONTENT_TYPE", "")).partition(";")[0].strip().lower()


def _unzipped(environ: Mapping[str, Any], body: bytes) -> bytes:
    """SDKs compress the large requests of some services."""
    encoding = str(environ.get("HTTP_CONTENT_ENCODING", "")).lower()
    if encoding != "gzip":
        return body
    try:
        unpacked = zlib.decompressobj(31).decompress(body, MAX_BODY + 1)
    except zlib.error:
        raise Refused(malformed("The body is not in the encoding that the request says.")) from None
    if len(unpacked) > MAX_BODY:
        raise Refused(refusals.TOO_LARGE)
    return unpacked


def _json(environ: Mapping[str, Any], signed: Signature, target: str, body: bytes) -> dict[str, Any]:
    found = TARGET.fullmatch(target)
    if found is None or _media_type(environ) not in JSON_TYPES:
        raise Refused(refusals.UNKNOWN_OPERATION)
    names = models.parameters(signed.service, found[2], found[1])
    given = parameters = _object(body)
    if names is not None and not parameters.keys() <= names:
        parameters = {name: value for name, value in parameters.items() if name in names}
    if b"null" in body:
        parameters = _without_nulls(parameters)
    if parameters is not given:
        body = json.dumps(parameters).encode()
    wire = {"CONTENT_TYPE": _media_type(environ), "HTTP_X_AMZ_TARGET": target}
    return {"operation": found[2], "protocol": "json", "parameters": parameters, "wire": wire, "body": body}


def _without_nulls(value: Any) -> Any:
    """null is as good as nothing in the JSON protocols; moto would take it for a value."""
    if isinstance(value, dict):
        return {name: _without_nulls(each) for name, each in value.items() if each is not None}
    return [_without_nulls(each) for each in value] if isinstance(value, list) else value


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise Refused(malformed("The body is no JSON.")) from None
    if not isinstance(found, dict):
        raise Refused(malformed("The body is no JSON object."))
    return found


def _cbor(operation: str, body: bytes) -> dict[str, Any]:
    from botocore.parsers import ResponseParserError, RpcV2CBORParser

    parser = RpcV2CBORParser()
    try:
        parameters = parser.parse_data_item(parser.get_peekable_stream_from_bytes(body)) if body else {}
    except (ResponseParserError, ValueError, TypeError, IndexError, RecursionError, OverflowError):
        raise Refused(malformed("The body is no CBOR.")) from None
    if not isinstance(parameters, dict):
        raise Refused(malformed("The body is no CBOR map."))
    wire = {"CONTENT_TYPE": "application/cbor"}
    return {"operation": operation, "protocol": "cbor", "parameters": parameters, "wire": wire, "body": body}


def _query(environ: Mapping[str, Any], signed: Signature, body: bytes) -> dict[str, Any]:
    if body and _media_type(environ) != FORM:
        raise Refused(refusals.UNKNOWN_OPERATION)
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise Refused(malformed("The body is no UTF-8.")) from None
    both = "&".join(each for each in (environ.get("QUERY_STRING", ""), text) if each)
    form = _once(both, AUTHENTICATION)
    operation = form.get("Action", "")
    names = models.query_parameters(signed.service, operation)
    if names is not None:
        form = {name: value for name, value in form.items() if name.partition(".")[0] in names}
    path = "/"
    if signed.service == "sqs" and QUEUE_PATH.fullmatch(environ["PATH_INFO"]):
        path = environ["PATH_INFO"]
        form.setdefault("QueueUrl", path)
    wire = {"CONTENT_TYPE": FORM, "REQUEST_METHOD": "POST", "PATH_INFO": path, "RAW_URI": path}
    encoded = urlencode(form).encode()
    protocol = "ec2" if signed.service == "ec2" else "query"
    return {"operation": operation, "protocol": protocol, "parameters": form, "wire": wire, "body": encoded}


def _unknown(environ: Mapping[str, Any], body: bytes) -> dict[str, Any]:
    """Of a service whose model is not known by its signing name: nobody's policies let it through."""
    wire = {name: environ.get(name, "") for name in ("PATH_INFO", "QUERY_STRING", "RAW_URI", "CONTENT_TYPE")}
    operation = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
    return {"operation": operation, "protocol": UNKNOWN, "wire": wire, "body": body}


def _rest(service: str, environ: Mapping[str, Any], body: bytes) -> dict[str, Any]:
    """REST services (Lambda) are known by method and path, from botocore's model."""
    from moto.core.request import Request
    from moto.core.routing import get_service_router
    from werkzeug.exceptions import HTTPException

    try:
        operation, arguments = get_service_router(service).match(Request(dict(environ), populate_request=False))
    except (HTTPException, LookupError, ValueError, NotImplementedError):
        raise Refused(refusals.UNKNOWN_OPERATION) from None
    shape = operation.input_shape
    members = shape.members if shape is not None else {}
    where = {name: each.serialization.get("location", "") for name, each in members.items()}
    in_path = {name: unquote(str(value)) for name, value in arguments.items()}
    in_query = _rest_query(environ, members, where)
    in_body: dict[str, Any] = {}
    payload = shape is not None and "payload" in shape.serialization
    if body and not payload and operation.service_model.protocol == "rest-json":
        found = _object(body)
        found = _without_nulls(found) if b"null" in body else found
        spelled = {members[name].serialization.get("name", name) for name in members if not where[name]}
        in_body = {name: value for name, value in found.items() if name in spelled}
        if operation.name in WITH_CODE:
            body = b""  # up to 67 MB, which are in ``in_body`` now
        elif len(in_body) != len(found) or b"null" in body:
            body = json.dumps(in_body).encode()
    path = operation.http["requestUri"].partition("?")
    for name, value in arguments.items():
        path_text = quote(unquote(str(value)), safe="")
        path = (path[0].replace(f"{{{name}}}", path_text).replace(f"{{{name}+}}", path_text), *path[1:])
    pairs = [(members[name].serialization.get("name", name), value) for name, value in in_query.items()]
    text = "&".join(each for each in (path[2], urlencode(pairs, doseq=True, quote_via=quote)) if each)
    wire = {
        "PATH_INFO": unquote(path[0]).encode().decode("latin-1"),
        "QUERY_STRING": text,
        "RAW_URI": f"{path[0]}?{text}" if text else path[0],
        "CONTENT_TYPE": environ.get("CONTENT_TYPE", ""),
    }
    parameters = {**in_body, **in_query, **in_path}
    protocol = "rest-xml" if operation.service_model.protocol == "rest-xml" else "rest"
    read_so = {"operation": operation.name, "protocol": protocol, "parameters": parameters, "in_path": dict(arguments)}
    return {**read_so, "in_body": in_body, "wire": wire, "body": body}


def _rest_query(environ: Mapping[str, Any], members: Mapping[str, Any], where: Mapping[str, str]) -> dict[str, Any]:
    pairs = parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    found: dict[str, Any] = {}
    for name in (name for name in members if where[name] == "querystring"):
        spelled = members[name].serialization.get("name", name)
        values = [value for each, value in pairs if each == spelled]
        if members[name].type_name == "list":
            if values:
                found[name] = values
        elif len(values) > 1:
            raise Refused(malformed(f"The parameter {spelled!r} is given more than once."))
        elif values:
            found[name] = values[0]
    return found


def _s3(environ: Mapping[str, Any], signed: Signature, address: Address, account: str, body: bytes) -> Call:
    if address.method == "POST" and not address.query.keys() & (OBJECT_POSTS if address.key else BUCKET_POSTS):
        raise Refused(refusals.NO_SUCH_METHOD)
    headers = {name[5:].replace("_", "-").lower(): v for name, v in environ.items() if name.startswith("HTTP_")}
    parameters: dict[str, Any] = {
        "bucket": address.bucket,
        "key": address.key,
        "query": dict(address.query),
        "method": address.method,
        "headers": headers,
    }
    if "delete" in address.query and address.method == "POST":
        parameters["body"] = body = s3_deletion.canonical(body)
    elif address.method == "PUT" and address.bucket and not address.key and not address.query:
        parameters["body"] = body  # a new bucket's tags
    text = urlencode(dict(address.query), quote_via=quote)
    wire = {
        # moto's routes look at the form of the path alone; the names are read from RAW_URI.
        "PATH_INFO": "/bucket/key" if address.key else "/bucket" if address.bucket else "/",
        "QUERY_STRING": text,
        "RAW_URI": f"{address.path}?{text}" if text else address.path,
        "CONTENT_TYPE": environ.get("CONTENT_TYPE", ""),
    }
    source = environ.get("HTTP_X_AMZ_COPY_SOURCE")
    if source is not None:
        headers["x-amz-copy-source"] = wire["HTTP_X_AMZ_COPY_SOURCE"] = _copy_source(source)
    return Call(
        "s3", address.method, signed.region, "s3", parameters, signed, account, address=address, wire=wire, body=body
    )


def _copy_source(text: str) -> str:
    """The header with everything encoded but the ``?`` before the version. Raises Refused."""
    path, mark, rest = text.partition("?")
    name = unquote(path).removeprefix("/")
    version = _once(rest).get("versionId", "") if mark else ""
    if not all(name.partition("/")) or (mark and not version):
        raise Refused(malformed("Invalid copy source object key"))
    return "/" * path.startswith("/") + quote(name, safe="/~") + (f"?versionId={quote(version)}" if version else "")


def rewrite(environ: dict[str, Any], call: Call) -> None:
    """Make the WSGI environ say what ``call`` says, and nothing else."""
    signed, host = call.signed, environ.get("HTTP_HOST", "")
    port = host.rpartition(":")[2] if ":" in host else environ["SERVER_PORT"]
    for name in ("HTTP_X_AMZ_TARGET", "HTTP_X_AMZ_SECURITY_TOKEN", "HTTP_X_MOTO_ACCOUNT_ID"):
        environ.pop(name, None)
    if call.address is None or not call.address.is_upload(environ):
        for name in ("HTTP_TRANSFER_ENCODING", "HTTP_CONTENT_ENCODING", "wsgi.input_terminated"):
            environ.pop(name, None)
        environ |= {"CONTENT_LENGTH": str(len(call.body)), "wsgi.input": io.BytesIO(call.body)}
    scope = signed.scope if signed.version == 4 else "0/us-east-1/s3/aws4_request"
    credential = f"Credential={signed.access_key_id}/{scope}"
    environ |= {"PATH_INFO": "/", "RAW_URI": "/", "QUERY_STRING": ""} | dict(call.wire)
    environ |= {
        "REQUEST_URI": environ["RAW_URI"],
        "HTTP_HOST": f"127.0.0.1:{port}",
        "HTTP_AUTHORIZATION": f"AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=verified",
        CALL: call,
    }
