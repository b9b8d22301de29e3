"""POST Object: a form with a file, signed by its policy, becomes the PUT that it stands for.

[S3 API reference, "POST Object"; S3 user guide, "Browser-based uploads using POST"]. The file goes to disk while it
arrives, as every object does; what S3 reads before the file are the form's fields, and what comes after it is ignored.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from lakectl.local.durable.bodies import Bodies
from lakectl.local.iam import calls, refusals, s3_address
from lakectl.local.iam.refusals import Refused, bad_request
from lakectl.local.iam.s3_address import Address
from lakectl.local.s3 import checksums, post_policy
from lakectl.local.s3.body import MAX_OBJECT_BYTES
from lakectl.local.s3.intake import UPLOAD, Upload

POSTED = "lakectl.posted"  # in the environ of a PUT that was a POST
PIECE_BYTES = 256 * 1024
MAX_FIELDS_BYTES = 20 * 1024  # "the form data and boundaries (excluding the contents of the file) cannot exceed 20 KB"
MAX_PARTS = 1000
HEADERS = {"cache-control", "content-disposition", "content-encoding", "content-language", "content-type", "expires"}
BAD_FORM = bad_request(
    "The body of your POST request is not well-formed multipart/form-data.", "MalformedPOSTRequest", "", ""
)
NO_FILE = bad_request(
    "POST requires exactly one file upload per request.", "IncorrectNumberOfFilesInPostRequest", "", ""
)
FIELDS_TOO_LARGE = bad_request(
    "Your POST request fields preceding the upload file were too large.", "MaxPostPreDataLengthExceededError", "", ""
)
BAD_TAGS = bad_request("The XML you provided was not well-formed", "MalformedXML", "", "")


def is_form(environ: Mapping[str, Any]) -> bool:
    kind = str(environ.get("CONTENT_TYPE", "")).partition(";")[0].strip().lower()
    return environ["REQUEST_METHOD"] == "POST" and kind == "multipart/form-data" and not environ.get("QUERY_STRING")


class Posts:
    """``bodies`` is set before the first request."""

    bodies: Bodies

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any], guard: Any) -> Iterable[bytes]:
        form = _Form(environ)
        try:
            upload = form.receive(self.bodies)
        except Refused as refused:
            return _refuse(refused, environ, start_response)
        try:
            call = self._call(environ, form, upload, guard)
        except Refused as refused:
            self.bodies.remove(upload.body.files)
            return _refuse(refused, environ, start_response)
        calls.rewrite(environ, call)
        environ |= {UPLOAD: upload, POSTED: True}
        try:
            return _answered(form, guard.application, environ, start_response)
        finally:
            if not upload.body.kept:
                self.bodies.remove(upload.body.files)

    def _call(self, environ: dict[str, Any], form: _Form, upload: Upload, guard: Any) -> calls.Call:
        """The PUT that the form stands for, if its policy, its signature and its signer let it. Raises Refused."""
        signed = post_policy.signed_by(form.fields)
        identity, secret = guard.identify(signed)
        post_policy.verify(form.fields, signed, secret)
        bucket = s3_address.read(environ, {}).bucket
        post_policy.check(form.fields, bucket, len(upload.body))
        address = Address("PUT", bucket, form.fields["key"], {})
        for name in [name for name in environ if name.startswith("HTTP_X_AMZ_")]:
            del environ[name]
        environ |= {"REQUEST_METHOD": "PUT", "wsgi.input": io.BytesIO(), "CONTENT_LENGTH": "0", "CONTENT_TYPE": ""}
        environ.pop("wsgi.input_terminated", None)
        environ |= _headers(form.fields)
        _compare(form.fields, upload)
        call = calls.read(environ, signed, b"", address, guard.account)
        refusal = guard.judge(call, identity)
        if refusal is not None:
            raise Refused(refusal)
        return call


class _Form:
    """``fields``: by lower-case names, with the file's name put in; complete after ``receive``."""

    def __init__(self, environ: Mapping[str, Any]) -> None:
        boundary = parse_options_header(environ["CONTENT_TYPE"])[1].get("boundary", "")
        self.decoder = MultipartDecoder(boundary.encode("latin-1"), max_parts=MAX_PARTS)
        self.stream = environ["wsgi.input"]
        self.fields: dict[str, str] = {}
        self.sum = checksums.ALGORITHMS[checksums.DEFAULT]()
        self.bucket = s3_address.read(environ, {}).bucket
        self.has_file = False

    def receive(self, bodies: Bodies) -> Upload:
        """The file's body. Raises Refused."""
        try:
            body = bodies.write(self._file())
        except RequestEntityTooLarge:
            raise Refused(FIELDS_TOO_LARGE) from None
        except ValueError:
            raise Refused(BAD_FORM) from None
        if not self.has_file:
            bodies.remove(body.files)
            raise Refused(NO_FILE)
        return Upload(body, {}, {checksums.DEFAULT: checksums.encoded(self.sum)})

    def _file(self) -> Iterator[bytes]:
        """The fields are read on the way to the file, whose bytes are these."""
        name, value, size, before, in_file = "", bytearray(), 0, 0, False
        for event in self._events():
            if isinstance(event, Field | File) and event.name.lower() == "file":
                in_file = self.has_file = True
                filename = getattr(event, "filename", "") or ""
                for each, text in self.fields.items():
                    self.fields[each] = text.replace("${filename}", filename)
            elif isinstance(event, Field | File):
                name, value = event.name.lower(), bytearray()
            elif isinstance(event, Data) and in_file:
                size += len(event.data)
                if size > MAX_OBJECT_BYTES:
                    told = "Your proposed upload exceeds the maximum allowed size"
                    raise Refused(bad_request(told, "EntityTooLarge", "", ""))
                self.sum.update(event.data)
                if event.data:
                    yield event.data
                if not event.more_data:
                    return
            elif isinstance(event, Data):
                value += event.data
                before += len(event.data)
                if before > MAX_FIELDS_BYTES:
                    raise Refused(FIELDS_TOO_LARGE)
                if not event.more_data:
                    self.fields[name] = value.decode("utf-8", "replace")

    def _events(self) -> Iterator[Any]:
        ended = False
        while True:
            event = self.decoder.next_event()
            if isinstance(event, Epilogue):
                return
            if not isinstance(event, NeedData):
                yield event
                continue
            if ended:
                raise ValueError("the form ends too early")
            if len(self.decoder.buffer) > 2 * PIECE_BYTES:  # a head that does not end
                raise ValueError("the form is malformed")
            data = self.stream.read(PIECE_BYTES)
            ended = not data
            self.decoder.receive_data(data or None)


def _headers(fields: Mapping[str, str]) -> dict[str, str]:
    """What the form says of the object, as the headers of a PUT in the environ's spelling."""
    found = {}
    for name, value in fields.items():
        if name == "acl":
            found["HTTP_X_AMZ_ACL"] = value
        elif name == "tagging":
            found["HTTP_X_AMZ_TAGGING"] = _tags(value)
        elif name == "content-type":
            found["CONTENT_TYPE"] = value
        elif name in HEADERS or (name.startswith("x-amz-") and not name.startswith(("x-amz-checksum-", "x-amz-sig"))):
            found[f"HTTP_{name.upper().replace('-', '_')}"] = value
    for name in ("ALGORITHM", "CREDENTIAL", "DATE", "SECURITY_TOKEN"):
        found.pop(f"HTTP_X_AMZ_{name}", None)
    return found


def _tags(document: str) -> str:
    """The tags of a form are XML; those of a header are a query string."""
    try:
        root = ElementTree.fromstring(document)  # noqa: S314 - bounded in size, and expat has limits of its own
    except (ElementTree.ParseError, ValueError):
        raise Refused(BAD_TAGS) from None
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    return urlencode([(tag.findtext("Key") or "", tag.findtext("Value") or "") for tag in root.iter("Tag")])


def _compare(fields: Mapping[str, str], upload: Upload) -> None:
    """A checksum that the form gives. Raises Refused."""
    for name in fields:
        algorithm = name.removeprefix("x-amz-checksum-").upper()
        if name.startswith("x-amz-checksum-") and algorithm not in ("ALGORITHM", "TYPE", checksums.DEFAULT):
            told = f"the local AWS does not compare {algorithm} checksums of forms; they work on AWS"
            raise Refused(bad_request(told, "NotImplemented", "", "", 501))
    given = fields.get(f"x-amz-checksum-{checksums.DEFAULT.lower()}")
    if given and given != upload.computed[checksums.DEFAULT]:
        told = f"The {checksums.DEFAULT} you specified did not match the calculated checksum."
        raise Refused(bad_request(told, "BadDigest", "", ""))


def _refuse(refused: Refused, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    return refusals.respond(refused.refusal, "s3", "s3", environ, start_response)


def _answered(
    form: _Form,
    application: Callable[..., Iterable[bytes]],
    environ: dict[str, Any],
    start_response: Callable[..., Any],
) -> Iterable[bytes]:
    """A PUT's answer as a POST's: 204, the status that the form asks for, or a way to go on."""
    started: list[Any] = []

    def start(*arguments: Any) -> Callable[[bytes], None]:
        started[:] = arguments
        return lambda _: None

    parts = application(environ, start)
    if not started[0].startswith("200"):
        start_response(*started)
        return parts
    headers = [(name, value) for name, value in started[1] if name.lower() not in ("content-length", "content-type")]
    tag = next((value for name, value in headers if name.lower() == "etag"), "")
    key = form.fields["key"]
    location = f"http://{environ['HTTP_HOST']}/{form.bucket}/{quote(key, safe='')}"
    redirect = form.fields.get("success_action_redirect") or form.fields.get("redirect", "")
    asked = form.fields.get("success_action_status", "")
    body = b""
    if urlsplit(redirect).netloc:
        query = [*parse_qsl(urlsplit(redirect).query), ("bucket", form.bucket), ("key", key), ("etag", tag)]
        status, location = "303 See Other", urlsplit(redirect)._replace(query=urlencode(query)).geturl()
    elif asked == "201":
        status = "201 Created"
        values = {"Location": location, "Bucket": form.bucket, "Key": key, "ETag": tag}
        inside = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in values.items())
        body = f'<?xml version="1.0" encoding="UTF-8"?>\n<PostResponse>{inside}</PostResponse>'.encode()
        headers.append(("Content-Type", "application/xml"))
    else:
        status = "200 OK" if asked == "200" else "204 No Content"
    start_response(status, [*headers, ("Location", location), ("Content-Length", str(len(body)))])
    return [body]
