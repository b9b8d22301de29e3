"""What the local AWS does not have, by the names that resources use for it, and why."""

from __future__ import annotations

from lakectl.local import spark_runtimes
from lakectl.local.spark_runtimes import Settings

_NONE = "a lake on AWS: the local AWS has no"
# Ends the sentence "waits for …": the lake is complete without.
OPTIONAL = {
    "AWS Budgets": f"{_NONE} budgets, as nothing costs anything there",
    "CloudWatch alarms": f"{_NONE} alarms",
    "Glue table optimizers": f"{_NONE} table optimizers; `lakectl maintain` does their work",
}
REFUSED = {
    "Athena managed query results": (
        "athena.managed_results works on AWS only: the local Athena keeps results in the tmp bucket"
    ),
}


def lacks(feature: str, settings: Settings) -> str:
    """Why the local AWS can't have ``feature``; "" where it can."""
    return OPTIONAL.get(feature) or REFUSED.get(feature) or spark_runtimes.lacks(feature, settings)
