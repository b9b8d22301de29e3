"""What each version of AWS Glue can do: one record for each, and what our jobs need of it.

Sources: AWS Glue developer guide, "AWS Glue versions", "AWS Glue worker types" and "Using job parameters in AWS Glue
jobs"; ``WorkerType`` of CreateJob (API reference); the AWS Glue pricing page; for Iceberg's procedures its release
notes (``prefix_listing``: apache/iceberg#12254, released in 1.10.0).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

# DPU of one worker. The R types are billed in M-DPU at a price of their own, and are not offered.
DPU_PER_WORKER = {
    "G.025X": 0.25,
    "Standard": 1.0,
    "G.1X": 1.0,
    "G.2X": 2.0,
    "G.4X": 4.0,
    "G.8X": 8.0,
    "G.12X": 12.0,
    "G.16X": 16.0,
}
LEAST_BILLED_S = 60  # Spark jobs of Glue 2.0 and later are billed by the second, a minute at least
STREAMING_ONLY = frozenset(("G.025X",))
WORKERS = ("G.1X", "G.2X", "G.4X", "G.8X", "G.12X", "G.16X")


class Capability(StrEnum):
    """What some versions have and others don't, in the words of a message."""

    LOG_GROUP_PREFIX = "--custom-logGroup-prefix (since Glue 5.0)"
    PREFIX_LISTING = "prefix_listing of Iceberg's remove_orphan_files (since Iceberg 1.10)"


@dataclass(frozen=True)
class GlueVersion:
    """``workers``: for Spark jobs that aren't streaming jobs."""

    spark: str
    scala: str
    python: str
    java: str
    iceberg: str
    capabilities: frozenset[Capability]
    workers: tuple[str, ...] = WORKERS
    usd_per_dpu_hour: float = 0.44  # in most regions

    def lacks(self, needs: Collection[Capability]) -> tuple[Capability, ...]:
        """Those of ``needs`` that this version does not have."""
        return tuple(need for need in needs if need not in self.capabilities)


VERSIONS = {
    "4.0": GlueVersion("3.3.0", "2.12", "3.10", "8", "1.0.0", frozenset()),
    "5.0": GlueVersion("3.5.4", "2.12.18", "3.11", "17", "1.7.1", frozenset((Capability.LOG_GROUP_PREFIX,))),
    "5.1": GlueVersion("3.5.6", "2.12.18", "3.11", "17", "1.10.0", frozenset(Capability)),
}
# What `jobs/` and their definitions use: logs in groups of their own; orphans are listed through Iceberg's S3FileIO.
JOB_NEEDS = (Capability.LOG_GROUP_PREFIX, Capability.PREFIX_LISTING)


def fit() -> list[str]:
    """The versions that the jobs can run on."""
    return [name for name, version in VERSIONS.items() if not version.lacks(JOB_NEEDS)]


def check_version(name: str) -> None:
    """Raise ``ValueError`` when the jobs can't run on the version called ``name``."""
    if name not in VERSIONS:
        raise ValueError(f"known are {', '.join(VERSIONS)}")
    if missing := VERSIONS[name].lacks(JOB_NEEDS):
        raise ValueError(f"Glue {name} lacks {' and '.join(missing)}, which the jobs need; use {' or '.join(fit())}")


def check_worker(version: str, worker: str) -> None:
    """Raise ``ValueError`` when a Spark job of ``version`` can't have workers of the type ``worker``."""
    if worker in STREAMING_ONLY:
        raise ValueError(f"it is for streaming jobs only; use {', '.join(VERSIONS[version].workers)}")
    if worker not in VERSIONS[version].workers:
        raise ValueError(f"Glue {version} takes {', '.join(VERSIONS[version].workers)}")
