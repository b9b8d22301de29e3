"""Going back and forth: rollback and requeue, maintenance, and what somebody changed behind our back."""

from __future__ import annotations

import time

from lakectl.core.ledger_versions import LOADED, PENDING
from lakectl.engine.model import Plan
from lakectl.ops import provision
from lakectl.ops.acceptance.building import applied, named, refuse_drift
from lakectl.ops.acceptance.drifts import DRIFTS, Drift
from lakectl.ops.acceptance.loading import follow, rows
from lakectl.ops.acceptance.model import Seen, StepFailed, Trial
from lakectl.ops.checks.model import counted
from lakectl.ops.runs import transform, wait
from lakectl.ops.tables import maintain, rollback
from lakectl.ops.tables.snapshots import snapshots, table_of

POLL_S = 2.0


def rollback_and_requeue(trial: Trial) -> Seen:
    """One snapshot back, its landings pending again, and a run that loads them again."""
    lake = trial.lake
    before = rows(trial)
    newest = next(each for each in snapshots(lake) if each.current)
    if newest.parent_id is None:
        raise StepFailed(f"{table_of(lake)} has one snapshot, so there is none to go back to: see the steps before")
    undoing = rollback.plan(lake, newest.parent_id)
    follow(trial, rollback.start(lake, undoing, requeue=True, kept_out=()), maintain.maintenance_job(lake))
    back = rows(trial)
    if back != undoing.target.total:
        raise StepFailed(f"{table_of(lake)} has {back:,} rows after the rollback, not {undoing.target.total:,}")
    last = trial.landed[-1]
    if (status := _status(trial)) not in (PENDING, LOADED):
        raise StepFailed(f"{last.key} is {status} after a rollback with requeue, not {PENDING}")
    follow(trial, transform.start(lake, {}))
    now = rows(trial)
    if now != before or _status(trial) != LOADED:
        raise StepFailed(f"{now:,} rows after the requeue, not {before:,}; the landing is {_status(trial)}")
    return Seen(
        f"{before:,} rows, back to {back:,}, again {now:,}", {"undone": [each.key for each in undoing.landings]}
    )


def _status(trial: Trial) -> str:
    last = trial.landed[-1:]
    return next((entry.load_status for entry in wait.RunItems(trial.lake, last).look().values()), "")


def maintenance(trial: Trial) -> Seen:
    before = rows(trial)
    run = follow(trial, maintain.start(trial.lake, dry_run=False), maintain.maintenance_job(trial.lake))
    tables = run.result.get("tables", [])
    problems = [f"{each['table']}: {each['problem']}" for each in tables if each["problem"]]
    if problems or not tables:
        raise StepFailed("; ".join(problems) or "the maintenance run wrote no result", facts={"tables": tables})
    if (now := rows(trial)) != before:
        raise StepFailed(f"{now:,} rows after maintenance, {before:,} before")
    return Seen(f"{counted(len(tables), 'table')}, {now:,} rows as before", {"tables": tables})


def drift(trial: Trial) -> Seen:
    """Each of the sample: changed behind our back, named by the plan, and put back by `up`."""
    refuse_drift(provision.plan(trial.lake))
    for number, each in enumerate(DRIFTS, start=1):
        trial.say(f"{number} of {len(DRIFTS)}: {each.told}")
        each.make(trial.lake)
        plan = _plan_with(trial, each)
        applied(trial.lake, plan)
        _wait_until_empty(trial, each)
    told = [each.told for each in DRIFTS]
    return Seen(f"{len(DRIFTS)} changes named by the plan and put back by up", {"drifts": told})


def _plan_with(trial: Trial, wanted: Drift) -> Plan:
    """The plan that names the change and nothing else. Raises :class:`StepFailed`."""
    deadline = time.monotonic() + trial.patience_s
    while True:
        plan = provision.plan(trial.lake)
        kinds = {step.resource.kind for step in plan.pending}
        fields = {change.field for step in plan.pending for change in step.changes}
        if kinds == {wanted.kind} and (wanted.field in fields or not fields):
            return plan
        if time.monotonic() > deadline:  # before it, an older answer may have come once more
            seen = named(plan.pending) or "nothing"
            raise StepFailed(f"{wanted.told}: the plan names {seen}", facts={"wanted": f"{wanted.kind} {wanted.field}"})
        time.sleep(POLL_S)


def _wait_until_empty(trial: Trial, after: Drift) -> None:
    deadline = time.monotonic() + trial.patience_s
    while (plan := provision.plan(trial.lake)).pending:
        if time.monotonic() > deadline:
            raise StepFailed(f"{after.told}: up did not put it back: {named(plan.pending)}")
        time.sleep(POLL_S)
