"""``batchItemFailures``: which records of a batch a function has failed on.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html,
https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html: nothing, an empty object and an
empty list are success; an identifier that is missing, empty or of no record of the batch fails the whole batch.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from lakectl.local.functions.process import Outcome


def failed(mapping: Mapping[str, Any], outcome: Outcome, identifiers: Collection[str]) -> set[str]:
    """The identifiers of the records that are to be tried again."""
    everything = set(identifiers)
    if outcome.error:
        return everything
    if "ReportBatchItemFailures" not in mapping["FunctionResponseTypes"]:
        return set()
    answer = json.loads(outcome.payload)
    if answer is None:
        return set()
    if not isinstance(answer, dict):
        return everything
    items = answer.get("batchItemFailures") or []
    found = {str(each.get("itemIdentifier")) if isinstance(each, dict) else "" for each in items}
    return found if found <= everything else everything
