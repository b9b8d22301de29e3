"""The steps, in their order."""

from __future__ import annotations

from functools import partial

from lakectl.ops.acceptance import before, building, loading, repairing
from lakectl.ops.acceptance.answers import contract
from lakectl.ops.acceptance.model import Seen, Step, StepFailed, Trial
from lakectl.ops.report.cost import cost as cost_of

BEFORE = (
    Step("permissions", "Permissions, by simulation", before.permissions, vital=True, advice="lakectl doctor"),
    Step("quotas", "Quotas", before.quotas, vital=True),
)
# The answers of the contract table are asked for while the plan is observed.
STORY = (
    Step("up", "Make the lake", building.up, vital=True),
    Step("up-again", "Make it again: nothing changes", building.up_again),
    Step("plan-1", "Plan: no drift", partial(building.stays, share=0.0)),
    Step("contract", "Answers of AWS against the contract table", contract, brief=True),
    Step("plan-2", "Plan again: no drift", partial(building.stays, share=0.5)),
    Step("plan-3", "Plan a third time: no drift", partial(building.stays, share=1.0)),
    Step("land", "Land a file of each source", loading.land, vital=True),
    Step("event-run", "The run that the landing starts", loading.event_run, vital=True),
    Step("validate", "Checks in Athena", loading.validate),
    Step("duplicate", "The same file again", loading.duplicate),
    Step("bad-file", "A bad file is refused by name", loading.bad_file),
    Step("second-batch", "A second batch", loading.second_batch),
    Step("rollback", "Rollback, and requeue", repairing.rollback_and_requeue),
    Step("maintenance", "Maintenance", repairing.maintenance),
    Step("validate-again", "Checks in Athena, again", loading.validate),
    Step("drift", "Drift: made, named, repaired", repairing.drift),
)


def cost(trial: Trial) -> Seen:
    """What it has cost by now, as Glue and Athena report. Raises :class:`StepFailed` when it is more than was said."""
    spent, most = cost_of(trial.lake), before.at_most(trial.lake)
    usd = spent.glue + spent.athena if spent.billed else 0.0
    facts = {
        "at_most_usd": most.usd,
        "usd": round(usd, 4),
        "billed": spent.billed,
        "runs": spent.runs,
        "dpu_hours": round(spent.dpu_hours, 4),
        "queries": spent.queries,
        "scanned_bytes": spent.scanned,
    }
    if usd > most.usd or spent.runs > before.MOST_RUNS or spent.queries > before.MOST_QUERIES:
        told = f"{usd:.2f} USD, {spent.runs} runs and {spent.queries} queries are more than was said: {most.why}"
        raise StepFailed(told, facts=facts)
    price = f"{usd:.2f} USD of at most {most.usd:.2f}" if spent.billed else "nobody is charged for it"
    return Seen(f"{price}: {spent.runs} runs, {spent.dpu_hours:.3f} DPU-hours, {spent.queries} queries", facts)


ENDING = (
    Step("cost", "What it has cost", cost),
    Step("down", "Delete the lake", building.down),
    Step("nothing-left", "Nothing is left", building.nothing_left),
)
