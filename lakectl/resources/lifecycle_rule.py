"""Lifecycle rules of a bucket in the forms of CloudFormation and Terraform."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lakectl.engine.forms import Block


def cloudformation(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A lifecycle rule of ours as CloudFormation has it. Raises ``ValueError`` for a key that none of ours has."""
    found: dict[str, Any] = {}
    for key, value in rule.items():
        if key == "Filter":
            found |= {"Prefix": value["Prefix"]} if value["Prefix"] else {}
        elif key == "Expiration":
            found["ExpirationInDays"] = value["Days"]
        elif key in ("Status", "AbortIncompleteMultipartUpload"):
            found[key] = value
        else:
            raise ValueError(f"{key} of a lifecycle rule has no CloudFormation form")
    return found


def terraform(rule: Mapping[str, Any]) -> dict[str, Any]:
    """As :func:`cloudformation`, for Terraform."""
    found: dict[str, Any] = {}
    for key, value in rule.items():
        if key == "Status":
            found["status"] = value
        elif key == "Filter":
            found["filter"] = Block(prefix=value["Prefix"])
        elif key == "Expiration":
            found["expiration"] = Block(days=value["Days"])
        elif key == "AbortIncompleteMultipartUpload":
            found["abort_incomplete_multipart_upload"] = Block(days_after_initiation=value["DaysAfterInitiation"])
        else:
            raise ValueError(f"{key} of a lifecycle rule has no Terraform form")
    return found
