"""``init --ci github``: a workflow that plans on pull requests and makes on merge, and what the account needs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from string import Template
from typing import Any

from lakectl import __version__, config, lake
from lakectl.errors import UsageError
from lakectl.naming import Names
from lakectl.ops.init import ci_policies
from lakectl.ops.init.config_text import TEMPLATES
from lakectl.project import find

WORKFLOW = ".github/workflows/lake-aws.yml"
FOLDER = ".github/aws"
# GitHub's tokens name a repository OWNER/NAME; those of repositories made since July 2026 add the ids of both, after
# an @ (GitHub, "OpenID Connect", "Immutable subject claims").
REPOSITORY = re.compile(r"[A-Za-z0-9-]+(@[0-9]+)?/[A-Za-z0-9._-]+(@[0-9]+)?")
BRANCH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
ACCOUNT = re.compile(r"[0-9]{12}")


def checked(repository: str | None, account: str | None, branch: str) -> tuple[str, str, str]:
    """All three. Raises :class:`UsageError` for what can't be a repository, an account or a branch."""
    if repository is None or account is None:
        missing = " and ".join(
            flag for flag, value in (("--repository", repository), ("--account", account)) if value is None
        )
        raise UsageError(
            f"--ci github needs {missing}: who may do what stands in the policies",
            "lakectl init --ci github --repository OWNER/NAME --account 123456789012",
        )
    if not REPOSITORY.fullmatch(repository):
        raise UsageError(f"--repository {repository!r} is not allowed; expected OWNER/NAME, or OWNER@ID/NAME@ID")
    if not ACCOUNT.fullmatch(account):
        raise UsageError(f"--account {account!r} is no account id: that has 12 digits")
    if not BRANCH.fullmatch(branch):
        raise UsageError(f"--branch {branch!r} is not allowed; expected the name of a branch, as main")
    return repository, account, branch


def files(config_file: Path, repository: str, account: str, branch: str, name: str | None = None) -> dict[str, bytes]:
    """Path below the project -> content, for the project of ``config_file``. ``name``: instead of the lake's in it.

    Raises :class:`UsageError` for a configuration that can't be used in CI.
    """
    project = find(str(config_file))
    found = config.load(config_file, {"name": name}, {})
    if found.profile:
        raise UsageError(
            f"{config_file}: profile: {found.profile!r} is a profile of your machine, and CI has none",
            "take it out, and set AWS_PROFILE where you work",
        )
    names = Names(found, account, found.region)
    resources = lake.resources(names, project)
    partition = names.place.partition
    subjects = {"plan": f"repo:{repository}:pull_request", "up": f"repo:{repository}:ref:refs/heads/{branch}"}
    policies = {
        "plan": ci_policies.plan_policy(names, resources),
        "up": ci_policies.up_policy(names, resources),
    }
    for role, policy in policies.items():
        _refuse_longer(role, policy)
    roles = {role: f"lakectl-{role}-{found.name}" for role in policies}
    values = {
        "lake": found.name,
        "region": found.region,
        "account": account,
        "branch": branch,
        "version": __version__,
        "repository": repository,
        "folder": FOLDER,
        "workflow": WORKFLOW,
        "issuer": ci_policies.ISSUER,
        "partition": partition,
        "options": f" --name {name}" if name else "",
        **{f"{role}_role": each for role, each in roles.items()},
        **{f"{role}_arn": f"arn:{partition}:iam::{account}:role/{each}" for role, each in roles.items()},
        **{f"{role}_subject": each for role, each in subjects.items()},
    }
    content = {
        WORKFLOW: _filled("workflow-aws.yml", values),
        f"{FOLDER}/README.md": _filled("ci-aws.md", values),
    }
    for role, policy in policies.items():
        content[f"{FOLDER}/{role}-trust.json"] = _json(ci_policies.trust(account, partition, subjects[role]))
        content[f"{FOLDER}/{role}-permissions.json"] = _json(policy)
    return content


def _refuse_longer(role: str, policy: dict[str, Any]) -> None:
    length = len(json.dumps(policy, separators=(",", ":")))
    if length > ci_policies.LONGEST_POLICY:
        raise UsageError(
            f"the policy of the role that does `{role}` would have {length} characters; IAM takes "
            f"{ci_policies.LONGEST_POLICY}",
            "give the lake's resources shorter names",
        )


class _Dollar(Template):
    """``%{name}`` stands for a value: workflows have ``${{ … }}`` of their own."""

    delimiter = "%"


def _filled(file: str, values: dict[str, str]) -> bytes:
    return _Dollar((TEMPLATES / file).read_text(encoding="utf-8")).substitute(values).encode()


def _json(document: dict[str, Any]) -> bytes:
    return (json.dumps(document, indent=2) + "\n").encode()
