"""Every place where lakectl replaces part of moto, one module for each AWS service.

moto's internals are no public interface: its version is pinned, nothing outside this package assigns onto
its classes, and each seam is held by a contract test in ``tests/local``.
"""

from __future__ import annotations

from lakectl.local.context import LocalContext


def install_all(context: LocalContext) -> None:
    from lakectl.local import validation
    from lakectl.local.seams import (
        awslambda,
        core,
        dynamodb,
        dynamodb_transfers,
        events,
        glue_catalog,
        glue_jobs,
        glue_search,
        iam,
        lakeformation,
        logs,
        s3,
        s3_listing,
        s3_storage,
        s3_tagging,
        s3_uploads,
        s3_versions,
        sqs,
        sts,
    )

    storage = (s3_storage, s3, s3_uploads, s3_versions, s3_listing, s3_tagging)
    tables = (dynamodb, dynamodb_transfers)
    catalog = (glue_catalog, glue_jobs, glue_search, lakeformation)
    for seam in (core, iam, sts, logs, *storage, *tables, sqs, awslambda, events, *catalog):
        seam.install(context)
    validation.install()
