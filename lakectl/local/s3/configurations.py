"""S3: the XML of a bucket's and an object's settings, and the numbers and ranges of requests, read as S3 reads them.

moto's readers fail where an element that they expect is missing, empty or given once: that is a 500, which clients try
again, where S3 answers MalformedXML or takes it. Replaced: ``S3Response._bucket_tagging_from_body`` and
``_tagging_from_xml``. Wrapped: the other readers of ``S3Response``, ``_handle_range_header``, ``_bucket_response`` and
``_key_response``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element, tostring

from moto.s3.models import FakeBucket
from moto.s3.responses import S3Response

from lakectl.local.s3 import xml
from lakectl.local.s3.errors import S3Error, malformed_xml
from lakectl.local.s3.intake import UPLOAD

READERS = (
    "_accelerate_config_from_body",
    "_acl_from_body",
    "_cors_from_body",
    "_encryption_config_from_body",
    "_logging_from_body",
    "_ownership_rule_from_body",
    "_parse_pab_config",
    "_replication_config_from_xml",
)
# What a reader meets in a document of another form than it expects.
WRONG_FORM = (KeyError, TypeError, ValueError, AttributeError, AssertionError, IndexError)
RANGE = re.compile(r"bytes=(\d*-\d*)(,.*)?")
MAX_INTEGER = 2**31 - 1
NUMBERS = ("max-keys", "max-uploads", "max-parts", "part-number-marker")
# Subresources whose PUT or POST needs a document, and what its root is called.
ROOTS = {
    "accelerate": "AccelerateConfiguration",
    "cors": "CORSConfiguration",
    "delete": "Delete",
    "encryption": "ServerSideEncryptionConfiguration",
    "legal-hold": "LegalHold",
    "lifecycle": "LifecycleConfiguration",
    "logging": "BucketLoggingStatus",
    "notification": "NotificationConfiguration",
    "object-lock": "ObjectLockConfiguration",
    "ownershipControls": "OwnershipControls",
    "publicAccessBlock": "PublicAccessBlockConfiguration",
    "retention": "Retention",
    "tagging": "Tagging",
    "versioning": "VersioningConfiguration",
    "website": "WebsiteConfiguration",
}
OBJECT_TAGS, TAG_KEY, TAG_VALUE = 10, 128, 256
EVENTS = re.compile(
    r"s3:(ObjectCreated:(\*|Put|Post|Copy|CompleteMultipartUpload)|ObjectRemoved:(\*|Delete|DeleteMarkerCreated)"
    r"|ObjectRestore:(\*|Post|Completed|Delete)|ReducedRedundancyLostObject|Replication:\w+|Replication:\*"
    r"|LifecycleExpiration:(\*|Delete|DeleteMarkerCreated)|LifecycleTransition|IntelligentTiering"
    r"|ObjectTagging:(\*|Put|Delete)|ObjectAcl:Put)"
)


def install() -> None:
    for name in READERS:
        setattr(S3Response, name, _or_malformed(getattr(S3Response, name)))
    FakeBucket.set_cors = _or_malformed(FakeBucket.set_cors)
    S3Response._bucket_tagging_from_body = _bucket_tags
    S3Response._tagging_from_xml = _object_tags
    S3Response._notification_config_from_body = _without_empty_filters(S3Response._notification_config_from_body)
    S3Response._handle_range_header = _sound_range(S3Response._handle_range_header)
    for name in ("_bucket_response", "_key_response"):
        setattr(S3Response, name, _sound(getattr(S3Response, name)))


def _or_malformed(original: Callable[..., Any]) -> Callable[..., Any]:
    def read(*arguments: Any, **named: Any) -> Any:
        try:
            return original(*arguments, **named)
        except WRONG_FORM:
            raise malformed_xml() from None

    return read


def _sound(original: Callable[..., Any]) -> Callable[..., Any]:
    def response(self: S3Response, request: Any, full_url: str) -> Any:
        for name in NUMBERS:
            if name in request.args:
                _check_number(name, request.args[name])
        if request.method in ("PUT", "POST") and UPLOAD not in request.environ:
            _check_document(self, request)
        return original(self, request, full_url)

    return response


def _check_number(name: str, text: str) -> None:
    if re.fullmatch(r"-\d{1,30}", text):
        told = f"Argument {name} must be an integer between 0 and {MAX_INTEGER}"
        raise S3Error("InvalidArgument", told, ArgumentName=name, ArgumentValue=text)
    if text and not (text.isascii() and text.isdecimal() and int(text[:30]) <= MAX_INTEGER):
        told = f"Provided {name} not an integer or within integer range"
        raise S3Error("InvalidArgument", told, ArgumentName=name, ArgumentValue=text)


def _check_document(response: S3Response, request: Any) -> None:
    asked = ROOTS.keys() & request.args.keys()
    body = response.body
    if not body:
        if asked:
            raise S3Error("MissingRequestBodyError", "Request Body is empty")
    elif asked or not request.args or "acl" in request.args:
        document = xml.parse(body, *(ROOTS[name] for name in asked))
        if "versioning" in asked:
            _check_versioning(document)


def _check_versioning(document: Element) -> None:
    status = xml.text(document, "Status")
    if status is None:
        told = "The Versioning element must be specified"
        raise S3Error("IllegalVersioningConfigurationException", told)
    if status not in ("Enabled", "Suspended"):
        raise malformed_xml()
    if xml.text(document, "MfaDelete") == "Enabled":
        raise S3Error("NotImplemented", "the local AWS does not ask for MFA; it works on AWS", 501)


def _tags(body: bytes) -> list[tuple[str, str]]:
    sets = xml.parse(body, "Tagging").findall("TagSet")
    if len(sets) != 1:
        raise malformed_xml()
    found = []
    for tag in sets[0]:
        key, value = tag.find("Key"), tag.find("Value")
        if tag.tag != "Tag" or key is None or value is None:
            raise malformed_xml()
        found.append((key.text or "", value.text or ""))
    if len({key for key, _ in found}) != len(found):
        raise S3Error("InvalidTag", "Cannot provide multiple Tags with the same key")
    return found


def _bucket_tags(self: S3Response) -> dict[str, str]:
    tags = dict(_tags(self.body))
    if any(key.startswith("aws:") for key in tags):
        raise S3Error("InvalidTag", "System tags cannot be added/updated by requester")
    return tags


def _object_tags(self: S3Response) -> dict[str, str]:
    tags = dict(_tags(self.body))
    if len(tags) > OBJECT_TAGS:
        raise S3Error("BadRequest", f"Object tags cannot be greater than {OBJECT_TAGS}")
    for key, value in tags.items():
        if not 1 <= len(key) <= TAG_KEY:
            raise S3Error("InvalidTag", "The TagKey you have provided is invalid")
        if len(value) > TAG_VALUE:
            raise S3Error("InvalidTag", "The TagValue you have provided is invalid")
    return tags


def _without_empty_filters(original: Callable[..., Any]) -> Callable[..., Any]:
    """A filter without rules, and a rule without a value, match every key: S3 takes them, moto does not."""

    def read(self: S3Response) -> Any:
        document = xml.parse(self.body, "NotificationConfiguration")
        for configuration in document:
            for event in configuration.findall("Event"):
                if not EVENTS.fullmatch(event.text or ""):
                    raise S3Error("InvalidArgument", "A specified event is not supported for notifications.")
            for each in configuration.findall("Filter"):
                _prune(configuration, each)
        document.set("xmlns", "http://s3.amazonaws.com/doc/2006-03-01/")  # moto can't read an empty element without it
        self.body = tostring(document)
        return _or_malformed(original)(self)

    return read


def _prune(configuration: Element, each: Element) -> None:
    left = 0
    for key in each.findall("S3Key"):
        for rule in key.findall("FilterRule"):
            name = (rule.findtext("Name") or "").lower()
            if name in ("prefix", "suffix") and not rule.findtext("Value"):
                key.remove(rule)
            else:
                left += 1
    if not left:
        configuration.remove(each)


def _sound_range(original: Callable[..., Any]) -> Callable[..., Any]:
    """What is no range of bytes is ignored [RFC 9110, section 14.2]."""

    def handle(self: S3Response, request: Any, response_headers: dict[str, Any], response_content: Any) -> Any:
        if not RANGE.fullmatch(request.headers.get("range", "").strip()):
            return 200, response_headers, response_content
        return original(self, request, response_headers, response_content)

    return handle
