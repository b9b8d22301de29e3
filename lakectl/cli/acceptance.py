"""``lakectl acceptance``."""

from __future__ import annotations

import contextlib
import signal
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from lakectl.cli.app import App, lake_command
from lakectl.errors import AccessError, Interruption, LakectlError, UsageError

if TYPE_CHECKING:
    from lakectl.ops.acceptance.evidence import Evidence
    from lakectl.ops.acceptance.model import StepResult, Trial
    from lakectl.output import Mark

PATIENCE_S = 180.0  # of rows and of what reads late
MARKS: dict[str, Mark] = {"ok": "ok", "failed": "failed", "interrupted": "failed", "skipped": "skipped"}


@lake_command("acceptance")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="For the evidence. [acceptance-<time>]")
@click.option("--yes", is_flag=True, help="Don't ask (only --target aws asks).")
@click.option(
    "--observe",
    type=click.FloatRange(0, 3600),
    metavar="SECONDS",
    help="How long the plan is looked at for drift. [600 on AWS, 30 on this machine]",
)
@click.option(
    "--wait",
    "wait_minutes",
    type=click.FloatRange(0, 120),
    default=15,
    show_default=True,
    metavar="MINUTES",
    help="How long a run that a landing should start is waited for.",
)
def acceptance(app: App, out: Path | None, yes: bool, observe: float | None, wait_minutes: float) -> None:
    """Prove that lakectl works where you are, and write down what was seen.

    Checks permissions and quotas, says what it will cost at most, and asks. Then it makes a lake with a name of its
    own, lands files, waits for the runs that they start, checks, rolls back, maintains, changes things behind lakectl's
    back and repairs them, asks AWS for each answer of the contract table, and deletes the lake: also after a failure
    or Ctrl-C. On this machine all of it is in a server of its own.

    Writes evidence.json and evidence.md. Accounts, keys, names and folders are masked in them, so that they can be
    sent with a bug report (docs/aws.md).

    Exit code 0: every step passed. 1: a step failed, or something is left. 64: not confirmed, or the folder can't be
    written. 77: no credentials, or a permission is missing; nothing was made. 130: interrupted, and the lake deleted.

    \b
    Examples:
      lakectl acceptance
      lakectl acceptance --target aws --profile sandbox
      lakectl acceptance --target aws --region eu-central-1 --yes --out evidence
    """
    from lakectl.ops.acceptance import before, evidence, masking, opening, running, story
    from lakectl.ops.acceptance.calls import Calls
    from lakectl.ops.acceptance.model import Trial

    if "name" in app.options:
        raise UsageError("--name: an acceptance makes a lake with a name of its own", "leave it out")
    folder = opening.folder(out)
    with (
        _terminated_as_interrupted(),
        opening.opened(app.config, folder, partial(app.out.item, "note")) as (lake, by_hand),
        tempfile.TemporaryDirectory(prefix="lakectl-acceptance-") as data,
    ):
        calls = Calls()
        lake.aws.record(calls.take)
        caller = before.caller(lake)
        names = [app.config.profile or ""]
        mask = masking.of_this_machine(lake.config.name, caller, names, lake.aws.session.get_credentials(), folder)
        seen = evidence.Evidence(folder, mask, evidence.where(lake), evidence.versions(lake))
        observe_s = lake.aws.settles_s if observe is None else observe
        trial = Trial(lake, Path(data), calls, observe_s, wait_minutes * 60, min(PATIENCE_S, wait_minutes * 60))
        endpoint = f", {lake.aws.endpoint_url}" if lake.aws.endpoint_url else ""
        app.out.say(f"Lake {lake.config.name!r} on {lake.aws.where}, {lake.aws.region}{endpoint}")
        lake.aws.fetch(partial(app.out.item, "note"), app.out.transfer)
        with _shown(app, trial):
            running.carry_out(trial, story.BEFORE, partial(_note, app, seen))
        _refuse_failure(app, seen, folder, "nothing was made")
        most = before.at_most(lake)
        if lake.aws.billed:
            app.out.say(f"It costs {most.usd:.2f} USD at most: {most.why}.")
            _confirm(app, yes)
        with _shown(app, trial):
            running.story_and_end(
                trial,
                story.STORY,
                story.ENDING,
                partial(_note, app, seen),
                lambda: click.echo("\nInterrupted: the lake is deleted now. Ctrl-C again leaves it there.", err=True),
            )
        _close(app, seen, folder, by_hand)


@contextlib.contextmanager
def _shown(app: App, trial: Trial) -> Iterator[None]:
    with app.out.busy("acceptance") as update:
        trial.say = update
        yield
    trial.say = lambda _: None


def _note(app: App, seen: Evidence, result: StepResult) -> None:
    """Keep a step's result, and show it: one line, and one with what to do where it failed."""
    seen.add(result)
    if result.outcome == "skipped":
        if seen.steps[-2].outcome != "skipped":
            app.out.item("skipped", "the other steps are skipped")
        return
    detail = seen.mask.text(result.problem or result.detail)
    seconds = f"  {result.seconds:.1f} s" if result.seconds else ""
    app.out.item(MARKS[result.outcome], result.title, f"{' '.join(detail.split())}{seconds}".strip())
    if result.problem:
        app.out.say(f"      {result.advice}")
    app.out.event(step=result.name, outcome=str(result.outcome), seconds=result.seconds)


def _confirm(app: App, yes: bool) -> None:
    """Raises UsageError for any answer but yes."""
    if yes:
        return
    answer = False
    if not app.no_input:
        with contextlib.suppress(click.Abort):
            answer = click.confirm("Go on?", err=True)
    if not answer:
        raise UsageError("not confirmed, so nothing was made", "lakectl acceptance --yes")


def _refuse_failure(app: App, seen: Evidence, folder: Path, rest: str) -> None:
    failed = [step for step in seen.steps if step.problem or step.outcome == "interrupted"]
    if failed:
        seen.end()
        app.out.result(seen.mask.data(seen.data()))
        _fail(failed, folder, rest)


def _close(app: App, seen: Evidence, folder: Path, by_hand: str) -> None:
    """The closing line. Raises for a step that failed or was interrupted."""
    from lakectl.ops.acceptance import evidence

    seen.end()
    app.out.result(seen.mask.data(seen.data()))
    ended = {step.name: step.outcome for step in seen.steps}
    gone = ended.get("nothing-left") == "ok"
    if not gone:
        app.out.say(f"The lake may still be there. Delete it with:\n  {by_hand}")
    failed = [step for step in seen.steps if step.outcome in ("failed", "interrupted")]
    if failed:
        _fail(failed, folder, "0 left" if gone else "the lake may still be there")
    count, differing = len(seen.steps), len(seen.data()["differences"])
    app.out.say(f"All {count} steps passed, {differing} answers differ from the contract table, 0 left.")
    app.out.say(f"Evidence: {folder / evidence.TEXT_FILE}, {folder / evidence.JSON_FILE}")


def _fail(failed: Sequence[StepResult], folder: Path, rest: str) -> NoReturn:
    from lakectl.ops.acceptance import evidence

    names = ", ".join(step.name for step in failed)
    file = folder / evidence.TEXT_FILE
    if any(step.outcome == "interrupted" for step in failed):
        raise Interruption(f"interrupted; {rest}. What was seen: {file}", "lakectl acceptance")
    first = failed[0]
    error: LakectlError = AccessError("") if first.exit_code == AccessError.exit_code else LakectlError("")
    error.message = f"{len(failed)} of the steps failed: {names}; {rest}. What was seen: {file}"
    error.hint = first.advice
    raise error


@contextlib.contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """SIGTERM and a closed terminal end it as Ctrl-C does: the lake is deleted."""

    def interrupt(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


COMMANDS = {"acceptance": acceptance}
