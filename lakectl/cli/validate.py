"""``lakectl validate``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lakectl.cli import completion
from lakectl.cli.app import App, lake_command
from lakectl.errors import LakectlError

if TYPE_CHECKING:
    from lakectl.ops.checks.validate import Check
    from lakectl.output import Mark


@lake_command("validate")
@click.option(
    "--source",
    "sources",
    multiple=True,
    shell_complete=completion.sources,
    metavar="NAME",
    help="Only this source (repeatable).",
)
@click.option("--only", multiple=True, metavar="CHECK", help="Only this check, saved query or `queries` (repeatable).")
@click.option("--fail-fast", is_flag=True, help="Stop at the first check that fails.")
@click.option("--junit", type=click.Path(path_type=Path), metavar="FILE", help="Write JUnit XML, for CI.")
def validate(app: App, sources: tuple[str, ...], only: tuple[str, ...], fail_fast: bool, junit: Path | None) -> None:
    """Check that silver holds what was landed.

    Compares each source's silver table with its loaded landings: rows, keys, looked-up and derived columns,
    time travel, pruning. Then runs the saved queries and what their headers expect (docs/queries.md).

    Exit code 0: no check failed. 1: a check failed, or Athena can't be reached. 64: an unknown name, or a query's
    header that is not understood. What can't be judged is shown with "-" and is no failure.

    \b
    Checks: rows keys lookups derived checks snapshots pruning queries

    \b
    Examples:
      lakectl validate
      lakectl validate --source rides --only rows
      lakectl validate --only 05 --fail-fast
      lakectl validate --junit validate.xml
    """
    checks = show_checks(app, sources=sources, only=only, fail_fast=fail_fast)
    if junit:
        _write(junit, checks)
    app.out.result([as_data(check) for check in checks])
    failed = [check for check in checks if check.passed is False]
    if failed:
        names = ", ".join(check.full_name for check in failed)
        raise LakectlError(f"{len(failed)} of {len(checks)} checks failed: {names}", next_command(failed[0]))
    skipped = sum(check.passed is None for check in checks)
    passed = len(checks) - skipped
    rest = f", {skipped} could not be judged" if skipped else ""
    app.out.say(f"\n{passed} {'check' if passed == 1 else 'checks'} passed{rest}.")


def show_checks(
    app: App,
    *,
    sources: tuple[str, ...] = (),
    only: tuple[str, ...] = (),
    fail_fast: bool = False,
    brief: bool = False,
) -> list[Check]:
    """Run the checks, showing each. ``brief``: those that did not pass, and how many did of each source."""
    from lakectl.ops.checks import validate as ops
    from lakectl.ops.checks.model import counted

    marks: dict[bool | None, Mark] = {True: "ok", False: "failed", None: "skipped"}
    done: list[Check] = []
    with app.out.busy("validating") as update:
        for check in ops.validate(app.lake, sources=sources, only=only, fail_fast=fail_fast, on_start=update):
            done.append(check)
            if brief and check.passed:
                continue
            detail = " ".join(check.detail.split())
            app.out.item(marks[check.passed], check.title, f"{detail}  {check.seconds:.1f} s".lstrip())
    if brief:
        passed = Counter(check.source for check in done if check.passed)
        for source, count in passed.items():
            app.out.item("ok", f"{counted(count, 'check')} of {source}" if source else f"{count} of the saved queries")
    return done


def next_command(check: Check) -> str:
    """What shows more of a check that failed."""
    if check.source:
        return f"lakectl validate --source {check.source} --only {check.name}"
    return f"lakectl query {check.name}"


def as_data(check: Check) -> dict[str, Any]:
    """A check as programs see it."""
    return {
        "name": check.full_name,
        "source": check.source or None,
        "title": check.title,
        "passed": check.passed,
        "detail": check.detail,
        "seconds": round(check.seconds, 3),
    }


def _write(file: Path, checks: list[Check]) -> None:
    from lakectl.errors import UsageError
    from lakectl.ops.checks.junit import document

    try:
        file.write_bytes(document(checks))
    except OSError as error:
        raise UsageError(f"can't write {file}: {error.strerror}") from None


COMMANDS = {"validate": validate}
