"""What a check looks at, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from botocore.exceptions import BotoCoreError, ClientError

from lakectl.aws import code_of, explain
from lakectl.ops.lake import Lake
from lakectl.ops.tables import query
from lakectl.spec.model import LakeSpec, SourceSpec

NAMED = 5  # values in a detail


@dataclass(frozen=True)
class Verdict:
    """``passed`` is None when it could not be judged; ``detail`` says why, or what was found, in one line. ``result``:
    the first rows that a saved query answered."""

    passed: bool | None
    detail: str
    result: query.QueryResult | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True)
class Subject:
    """One source of the lake and its tables. ``started`` hears the id of each query."""

    lake: Lake
    spec: LakeSpec
    source: SourceSpec
    started: Callable[[str], None] = lambda _: None

    @property
    def silver(self) -> str:
        return self.table(self.source.silver_table)

    def table(self, name: str) -> str:
        """A table of the silver database, as SQL names it."""
        return f"{quoted(self.lake.names.silver_database)}.{quoted(name)}"

    def has(self, name: str) -> bool:
        """Whether the silver database has this table."""
        try:
            self.lake.client("glue").get_table(DatabaseName=self.lake.names.silver_database, Name=name)
        except ClientError as error:
            if code_of(error) == "EntityNotFoundException":
                return False
            raise explain(error, f"reading {self.lake.names.silver_database}.{name}") from error
        except BotoCoreError as error:
            raise explain(error, f"reading {self.lake.names.silver_database}.{name}") from error
        return True

    @cached_property
    def absent(self) -> bool:
        """Whether there is no silver table yet: then there is nothing to ask it."""
        return not self.has(self.source.silver_table)

    def ask(self, sql: str) -> list[list[str | None]]:
        """The rows of a statement. Raises QueryFailed."""
        return query.run(self.lake, sql, self.started).rows

    def lines(self, sql: str) -> Iterator[list[str]]:
        """The rows of a SELECT with many: NULL is an empty text. Raises QueryFailed."""
        return query.lines(self.lake, sql, self.started)

    def numbers(self, sql: str) -> list[int]:
        """The one row of a statement as whole numbers; NULL is 0."""
        return [int(value or 0) for value in self.ask(sql)[0]]


Judge = Callable[[Subject], Verdict]


@dataclass(frozen=True)
class SourceCheck:
    """A check that each source has which ``applies``. ``title`` is said of a source: "each key once"."""

    name: str
    title: str
    judge: Judge
    applies: Callable[[SourceSpec], bool] = lambda _: True


def quoted(name: str) -> str:
    """A name in Athena's SQL."""
    return '"' + name.replace('"', '""') + '"'


def some(values: Iterable[object]) -> str:
    """The first few values, with a mark where there are more."""
    found = sorted(values, key=lambda value: (str(type(value)), value))
    return ", ".join(map(str, found[:NAMED])) + (" …" if len(found) > NAMED else "")


def counted(number: int, what: str) -> str:
    """``1 row``, ``2,000 rows``."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
