"""What every step of a run works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pyspark.sql import SparkSession

from lake.arguments import Arguments
from lake.copies import Copies
from lake.landings import Inbox
from lake.settings import Settings


@dataclass
class Work:
    """``settings``: the arguments', and the columns that files add; ``copies``: of landings that were overwritten."""

    spark: SparkSession
    arguments: Arguments
    inbox: Inbox
    say: Callable[[str], None]
    settings: Settings
    copies: Copies
