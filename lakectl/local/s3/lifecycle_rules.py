"""S3 Lifecycle: the rules of a bucket, read and written [S3 API reference, PutBucketLifecycleConfiguration].

A rule that moves objects to another storage class, or whose filter or time the local AWS could not honor, is refused by
name: objects here have one place only. No moto in here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any
from xml.etree.ElementTree import Element

from lakectl.local.s3 import xml
from lakectl.local.s3.errors import S3Error, invalid_request, malformed_xml

MAX_RULES, MAX_ID = 1000, 255
STATUSES = ("Enabled", "Disabled")
MINIMUM_SIZES = ("all_storage_classes_128K", "varies_by_storage_class")


@dataclass(frozen=True)
class Filter:
    """``None`` is no condition; sizes in bytes."""

    prefix: str | None = None
    tags: tuple[tuple[str, str], ...] = ()
    larger: int | None = None
    smaller: int | None = None
    combined: bool = False  # in an ``And``

    def matches(self, key: str, size: int, tags: dict[str, str]) -> bool:
        return (
            key.startswith(self.prefix or "")
            and all(tags.get(name) == value for name, value in self.tags)
            and (self.larger is None or size > self.larger)
            and (self.smaller is None or size < self.smaller)
        )


@dataclass(frozen=True)
class Rule:
    """Days are from 1; a date is midnight UTC."""

    id: str
    enabled: bool
    filter: Filter | None  # None: the rule has a prefix of its own, as rules had before there were filters
    prefix: str | None = None
    days: int | None = None
    date: datetime | None = None
    expired_marker: bool = False
    noncurrent_days: int | None = None
    newer_noncurrent: int | None = None
    abort_days: int | None = None
    said: dict[str, Any] = field(default_factory=dict, compare=False)  # as GetBucketLifecycleConfiguration shows it

    def matches(self, key: str, size: int, tags: dict[str, str]) -> bool:
        return (self.filter or Filter(self.prefix)).matches(key, size, tags)

    def expires(self, since: datetime) -> datetime | None:
        """When a current version expires that is there since then."""
        if self.date is not None:
            return self.date
        return None if self.days is None else due(since, self.days)


def due(since: datetime, days: int) -> datetime:
    """So many days after, at the next midnight UTC [S3 user guide, "Expiring objects"]."""
    moment = since + timedelta(days=days)
    midnight = datetime.combine(moment.date(), time(), UTC)
    return midnight if midnight == moment else midnight + timedelta(days=1)


def read(body: bytes) -> list[Rule]:
    """Raises S3Error."""
    document = xml.parse(body, "LifecycleConfiguration")
    rules = [_rule(each, number) for number, each in enumerate(document.findall("Rule"))]
    if not 1 <= len(rules) <= MAX_RULES:
        raise malformed_xml()
    names = [rule.id for rule in rules]
    if len(set(names)) != len(names):
        raise S3Error("InvalidArgument", "Rule ID must be unique. Found same ID for more than one rule")
    return rules


def _rule(element: Element, number: int) -> Rule:
    if element.find("Transition") is not None or element.find("NoncurrentVersionTransition") is not None:
        told = "the local AWS does not move objects to other storage classes; lifecycle transitions work on AWS"
        raise S3Error("NotImplemented", told, 501)
    status, name = xml.text(element, "Status"), xml.text(element, "ID")
    if status not in STATUSES:
        raise malformed_xml()
    if name is not None and len(name) > MAX_ID:
        raise S3Error("InvalidArgument", f"ID length should not exceed allowed limit of {MAX_ID}")
    found, prefix = element.find("Filter"), xml.text(element, "Prefix")
    if (found is None) == (prefix is None):
        raise malformed_xml()
    asked = Filter() if found is None else _filter(found)
    actions = _actions(element)
    if not actions:
        raise invalid_request(
            "At least one action needs to be specified in a rule. If the rule is disabled, it needs one, too."
        )
    if actions.get("abort_days") is not None and (asked.tags or asked.larger is not None or asked.smaller is not None):
        raise invalid_request("AbortIncompleteMultipartUpload cannot be specified with Tags or object sizes.")
    if actions.get("expired_marker") and asked.tags:
        raise invalid_request("ExpiredObjectDeleteMarker cannot be specified with Tags.")
    rule = Rule(
        id=name or _new_id(number),
        enabled=status == "Enabled",
        filter=None if found is None else asked,
        prefix=prefix,
        **actions,
    )
    rule.said.update(shown(rule))
    return rule


def _new_id(number: int) -> str:
    import base64
    import os

    return base64.b64encode(os.urandom(35)).decode().rstrip("=") if number >= 0 else ""


def _filter(element: Element) -> Filter:
    inside = element.find("And")
    children = [child.tag for child in element]
    if len(children) > 1 or (inside is not None and len(inside) < 2):
        raise malformed_xml()
    source = element if inside is None else inside
    tags = [(tag.findtext("Key") or "", tag.findtext("Value") or "") for tag in source.findall("Tag")]
    if any(not key for key, _ in tags) or len({key for key, _ in tags}) != len(tags):
        raise invalid_request("Duplicate Tag Keys are not allowed." if tags else "")
    larger, smaller = xml.number(source, "ObjectSizeGreaterThan"), xml.number(source, "ObjectSizeLessThan")
    if larger is not None and smaller is not None and larger >= smaller:
        raise invalid_request("'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'.")
    return Filter(xml.text(source, "Prefix"), tuple(tags), larger, smaller, inside is not None)


def _actions(element: Element) -> dict[str, Any]:
    found: dict[str, Any] = {}
    expiration = element.find("Expiration")
    if expiration is not None:
        days, date = _days(expiration, "Days", "Expiration"), xml.text(expiration, "Date")
        marker = xml.text(expiration, "ExpiredObjectDeleteMarker")
        if sum(each is not None for each in (days, date, marker)) != 1 or marker not in (None, "true", "false"):
            raise malformed_xml()
        found |= {"days": days, "date": _date(date), "expired_marker": marker == "true"}
    noncurrent = element.find("NoncurrentVersionExpiration")
    if noncurrent is not None:
        days = _days(noncurrent, "NoncurrentDays", "NoncurrentVersionExpiration")
        if days is None:
            raise malformed_xml()
        found |= {"noncurrent_days": days, "newer_noncurrent": xml.number(noncurrent, "NewerNoncurrentVersions")}
    abort = element.find("AbortIncompleteMultipartUpload")
    if abort is not None:
        days = _days(abort, "DaysAfterInitiation", "AbortIncompleteMultipartUpload")
        if days is None:
            raise malformed_xml()
        found["abort_days"] = days
    return found


def _days(element: Element, name: str, action: str) -> int | None:
    text = xml.text(element, name)
    if text is None:
        return None
    try:
        days = int(text)
    except ValueError:
        raise malformed_xml() from None
    if not 0 < days < 2**31:
        told = f"'{name}' for {action} action must be a positive integer"
        raise S3Error("InvalidArgument", told, ArgumentName=name, ArgumentValue=text)
    return days


def _date(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise malformed_xml() from None
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    if moment.astimezone(UTC).time() != time():
        raise S3Error("InvalidArgument", "'Date' must be at midnight GMT", ArgumentName="Date", ArgumentValue=text)
    return moment.astimezone(UTC)


def shown(rule: Rule) -> dict[str, Any]:
    found: dict[str, Any] = {"ID": rule.id, "Status": STATUSES[0] if rule.enabled else STATUSES[1]}
    if rule.filter is None:
        found["Prefix"] = rule.prefix
    else:
        found["Filter"] = _shown_filter(rule.filter)
    if rule.days is not None:
        found["Expiration"] = {"Days": rule.days}
    elif rule.date is not None:
        found["Expiration"] = {"Date": rule.date}
    elif rule.expired_marker:
        found["Expiration"] = {"ExpiredObjectDeleteMarker": True}
    if rule.noncurrent_days is not None:
        newer = {} if rule.newer_noncurrent is None else {"NewerNoncurrentVersions": rule.newer_noncurrent}
        found["NoncurrentVersionExpiration"] = {"NoncurrentDays": rule.noncurrent_days, **newer}
    if rule.abort_days is not None:
        found["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": rule.abort_days}
    return found


def _shown_filter(asked: Filter) -> dict[str, Any]:
    tags = [{"Key": key, "Value": value} for key, value in asked.tags]
    found: dict[str, Any] = {}
    if asked.prefix is not None:
        found["Prefix"] = asked.prefix
    if asked.larger is not None:
        found["ObjectSizeGreaterThan"] = asked.larger
    if asked.smaller is not None:
        found["ObjectSizeLessThan"] = asked.smaller
    if asked.combined:
        return {"And": found | ({"Tags": tags} if tags else {})}
    return found | ({"Tag": tags[0]} if tags else {})
