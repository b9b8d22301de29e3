"""Every place where lakectl replaces part of moto, one module for each AWS service; S3 has its own folder.

moto's internals are no public interface: its version is pinned, nothing outside of these assigns onto
its classes, and each seam is held by a contract test in ``tests/local``.
"""

from __future__ import annotations

from lakectl.local.context import LocalContext


def install_all(context: LocalContext) -> None:
    from lakectl.local import s3, validation
    from lakectl.local.functions import seam as functions
    from lakectl.local.seams import (
        core,
        dynamodb,
        dynamodb_streams,
        dynamodb_transfers,
        events,
        glue_catalog,
        glue_jobs,
        glue_search,
        iam,
        lakeformation,
        logs,
        sns,
        sqs,
        sts,
    )

    storage = (s3, dynamodb_streams, dynamodb, dynamodb_transfers)
    catalog = (glue_catalog, glue_jobs, glue_search, lakeformation)
    for seam in (core, iam, sts, logs, *storage, sqs, sns, functions, events, *catalog):
        seam.install(context)
    validation.install()
