"""The XML of requests to S3, read into names and texts; namespaces are dropped, as S3 does not ask for them."""

from __future__ import annotations

from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from lakectl.local.s3.errors import malformed_xml


def parse(body: bytes | str, root: str = "") -> Element:
    """The root element. ``root``: what it has to be called. Raises S3Error (MalformedXML)."""
    try:
        found = ElementTree.fromstring(body)  # noqa: S314 - bounded in size, and expat has limits of its own
    except (ElementTree.ParseError, ValueError, LookupError):
        raise malformed_xml() from None
    for element in found.iter():
        element.tag = element.tag.rpartition("}")[2]
    if root and found.tag != root:
        raise malformed_xml()
    return found


def text(element: Element, name: str) -> str | None:
    """The text of a child, "" when it is empty; None when there is none. Raises S3Error when there are two."""
    found = element.findall(name)
    if len(found) > 1:
        raise malformed_xml()
    return (found[0].text or "").strip() if found else None


def number(element: Element, name: str) -> int | None:
    """Raises S3Error when it is no number from 0."""
    value = text(element, name)
    if value is None:
        return None
    if not value.isdecimal() or len(value) > 18:
        raise malformed_xml()
    return int(value)
