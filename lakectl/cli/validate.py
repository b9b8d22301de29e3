"""``lakectl validate``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lakectl.cli.app import App, lake_command
from lakectl.errors import LakectlError

if TYPE_CHECKING:
    from lakectl.output import Mark


@lake_command("validate")
def validate(app: App) -> None:
    """Run the tutorial's checks, including time travel.

    Runs every saved query in Athena and checks its result against the loaded landings. Exit code 1 if a
    check fails.

    \b
    Example:
      lakectl validate
    """
    checks = show_checks(app)
    failed = [check for check in checks if check["passed"] is False]
    app.out.result(checks)
    if failed:
        names = ", ".join(check["name"] for check in failed)
        raise LakectlError(
            f"{len(failed)} of {len(checks)} checks failed: {names}", f"lakectl query {failed[0]['name'][:2]}"
        )
    app.out.say(f"\n{len(checks)} checks passed.")


def show_checks(app: App) -> list[dict[str, Any]]:
    """Run all checks, showing each; their outcomes as data."""
    from lakectl.ops import validate as ops

    marks: dict[bool | None, Mark] = {True: "ok", False: "failed", None: "skipped"}
    done: list[dict[str, Any]] = []
    with app.out.busy("validating") as update:
        for check in ops.validate(app.lake, update):
            app.out.item(marks[check.passed], check.title, check.detail)
            done.append({"name": check.name, "title": check.title, "passed": check.passed, "detail": check.detail})
    return done


COMMANDS = {"validate": validate}
