"""``make security``: two tools against a fresh lake on the local endpoint. Exit status 1 when anything counts."""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from lakes import bring_up, open_test_lake
from scope import Answer, Finding, Verdict, judge, load

from lakectl.local import control
from lakectl.ops.lake import Lake

SERVICES = ("s3", "dynamodb", "iam", "awslambda", "glue", "athena", "sqs", "eventbridge", "cloudwatch")
TOOL_SECONDS = 600
FAILED_CHECKS = 3  # Prowler's exit status when it ran and something failed
HERE = Path(__file__).parent


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("environments", type=Path, help="the folder with an environment for each tool")
    environments: Path = parser.parse_args().environments.resolve()
    scope = load()
    # Without this a stopped `make` would leave the endpoint running.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with tempfile.TemporaryDirectory(prefix="lakectl-security-") as folder:
        os.environ["XDG_STATE_HOME"] = folder
        endpoint = control.ensure_running()
        try:
            lake = open_test_lake(endpoint, name="audit", suffix_names=False)
            bring_up(lake)
            not_run = [entry["check"] for entry in scope["prowler"]["not_run"]]
            answers = [
                prowler(environments / "prowler/bin/prowler", endpoint, Path(folder), not_run),
                parliament(environments / "parliament/bin/python", policies(lake)),
            ]
        finally:
            control.stop()
    verdicts = [judge(answer, scope[answer.tool]) for answer in answers]
    report(verdicts, len(not_run))
    return 0 if all(verdict.ok for verdict in verdicts) else 1


def prowler(program: Path, endpoint: control.Endpoint, folder: Path, not_run: list[str]) -> Answer:
    """Every check of the lake's services, in the lake's region. Nothing of the caller's environment goes in."""
    environment = {
        "PATH": os.defpath,
        "HOME": str(folder),
        "AWS_ENDPOINT_URL": endpoint.url,
        "AWS_ACCESS_KEY_ID": endpoint.access_key_id,
        "AWS_SECRET_ACCESS_KEY": endpoint.secret_access_key,
        "AWS_DEFAULT_REGION": endpoint.region,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    log = folder / "prowler.log"
    command = [program, "aws", "--services", *SERVICES, "--region", endpoint.region, "--excluded-checks", *not_run]
    command += ["--output-formats", "csv", "--output-directory", folder, "--output-filename", "prowler"]
    command += ["--no-banner", "--no-color", "--log-level", "ERROR", "--log-file", log]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=TOOL_SECONDS, check=False)
    executed = re.search(r"(\d+)/\1 \[100%\]", ran.stdout)
    if ran.returncode not in (0, FAILED_CHECKS) or not executed:
        raise SystemExit(f"prowler ended with {ran.returncode}:\n{ran.stdout[-2000:]}{ran.stderr[-2000:]}")
    csv.field_size_limit(sys.maxsize)
    with (folder / "prowler.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    failed = [Finding(r["CHECK_ID"], r["RESOURCE_UID"], r["STATUS_EXTENDED"]) for r in rows if r["STATUS"] != "PASS"]
    return Answer("prowler", int(executed[1]), len(rows), tuple(failed), _errors(log))


def _errors(log: Path) -> tuple[str, ...]:
    """``module: message`` of what Prowler could not ask."""
    if not log.exists():
        return ()
    # Nearly JSON: a record for each error, with the line breaks and quotes of the message as they are.
    records = re.split(r"\n(?=\{)", log.read_text(encoding="utf-8").strip())
    found = [re.search(r'"module": "(.*?)", "message": "(.*)', record, re.DOTALL) for record in records]
    if not all(found):
        raise SystemExit(f"can't read Prowler's log:\n{records[:1]}")
    return tuple(" ".join(f"{match[1]}: {match[2]}".split()) for match in found if match)


def policies(lake: Lake) -> dict[str, Any]:
    """Every policy document that the lake has made, as the endpoint gives it back, by ``kind/name``."""
    iam, s3, sqs, functions = (lake.client(service) for service in ("iam", "s3", "sqs", "lambda"))
    found: dict[str, Any] = {}
    for resource in lake.resources:
        name = resource.name
        if resource.kind == "iam-role":
            for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
                found[f"role/{name}/{policy}"] = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        elif resource.kind == "s3-bucket":
            found[f"bucket/{name}"] = json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])
        elif resource.kind == "sqs-queue":
            url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
            answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
            found[f"queue/{name}"] = json.loads(answer["Attributes"]["Policy"])
        elif resource.kind == "lambda-function":
            found[f"function/{name}"] = json.loads(functions.get_policy(FunctionName=name)["Policy"])
    return found


def parliament(python: Path, documents: dict[str, Any]) -> Answer:
    """The linter on each document. ``results`` counts documents."""
    ran = subprocess.run(
        [python, HERE / "lint_policies.py"],
        input=json.dumps(documents),
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        timeout=TOOL_SECONDS,
        check=False,
    )
    if ran.returncode:
        raise SystemExit(f"parliament ended with {ran.returncode}:\n{ran.stderr[-2000:]}")
    answer = json.loads(ran.stdout)
    return Answer(
        "parliament", answer["checks"], len(documents), tuple(Finding(**finding) for finding in answer["findings"])
    )


def report(verdicts: list[Verdict], not_run: int) -> None:
    print(f"{'tool':<12}{'checks run':>12}{'results':>10}{'failed':>10}{'failed in scope':>18}{'not answered':>15}")
    for verdict in verdicts:
        answer = verdict.answer
        unanswered = len(answer.errors) + (not_run if answer.tool == "prowler" else 0)
        print(
            f"{answer.tool:<12}{answer.checks:>12}{answer.results:>10}{len(answer.failed):>10}"
            f"{len(verdict.in_scope):>18}{unanswered:>15}"
        )
    print("A result is one resource under one check (prowler), or one policy document (parliament).")
    for verdict in verdicts:
        tool = verdict.answer.tool
        for finding in verdict.in_scope:
            print(f"{tool}: {finding.check}: {finding.resource}: {finding.detail}")
        for error in verdict.unexpected_errors:
            print(f"{tool}: could not ask: {error[:300]}")
        for entry in verdict.stale:
            print(f"{tool}: out_of_scope.yaml: {entry} matches nothing; take it out")


if __name__ == "__main__":
    sys.exit(main())
