"""What the lake's roles may do, and what of it they have done: IAM's own "last accessed" report."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lakectl.errors import LakectlError
from lakectl.ops.lake import Lake
from lakectl.resources.role import Role

REPORT_SECONDS = 60.0  # AWS takes some seconds
POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Permission:
    """One action that a role's policy allows. ``last_used``: ISO 8601 in UTC; None: IAM has not seen it used."""

    role: str
    action: str
    last_used: str | None


def permissions(lake: Lake) -> list[Permission]:
    """Every action of every role that is there, role by role, by name.

    The granted ones are those of the account, not of the configuration. AWS tells the use of management actions only:
    reading and writing of objects, items and messages it does not follow. The local AWS follows all.
    Raises LakectlError if no role is there, or IAM does not finish its report.
    """
    found: list[Permission] = []
    for role in (resource for resource in lake.resources if isinstance(resource, Role)):
        state = role.read(lake.aws)
        if state is not None:
            used = _used(lake, str(role.arn))
            found += [
                Permission(role.name, action, used.get(action.lower()))
                for action in sorted(_granted(state.fields["policy"]))
            ]
    if not found:
        raise LakectlError(f"lake {lake.config.name!r} has no roles yet", "lakectl up")
    return found


def _granted(policies: dict[str, dict[str, Any]]) -> set[str]:
    found: set[str] = set()
    for document in policies.values():
        for statement in document["Statement"]:
            actions = statement["Action"]
            found.update([actions] if isinstance(actions, str) else actions)
    return found


def _used(lake: Lake, arn: str) -> dict[str, str]:
    """Action, in lower case as IAM compares them → when it was last used."""
    iam = lake.client("iam")
    job = iam.generate_service_last_accessed_details(Arn=arn, Granularity="ACTION_LEVEL")["JobId"]
    deadline = time.monotonic() + REPORT_SECONDS
    while (report := iam.get_service_last_accessed_details(JobId=job))["JobStatus"] == "IN_PROGRESS":
        if time.monotonic() > deadline:
            raise LakectlError(f"IAM's report on {arn} is not ready after {REPORT_SECONDS:.0f} s", "try it again")
        time.sleep(POLL_SECONDS)
    if report["JobStatus"] == "FAILED":
        raise LakectlError(f"IAM can't report on {arn}: {report['Error']['Message']}", "try it again")
    services = report["ServicesLastAccessed"]
    while report.get("IsTruncated"):
        report = iam.get_service_last_accessed_details(JobId=job, Marker=report["Marker"])
        services += report["ServicesLastAccessed"]
    return {
        f"{service['ServiceNamespace']}:{action['ActionName']}".lower(): _text(action["LastAccessedTime"])
        for service in services
        for action in service.get("TrackedActionsLastAccessed") or []
        if "LastAccessedTime" in action
    }


def _text(when: datetime) -> str:
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")
