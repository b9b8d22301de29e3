"""S3: listings, and keys that XML has no place for.

With ``encoding-type=url`` S3 encodes every key, prefix, delimiter and marker of a listing; moto encodes some of them.
Without it S3 writes what XML 1.0 can't hold as a character reference, which parsers refuse, as they do on AWS [S3 API
reference, ListObjectsV2]; moto writes the character, and so a carriage return is read as a line feed.
moto also reads and writes the time of each entry anew and looks up each of its fields: 0.3 s for a page of 1,000. Here
the entries of a page are written as they are.
Wrapped: ``S3Response.list_objects``, ``list_objects_v2``, ``list_object_versions``, ``list_multipart_uploads`` and
``serialized``, ``S3Serializer._serialize_body``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus
from xml.sax.saxutils import escape

from moto.core.responses import ActionResult
from moto.core.serialize import S3Serializer
from moto.s3.exceptions import S3ClientError
from moto.s3.responses import S3Response

from lakectl.local.context import LocalContext

LISTINGS = ("list_objects", "list_objects_v2", "list_object_versions", "list_multipart_uploads")
ENCODED = {"Delimiter", "Key", "KeyMarker", "Marker", "NextKeyMarker", "NextMarker", "Prefix", "StartAfter"}
# The lists of a listing that may be long, and what an entry of each is called.
ELEMENTS = {"Contents": "Contents", "Versions": "Version", "DeleteMarkers": "DeleteMarker"}
ENTRIES = ("Contents", "Versions", "DeleteMarkers", "CommonPrefixes", "Uploads")
# What XML 1.0 excludes, and the carriage return, which its parsers turn into a line feed.
NO_XML = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]")
ENCODING = "lakectl_encoding"  # an attribute of ours on a response


class InvalidEncoding(S3ClientError):
    def __init__(self) -> None:
        super().__init__("InvalidArgument", "Invalid Encoding Method specified in Request")


def install(context: LocalContext) -> None:  # noqa: ARG001 - each seam has the same signature
    for name in LISTINGS:
        setattr(S3Response, name, _listing(getattr(S3Response, name)))
    S3Response.serialized = _encoded(S3Response.serialized)
    S3Serializer._serialize_body = _referring(S3Serializer._serialize_body)


def _listing(original: Callable[..., Any]) -> Callable[..., Any]:
    def listing(self: S3Response) -> Any:
        encoding = self.querystring.pop("encoding-type", [None])[0]
        if encoding not in (None, "url"):
            raise InvalidEncoding
        setattr(self, ENCODING, encoding)
        return original(self)

    return listing


def _encoded(original: Callable[..., Any]) -> Callable[..., Any]:
    def serialized(self: S3Response, action_result: ActionResult) -> Any:
        found = action_result.result
        if self.__dict__.pop(ENCODING, None) and isinstance(found, dict):
            entries = {name: [_encode(each) for each in found[name]] for name in ENTRIES if found.get(name)}
            action_result = ActionResult({**_encode(found), **entries, "EncodingType": "url"})
        return _with_entries(lambda result: original(self, result), action_result)

    return serialized


def _with_entries(serialize: Callable[[ActionResult], Any], action_result: ActionResult) -> Any:
    """The answer, whose entries are written by us and put before the end of the document."""
    found = action_result.result
    if not isinstance(found, dict) or not any(found.get(name) for name in ELEMENTS):
        return serialize(action_result)
    written = "".join(_element(tag, entry) for name, tag in ELEMENTS.items() for entry in found.get(name) or ())
    status, headers, body = serialize(ActionResult({**found, **dict.fromkeys(ELEMENTS, ())}))
    document, end, root = body.rpartition("</")
    return status, headers, document + _without_no_xml(written) + end + root


def _element(tag: str, value: Any) -> str:
    """A field of an entry in XML. A list is as many elements; None is none."""
    if isinstance(value, list):
        return "".join(_element(tag, each) for each in value)
    if value is None:
        return ""
    if isinstance(value, dict):
        inside = "".join([_element(name, each) for name, each in value.items()])
    elif isinstance(value, bool):
        inside = "true" if value else "false"
    else:
        inside = escape(str(value))
    return f"<{tag}>{inside}</{tag}>"


def _encode(found: dict[str, Any]) -> dict[str, Any]:
    return {
        name: quote_plus(value, safe="/") if name in ENCODED and isinstance(value, str) else value
        for name, value in found.items()
    }


def _referring(original: Callable[..., str]) -> Callable[..., str]:
    def serialize_body(self: S3Serializer, body: Any) -> str:
        return _without_no_xml(original(self, body))

    return serialize_body


def _without_no_xml(document: str) -> str:
    return NO_XML.sub(lambda found: f"&#x{ord(found[0]):X};", document)
