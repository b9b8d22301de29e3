"""Where data is: the buckets and the run log."""

from __future__ import annotations

from typing import Any

from lakectl.engine.model import Resource
from lakectl.naming import Names
from lakectl.resources.bucket import Bucket
from lakectl.resources.table import Table


def buckets(names: Names) -> list[Resource]:
    config = names.config
    cleanup: dict[str, Any] = {
        "lakectl-abort-unfinished-uploads": {
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "AbortIncompleteMultipartUpload": {
                "DaysAfterInitiation": config.buckets.abort_unfinished_uploads_after_days
            },
        }
    }
    results: dict[str, Any] = {
        "lakectl-expire-query-results": {
            "Status": "Enabled",
            "Filter": {"Prefix": config.athena.results_prefix},
            "Expiration": {"Days": config.athena.expire_results_after_days},
        }
    }
    landing = tuple(f"{config.landing.prefix}{source}/" for source in config.sources)

    def bucket(role: str, lifecycle: dict[str, Any], prefixes: tuple[str, ...]) -> Bucket:
        return Bucket(
            names.bucket(role),
            step="create-buckets",
            tags=names.tags,
            place=names.place,
            namespace=config.buckets.namespace,
            versioning=getattr(config.buckets, role).versioning,
            lifecycle=lifecycle,
            prefixes=prefixes,
            immutable_prefix=config.landing.prefix if role == "raw" and config.landing.enforce_immutable else "",
        )

    return [
        bucket("raw", cleanup, landing),
        bucket("silver", cleanup, ()),
        bucket("tmp", {**cleanup, **results}, (config.athena.results_prefix,)),
    ]


def run_log(names: Names) -> Resource:
    return Table(
        names.run_log,
        step="create-table",
        tags=names.tags,
        place=names.place,
        point_in_time_recovery=names.config.run_log.point_in_time_recovery,
    )
