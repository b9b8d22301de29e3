"""Refusals that AWS makes and moto does not, one module for each service. Installed after all other seams.

Each wraps a method of moto that takes a request, checks the request, and calls the method. Each rule is held by a row
of ``tests/contract``, which names AWS's page to look it up on.
"""

from __future__ import annotations


def install() -> None:
    from lakectl.local.s3 import validation as s3
    from lakectl.local.validation import dynamodb, events, glue, iam, logs, sqs

    for service in (dynamodb, events, glue, iam, logs, s3, sqs):
        service.install()
