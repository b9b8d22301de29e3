"""The Terraform module with Terraform and the AWS provider themselves, against the local AWS.

They come from no package registry. LAKECTL_TEST_TERRAFORM names the folder of a provider mirror that has
hashicorp/aws (https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories), and
`terraform` is on PATH; else these tests are skipped. Last run: Terraform 1.11.4, provider 5.100.0.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from lakes import bring_up, open_test_lake, tear_down
from program_process import run_program

from lakectl.local.control import Endpoint
from lakectl.ops import provision
from lakectl.ops.lake import Lake

MIRROR = os.environ.get("LAKECTL_TEST_TERRAFORM", "")  # read here: tests run without any LAKECTL_ variable
# The local AWS tells the execution class of a job for which none was given.
TOLD = {"execution_class"}

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not MIRROR or not shutil.which("terraform"), reason="needs terraform, LAKECTL_TEST_TERRAFORM"),
]
Terraform = Callable[..., str]


@pytest.fixture
def lake(endpoint: Endpoint) -> Iterator[Lake]:
    made = open_test_lake(endpoint, views=["daily_sales"])
    yield made
    tear_down(made)


@pytest.fixture
def terraform(lake: Lake, endpoint: Endpoint, tmp_path: Path) -> Terraform:
    """``terraform("plan")``: the program in a folder of its own, on the local AWS."""
    (tmp_path / "lake.yaml").write_text(f"name: {lake.config.name}\nsuffix_names: true\nviews: [daily_sales]\n")
    shutil.copytree(lake.project.queries, tmp_path / "queries")
    home = tmp_path / "infra"
    home.mkdir()
    (home / "override.tf").write_text('provider "aws" {\n  s3_use_path_style = true\n}\n')
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_ENDPOINT_URL": endpoint.url,
        "AWS_ACCESS_KEY_ID": endpoint.access_key_id,
        "AWS_SECRET_ACCESS_KEY": endpoint.secret_access_key,
        "TF_IN_AUTOMATION": "1",
    }

    def run(*arguments: str) -> str:
        line = ["terraform", f"-chdir={home}", *arguments]
        done = subprocess.run(line, env=environ, capture_output=True, text=True, timeout=600, check=False)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout

    return run


def export(folder: Path, account: str, *arguments: str) -> None:
    flags = ("-c", "lake.yaml", "--format", "terraform", "--out", "infra/lake.tf", "--account", account)
    done = run_program("export", *flags, *arguments, cwd=folder)
    assert done.returncode == 0, done.stderr


def changes(terraform: Terraform) -> tuple[dict[str, int], set[str]]:
    """How many resources are imported, made, changed or deleted; and which fields of those that are changed."""
    terraform("plan", "-input=false", "-out=plan")
    found = json.loads(terraform("show", "-json", "plan"))["resource_changes"]
    counts: dict[str, int] = {"import": 0}
    fields: set[str] = set()
    for each in found:
        change = each["change"]
        counts["import"] += "importing" in change
        for action in change["actions"]:
            counts[action] = counts.get(action, 0) + 1
        if change["actions"] == ["update"]:
            fields |= {key for key, value in change["after"].items() if change["before"].get(key) != value}
    return counts, fields


def test_a_running_lake_is_adopted_and_not_made_again(lake: Lake, terraform: Terraform, tmp_path: Path) -> None:
    bring_up(lake)
    export(tmp_path, lake.names.account, "--adopt")
    terraform("fmt", "-check")
    terraform("init", "-input=false", f"-plugin-dir={MIRROR}")
    terraform("validate")
    counts, fields = changes(terraform)
    assert counts["import"] > 70
    assert (counts["create"], counts.get("delete", 0)) == (1, 0)  # the view's statement
    # Code and files are uploaded once more: nothing tells Terraform what is there.
    assert fields <= {"filename", "publish", "source_code_hash", "source", "force_destroy"} | TOLD
    terraform("apply", "-input=false", "-auto-approve")
    assert changes(terraform)[1] <= TOLD
    assert provision.plan(lake).pending == ()


def test_a_lake_that_terraform_makes_is_the_one_that_up_would_make(
    lake: Lake, terraform: Terraform, tmp_path: Path
) -> None:
    export(tmp_path, lake.names.account)
    terraform("init", "-input=false", f"-plugin-dir={MIRROR}")
    terraform("apply", "-input=false", "-auto-approve")
    left: list[Any] = [step.resource.id for step in provision.plan(lake).pending]
    assert left == []
    assert provision.plan(lake).foreign == ()
