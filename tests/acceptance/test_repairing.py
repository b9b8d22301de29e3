"""The sample of drifts, on a lake of which nothing runs: each is named by the plan and put back by `up`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lakes import bring_up, open_test_lake, tear_down

from lakectl.local.control import Endpoint
from lakectl.ops.acceptance import building, repairing
from lakectl.ops.acceptance.calls import Calls
from lakectl.ops.acceptance.drifts import DRIFTS
from lakectl.ops.acceptance.model import StepFailed, Trial


@pytest.fixture(scope="module")
def trial(endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    lake, folder = open_test_lake(endpoint), Path(tmp_path_factory.mktemp("trial"))
    bring_up(lake)
    made = Trial(lake, folder, Calls(), observe_s=0, event_limit_s=1, patience_s=2)
    lake.aws.record(made.calls.take)
    yield made
    tear_down(lake)


def with_drifts(monkeypatch: pytest.MonkeyPatch, *drifts: Any) -> None:
    monkeypatch.setattr(repairing, "DRIFTS", drifts)
    monkeypatch.setattr(repairing, "POLL_S", 0.1)


def test_a_drift_is_named_and_put_back(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = {"the lifecycle of the tmp bucket is deleted", "a saved query is deleted", "the daily rule is disabled"}
    with_drifts(monkeypatch, *(each for each in DRIFTS if each.told in wanted))
    seen = repairing.drift(trial)
    assert seen.facts["drifts"] == [each.told for each in DRIFTS if each.told in wanted]
    assert len(wanted) == 3


def test_a_drift_that_the_plan_does_not_name_is_a_failure(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    with_drifts(monkeypatch, replace(DRIFTS[0], make=lambda _: None))
    with pytest.raises(StepFailed, match="the raw bucket's versions are suspended: the plan names nothing"):
        repairing.drift(trial)


@pytest.mark.long
def test_another_drift_beside_it_is_a_failure(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    other = next(each for each in DRIFTS if each.kind == "log-group")

    def both(lake: Any) -> None:
        DRIFTS[0].make(lake)
        other.make(lake)

    with_drifts(monkeypatch, replace(DRIFTS[0], make=both))
    with pytest.raises(StepFailed, match="log-group "):
        repairing.drift(trial)
    with pytest.raises(StepFailed, match=r"the plan is not empty: .*log-group"):
        building.up_again(trial)
    bring_up(trial.lake)


def test_up_again_of_a_complete_lake_writes_nothing(trial: Trial) -> None:
    assert "nothing was written" in building.up_again(trial).detail
    assert building.stays(trial, share=1.0).detail.startswith("no drift")
