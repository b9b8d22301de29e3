"""The states of a Glue job run (JobRun, API reference), as far as they decide something."""

from __future__ import annotations

ENDED = frozenset(("SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT", "ERROR", "EXPIRED"))
# It has not read the run log yet: it will load what was recorded until now.
NOT_BEGUN = frozenset(("WAITING", "STARTING"))
# The ends that Glue tells EventBridge of (Glue developer guide, "Automating AWS Glue with EventBridge").
TOLD = ("SUCCEEDED", "FAILED", "TIMEOUT", "STOPPED")
SHORT = 15


def short(run_id: str) -> str:
    """What people see of a run's id: `jr_` and 12 of its 64 hexadecimal digits. Commands take it for the whole one."""
    return run_id[:SHORT]
