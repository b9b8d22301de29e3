"""Commits to Iceberg tables: each is whole or has not been made.

PyIceberg commits by an optimistic swap of the table's entry in Glue. An append that meets another writer's commit is
made again on top of it, at most four times (``commit.retry.num-retries``), as Iceberg's own clients do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pyiceberg.exceptions import CommitFailedException, ValidationException

from lakectl.local.athena.errors import QueryError


@contextmanager
def committed() -> Iterator[None]:
    """Raises Athena's error where another writer has changed the table meanwhile."""
    try:
        yield
    except (CommitFailedException, ValidationException) as error:
        raise QueryError("ICEBERG_COMMIT_ERROR", f"Failed to commit Iceberg update to table: {error}") from None
