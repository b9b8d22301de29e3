"""FilterCriteria: which records a function gets.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html: patterns as EventBridge has them, on the
``body`` of a message, on ``dynamodb`` and what stands beside it in a record of a stream.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from moto.events.exceptions import InvalidEventPatternException

from lakectl.local import event_matching
from lakectl.local.functions.errors import invalid
from lakectl.local.validation import event_patterns

MOST = 10  # "Lambda quotas": 5, and 10 on request
NO_PATTERN = "Invalid filter pattern definition."


def check(criteria: Mapping[str, Any] | None) -> None:
    """Raises Refused."""
    filters = (criteria or {}).get("Filters") or []
    if len(filters) > MOST:
        raise invalid(f"The number of filters must not be more than {MOST}.")
    for each in filters:
        try:
            event_patterns.check(str(each.get("Pattern")))
        except InvalidEventPatternException:
            raise invalid(NO_PATTERN) from None


def let_through(criteria: Mapping[str, Any] | None, record: Mapping[str, Any]) -> bool:
    """Whether one of the filters matches; everything does where there are none."""
    patterns = [json.loads(each["Pattern"]) for each in (criteria or {}).get("Filters") or []]
    return not patterns or any(_matches(pattern, dict(record)) for pattern in patterns)


def _matches(pattern: dict[str, Any], record: dict[str, Any]) -> bool:
    if isinstance(pattern.get("body"), dict):
        # A pattern on properties asks for a body that is JSON; a list of texts for the text itself.
        try:
            record["body"] = json.loads(record.get("body", ""))
        except (ValueError, RecursionError):
            return False
    return event_matching.matches(pattern, record)
