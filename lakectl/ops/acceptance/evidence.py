"""What was seen, written down and masked: ``evidence.json`` for programs, ``evidence.md`` for people."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from lakectl import __version__
from lakectl.errors import UsageError
from lakectl.ops.acceptance.masking import Mask
from lakectl.ops.acceptance.model import Outcome, StepResult
from lakectl.ops.lake import Lake

FORM = 1  # of evidence.json; another number where a key means something else
JSON_FILE, TEXT_FILE = "evidence.json", "evidence.md"
MARKS = {Outcome.OK: "ok", Outcome.FAILED: "**failed**", Outcome.INTERRUPTED: "**interrupted**", Outcome.SKIPPED: "-"}


@dataclass
class Evidence:
    """Written again after each step, so that a process that is killed leaves what it saw. Raises
    :class:`UsageError` where ``folder`` can't be written."""

    folder: Path
    mask: Mask
    where: Mapping[str, Any]
    versions: Mapping[str, Any]
    started_at: str = field(default_factory=lambda: f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
    steps: list[StepResult] = field(default_factory=list)
    ended: bool = False

    def add(self, result: StepResult) -> None:
        self.steps.append(result)
        self.write()

    def end(self) -> None:
        """Nothing more is to come."""
        self.ended = True
        self.write()

    @property
    def outcome(self) -> str:
        """``unfinished`` until the end: of a process that was killed it stays so."""
        return outcome_of(self.steps) if self.ended else "unfinished"

    def write(self) -> None:
        found = self.mask.data(self.data())
        try:
            (self.folder / JSON_FILE).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
            (self.folder / TEXT_FILE).write_text(self.mask.text(as_text(found)), encoding="utf-8")
        except OSError as error:
            raise UsageError(f"can't write {self.folder}: {error.strerror}", "name a folder with --out") from error

    def data(self) -> dict[str, Any]:
        """All of it, as it is not to be written: nothing is masked yet."""
        contract = next((step.facts for step in self.steps if step.name == "contract"), {})
        return {
            "form": FORM,
            "outcome": self.outcome,
            "where": dict(self.where),
            "versions": dict(self.versions),
            "started_at": self.started_at,
            "written_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "seconds": round(sum(step.seconds for step in self.steps), 1),
            "cost": next((step.facts for step in self.steps if step.name == "cost"), {}),
            "differences": contract.get("differences", []),
            "steps": [asdict(step) for step in self.steps],
        }


def outcome_of(steps: Sequence[StepResult]) -> str:
    """``interrupted``, ``failed`` or ``passed``."""
    for outcome in (Outcome.INTERRUPTED, Outcome.FAILED):
        if any(step.outcome is outcome for step in steps):
            return outcome.value
    return "passed"


def versions(lake: Lake) -> dict[str, Any]:
    """Of everything that the answers may depend on; of the machine its system and processor, not its name."""
    glue, functions = lake.config.glue, lake.config.functions
    return {
        "lakectl": __version__,
        "python": platform.python_version(),
        "boto3": version("boto3"),
        "botocore": version("botocore"),
        "system": f"{platform.system()} {platform.machine()}",
        "glue": glue.version,
        "spark": glue.capabilities.spark,
        "iceberg": glue.capabilities.iceberg,
        "workers": f"{glue.workers} x {glue.worker_type}",
        "athena": lake.config.athena.engine_version,
        "lambda": sorted({functions.log_ingestion_run.runtime, functions.start_glue_job.runtime}),
    }


def where(lake: Lake) -> dict[str, Any]:
    aws = lake.aws
    endpoint = "AWS" if aws.endpoint_url is None else "the local AWS" if not aws.billed else "another endpoint"
    return {"endpoint": endpoint, "region": aws.region, "billed": aws.billed}


def as_text(found: Mapping[str, Any]) -> str:
    """``evidence.md`` of the data of ``evidence.json``."""
    lines = [
        "# Acceptance of lakectl",
        "",
        f"**{found['outcome']}**: {found['where']['endpoint']}, {found['where']['region']}, {found['started_at']}, "
        f"{found['seconds']:.0f} s.",
        "",
        "| Step | Outcome | Seconds | Calls | Seen |",
        "|---|---|---|---|---|",
    ]
    for step in found["steps"]:
        told = _cell(step["detail"] or step["problem"])
        calls = step["calls"].get("count", 0)
        lines.append(
            f"| {step['title']} | {MARKS[Outcome(step['outcome'])]} | {step['seconds']:.1f} | {calls} | {told} |"
        )
    failed = [step for step in found["steps"] if step["problem"]]
    if failed:
        lines += ["", "## What failed", ""]
        lines += [f"- **{each['title']}**: {_cell(each['problem'])}. Try: {_cell(each['advice'])}" for each in failed]
    lines += ["", "## Cost", "", _cost(found["cost"]), "", "## Answers that differ from the contract table", ""]
    lines += _differences(found["differences"])
    lines += ["", "## Failed calls", "", *_failed_calls(found["steps"])]
    lines += ["", "## Versions", "", *(f"- {name}: {_plain(value)}" for name, value in found["versions"].items())]
    return "\n".join(lines) + "\n"


def _cost(cost: Mapping[str, Any]) -> str:
    if not cost:
        return "Not known."
    price = f"{cost['usd']:.4f} USD of at most {cost['at_most_usd']:.2f} USD" if cost["billed"] else "Nothing"
    return (
        f"{price}: {cost['runs']} runs, {cost['dpu_hours']:.3f} DPU-hours, {cost['queries']} queries, "
        f"{cost['scanned_bytes']:,} bytes scanned."
    )


def _differences(found: Sequence[Mapping[str, Any]]) -> list[str]:
    if not found:
        return ["None of those that were asked."]
    lines = ["| Row | Expected | Answered | Source | Request id |", "|---|---|---|---|---|"]
    for each in found:
        expected = _cell(each["expected"]) + (f" (known: {_cell(each['known'])})" if each.get("known") else "")
        rest = f"{_cell(each['answered'])} | {_cell(each['source'])} | {each['request_id']}"
        lines.append(f"| {each['row']} | {expected} | {rest} |")
    return lines


def _failed_calls(steps: Sequence[Mapping[str, Any]]) -> list[str]:
    rows = [
        f"| {step['name']} | {call['operation']} | {call['status']} {call['answer']} | {call['request_id']} |"
        for step in steps
        for call in step["calls"].get("requests", [])
        if call["answer"] != "ok"
    ]
    head = ["| Step | Operation | Answer | Request id |", "|---|---|---|---|"]
    return [*head, *rows] if rows else ["None."]


def _cell(text: str) -> str:
    return " ".join(str(text).split()).replace("|", "\\|")


def _plain(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
