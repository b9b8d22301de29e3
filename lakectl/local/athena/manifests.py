"""The list of files that a query wrote, beside its results.

https://docs.aws.amazon.com/athena/latest/ug/querying-finding-output-files.html#querying-identifying-query-output-files
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakectl.local.athena.results import split

if TYPE_CHECKING:
    from lakectl.local.athena.engine import Run


def write(run: Run, paths: list[str]) -> str:
    """Write ``ID-manifest.csv``, a path on each line; returns where it is."""
    location = f"{run.location}-manifest.csv"
    bucket, key = split(location)
    run.s3.put_object(Bucket=bucket, Key=key, Body="".join(path + "\n" for path in paths).encode())
    return location
