"""S3 of the local AWS: its requests and bodies, events, versions, listings and rules, and what is replaced in moto.

``install`` puts the replacements in place. As in ``lakectl.local.seams``, nothing else assigns onto moto's classes.
"""

from __future__ import annotations

from lakectl.local.context import LocalContext


def install(context: LocalContext) -> None:
    from lakectl.local.s3 import (
        changes,
        completion,
        copies,
        defaults,
        encryption,
        lifecycle,
        lifecycle_from_moto,
        list_buckets,
        list_objects,
        listing,
        locks,
        object_answers,
        part_copies,
        part_listing,
        storage,
        tagging,
        uploads,
        versions,
    )

    for part in (defaults, locks, completion, object_answers, list_buckets, list_objects, part_copies, part_listing):
        part.install()
    for seam in (storage, changes, uploads, versions, listing, tagging):
        seam.install(context)
    copies.install(context.objects.bodies)
    encryption.install()
    lifecycle.install(context)
    lifecycle_from_moto.install(context)
