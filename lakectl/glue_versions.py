"""What each version of AWS Glue can do: one record for each, and what our jobs need of it.

Sources: AWS Glue developer guide, "AWS Glue versions", "Automatic version upgrades for AWS Glue jobs", "AWS Glue worker
types" and "Using job parameters in AWS Glue jobs"; ``WorkerType`` of CreateJob (API reference); the AWS Glue pricing
page, and for Glue 6.0 its announcement in the AWS News Blog ("30% lower price"); for Iceberg's procedures its release
notes (``prefix_listing``: apache/iceberg#12254, released in 1.10.0).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
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
    """``workers``: for Spark jobs that aren't streaming jobs. ``retries``: so often Glue must be allowed to run a job
    again whose run has failed."""

    spark: str
    scala: str
    python: str
    java: str
    iceberg: str
    capabilities: frozenset[Capability]
    workers: tuple[str, ...] = WORKERS
    usd_per_dpu_hour: float = 0.44  # in most regions
    retries: int = 0

    def lacks(self, needs: Collection[Capability]) -> tuple[Capability, ...]:
        """Those of ``needs`` that this version does not have."""
        return tuple(need for need in needs if need not in self.capabilities)


VERSIONS = {
    "4.0": GlueVersion("3.3.0", "2.12", "3.10", "8", "1.0.0", frozenset()),
    "5.0": GlueVersion("3.5.4", "2.12.18", "3.11", "17", "1.7.1", frozenset((Capability.LOG_GROUP_PREFIX,))),
    "5.1": GlueVersion("3.5.6", "2.12.18", "3.11", "17", "1.10.0", frozenset(Capability)),
    "6.0": GlueVersion(
        "4.1.1", "2.13.17", "3.13", "17", "1.11.0", frozenset(Capability), usd_per_dpu_hour=round(0.44 * 0.7, 3)
    ),
}
# Glue runs the job on one of the versions above, and on the next once that is approved. A run that fails there is run
# again on the one before, for which the job must allow a retry. Until it is upgraded it costs what the older one does.
AUTO = "auto"
VERSIONS[AUTO] = replace(VERSIONS["5.1"], retries=1)
# What the definitions of `jobs/` use: logs in groups of their own. Where there is no PREFIX_LISTING, maintenance lists
# orphans through Hadoop's file system.
JOB_NEEDS = (Capability.LOG_GROUP_PREFIX,)


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
