"""The body of DeleteObjects: read once, and written again with nothing but what was read."""

from __future__ import annotations

from xml.etree import ElementTree
from xml.sax.saxutils import escape

from lakectl.local.iam.refusals import Refused, bad_request

FIELDS = {"Key", "VersionId", "ETag"}
MALFORMED = bad_request(
    "The XML you provided was not well-formed or did not validate against our published schema", "MalformedXML", "", ""
)
CONDITIONAL = bad_request(
    "A header you provided implies functionality that is not implemented", "NotImplemented", "", "", 501
)


def canonical(body: bytes) -> bytes:
    """``<Delete><Object><Key/><VersionId/><ETag/></Object>…</Delete>``. Raises Refused: no such XML, or a condition
    that S3 has for directory buckets only."""
    try:
        root = ElementTree.fromstring(body)  # noqa: S314 - bounded in size, and expat has limits of its own
    except (ElementTree.ParseError, ValueError):
        raise Refused(MALFORMED) from None
    objects = []
    quiet = ""
    for element in root:
        if _name(element) == "Object":
            objects.append(_object(element))
        elif _name(element) != "Quiet":
            raise Refused(MALFORMED)
        elif (element.text or "").strip().lower() == "true":
            quiet = "<Quiet>true</Quiet>"
    if _name(root) != "Delete" or not objects:
        raise Refused(MALFORMED)
    return f"<Delete>{quiet}{''.join(objects)}</Delete>".encode()


def _object(element: ElementTree.Element) -> str:
    names = [_name(child) for child in element]
    if "Key" not in names or len(set(names)) != len(names) or any(len(child) for child in element):
        raise Refused(MALFORMED)
    if not FIELDS.issuperset(names):
        raise Refused(CONDITIONAL)
    texts = (f"<{_name(child)}>{_text(child.text or '')}</{_name(child)}>" for child in element)
    return f"<Object>{''.join(texts)}</Object>"


def _text(text: str) -> str:
    return escape(text, {"\r": "&#13;"})


def _name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]
