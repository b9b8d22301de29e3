"""One lake name, two regions: roles and bucket names have none, so the second region is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from program_process import run_program

from lakectl.aws import Aws
from lakectl.engine.apply import apply
from lakectl.engine.model import Action, Plan
from lakectl.errors import UsageError
from lakectl.ops import provision
from lakectl.ops.lake import Lake

ELSEWHERE = "eu-central-1"


@pytest.fixture(scope="module")
def abroad(lake: Lake) -> Lake:
    """The same lake, asked for in another region."""
    return Lake(lake.config, lake.project, Aws(lake.aws.session, ELSEWHERE, lake.aws.endpoint_url))


@pytest.mark.parametrize(
    "ask",
    [
        provision.plan,
        provision.down_plan,
        lambda lake: provision.down_plan(lake, True),
        lambda lake: provision.plan(lake, ("create-roles",)),
        lambda lake: provision.plan(lake, adopt=True),
    ],
    ids=["plan", "down", "keep-data", "step", "adopt"],
)
def test_the_other_region_is_refused_and_nothing_changes(lake: Lake, abroad: Lake, ask: Callable[[Lake], Plan]) -> None:
    with pytest.raises(UsageError) as refused:
        ask(abroad)
    assert f"lake {lake.config.name!r} is in eu-west-1, not in {ELSEWHERE}" in refused.value.message
    assert "--region eu-west-1" in str(refused.value.hint)
    assert refused.value.exit_code == 64
    assert provision.plan(lake).pending == ()


def test_an_up_that_meets_the_other_region_half_way_does_not_take_its_roles(lake: Lake, abroad: Lake) -> None:
    role = next(r for r in abroad.resources if r.kind == "iam-role")
    step = next(s for s in provision.plan(lake).steps if s.resource.id == role.id)
    result = apply(Plan((type(step)(role, Action.CREATE),)), abroad.aws)
    assert f"is in eu-west-1, not in {ELSEWHERE}" in result.failed[role.id].message
    assert provision.plan(lake).pending == ()


@pytest.mark.parametrize("command", ["plan", "up", "down --yes", "status"])
def test_each_command_says_so_in_one_line_and_ends_with_64(lake: Lake, tmp_path: Path, command: str) -> None:
    (tmp_path / "lake.yaml").write_text(f"name: {lake.config.name}\nsuffix_names: true\n")
    ended = run_program(*command.split(), "-c", "lake.yaml", "--region", ELSEWHERE, cwd=tmp_path)
    assert ended.returncode == 64, ended.stderr
    error, hint = ended.stderr.splitlines()
    assert error.startswith(f"error: lake {lake.config.name!r} is in eu-west-1, not in {ELSEWHERE}")
    assert "--region eu-west-1" in hint
    assert provision.plan(lake).pending == ()
