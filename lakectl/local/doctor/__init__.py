"""What the local AWS needs of this machine, and whether it is there."""

from __future__ import annotations

from lakectl.findings import Finding


def findings(port: int | None, worker_type: str) -> list[Finding]:
    """``port``: the configuration's ``local.port``; ``worker_type``: the job's. Starts and changes nothing."""
    from lakectl.local.doctor import machine, servers, spark

    return [*machine.findings(worker_type), *spark.findings(), *servers.findings(port)]
