"""Reading what a job run did from the run log. The job writes it (``jobs/lake/results.py``)."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lakectl.aws import code_of, explain
from lakectl.errors import LakectlError
from lakectl.ops import runs as run_log
from lakectl.ops.lake import Lake
from lakectl.ops.runs import Run

# How the run log stores a result, and not what the result says.
_STORED = frozenset(("pk", "sk", "pages", "details"))


def read(lake: Lake, run_id: str) -> dict[str, Any]:
    """The whole result of a run, or ``{}`` when it wrote none. Raises :class:`LakectlError`."""
    table, pk = lake.names.run_log, f"RUN#{run_id}"
    client = lake.client("dynamodb")
    try:
        # The result first: it is written after its pages, so whoever sees it sees them all.
        answer = client.get_item(TableName=table, Key={"pk": {"S": pk}, "sk": {"S": "RESULT"}}, ConsistentRead=True)
        if "Item" not in answer:
            return {}
        item = {name: run_log.plain(value) for name, value in answer["Item"].items()}
        details = item["details"]
        if item["pages"]:
            pages = client.get_paginator("query").paginate(
                TableName=table,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :page)",
                ExpressionAttributeValues={":pk": {"S": pk}, ":page": {"S": "PAGE#"}},
                ConsistentRead=True,
            )
            parts = [run_log.plain(raw["part"]) for page in pages for raw in page["Items"]][: item["pages"]]
            if len(parts) < item["pages"]:
                raise LakectlError(f"the result of run {run_id} has {len(parts)} of its {item['pages']} pages")
            details = "".join(parts)
    except (ClientError, BotoCoreError) as error:
        if code_of(error) == "ResourceNotFoundException":
            return {}
        raise explain(error, f"reading the result of run {run_id}") from error
    return {name: value for name, value in item.items() if name not in _STORED} | json.loads(details)


class FullReasons:
    """Why landings were refused, in full: a landing's own item holds the beginning, the run's result all of it."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._results: dict[str, dict[str, Any]] = {}

    def of(self, landing: Run) -> str:
        known = str(landing.item.get("reason", ""))
        run_id = landing.item.get("claimed_by") or ""
        if "more characters" not in known or not run_id:
            return known
        if run_id not in self._results:
            self._results[run_id] = read(self._lake, run_id)
        problems = self._results[run_id].get("landings_failed", {}).get(f"s3://{landing.bucket}/{landing.key}")
        return "; ".join(problems) if problems else known
