"""What every step of a run works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from pyspark.sql import SparkSession

from lake.arguments import Arguments
from lake.copies import Copies
from lake.landings import Inbox, Item
from lake.policies import Checks
from lake.table import Table
from lakectl.spec.model import Column, LakeSpec, SourceSpec


@dataclass
class Work:
    """``added``: source -> columns, all text, that its files have beside those of the specification and that its silver
    table has or gets; ``copies``: of landings that were overwritten; ``spec_changed``: since the last run;
    ``advanced``: source -> the snapshot of its table before and after a commit of this run that changed row versions
    alone."""

    spark: SparkSession
    arguments: Arguments
    inbox: Inbox
    say: Callable[[str], None]
    copies: Copies
    added: dict[str, tuple[str, ...]] = field(default_factory=dict)
    spec_changed: bool = False
    advanced: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def spec(self) -> LakeSpec:
        return self.arguments.spec

    def source(self, name: str) -> SourceSpec:
        """The source as its files are read: its columns and the added ones."""
        source = self.spec.sources[name]
        more = tuple(Column(column, "string") for column in self.added.get(name, ()))
        return replace(source, columns=source.columns + more) if more else source

    def source_of(self, item: Item) -> SourceSpec:
        return self.source(item.landing.source)

    def checks(self, name: str) -> Checks:
        return Checks(self.source(name))

    def table(self, name: str) -> Table:
        """The source's silver table."""
        return Table(self.spark, self.arguments.silver_db, self.spec, name, self.added.get(name, ()))
