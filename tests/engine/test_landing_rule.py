"""The rule that starts runs: one prefix for each source that starts one, and short whatever their number."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import cast

from lakectl.lake import triggers
from lakectl.naming import Names
from lakectl.spec.model import LakeSpec, SourceSpec

LONGEST_NAME = 100


def names(spec: LakeSpec) -> Names:
    config = SimpleNamespace(landing=SimpleNamespace(prefix="in/"), spec=spec)
    return cast(Names, SimpleNamespace(config=config, raw_bucket="raw"))


def prefixes(spec: LakeSpec) -> list[str]:
    return [each["prefix"] for each in triggers.landed(names(spec))["detail"]["object"]["key"]]


def test_each_source_that_starts_runs_is_one_prefix() -> None:
    spec = LakeSpec(
        {name: SourceSpec(name, (), starts_run=name != "drivers") for name in ("drivers", "ride", "rides", "zones")}
    )
    assert prefixes(spec) == ["in/ride/", "in/rides/", "in/zones/", "in/_smoke/"]


def test_a_lake_whose_sources_start_nothing_hears_of_the_quick_test() -> None:
    assert prefixes(LakeSpec({"drivers": SourceSpec("drivers", ())})) == ["in/_smoke/"]


def test_a_pattern_is_never_longer_than_event_bridge_takes() -> None:
    lengths = []
    for count in (1, 15, 16, 500):
        sources = [f"s{n:0{LONGEST_NAME - 1}d}" for n in range(count)]
        spec = LakeSpec({name: SourceSpec(name, (), starts_run=True) for name in sources})
        lengths.append(len(json.dumps(triggers.landed(names(spec)))))
        assert all(any(f"in/{name}/x".startswith(prefix) for prefix in prefixes(spec)) for name in sources)
    assert max(lengths) <= triggers.LONGEST_PATTERN
    assert lengths[-1] < lengths[0]
