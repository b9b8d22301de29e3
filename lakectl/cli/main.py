"""The root command, and what stands between an exception and the person: one line and an exit code."""

from __future__ import annotations

import itertools
import os
import sys
import threading
from typing import Any

import click

from lakectl import __version__
from lakectl.cli.app import App, shared_options
from lakectl.cli.complaint import complain
from lakectl.cli.group import LazyGroup, unknown
from lakectl.errors import Interruption, LakectlError, UsageError

EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 1, 64, 130
INTERRUPTED = "interrupted; run the same command again to go on"


class Interrupted(LakectlError):
    """Ctrl-C."""

    exit_code = EXIT_INTERRUPTED


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="lakectl")
@shared_options
@click.pass_context
def cli(ctx: click.Context, /, **options: Any) -> None:
    """From nothing to a working, queryable, trustworthy lakehouse: on this machine, or in your AWS account.

    \b
    lakectl demo                      the whole tutorial, on this machine
    lakectl up                        make the lake
    lakectl land FILE                 land a file; the transform starts by itself
    lakectl query "SELECT ..."        ask Athena
    lakectl down                      delete everything
    """
    ctx.obj = App()
    ctx.obj.take(options)


def run(arguments: list[str] | None = None) -> None:
    """Run a command line and exit; exit codes: ``lakectl.errors``.

    Never shows a traceback for what a person can cause.
    """
    given = sys.argv[1:] if arguments is None else arguments
    try:
        code = cli.main(args=given, prog_name="lakectl", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else "", err=True)
        code = EXIT_USAGE
    except BrokenPipeError:
        # Whoever read us (`head`) has gone. Nothing more can be written, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = EXIT_FAILED
    except (Exception, KeyboardInterrupt) as error:
        if os.environ.get("LAKECTL_DEBUG") and not isinstance(error, LakectlError | click.ClickException):
            raise
        problem = _problem(error)
        complain(problem, as_json=_wants_json(given))
        code = problem.exit_code
    if code == EXIT_INTERRUPTED and threading.active_count() > 1:
        # An ordinary exit would wait for the calls that a second Ctrl-C has just left behind.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code if isinstance(code, int) else 0)


def _wants_json(given: list[str]) -> bool:
    return bool({"--json", "--output=json"} & {*given}) or ("--output", "json") in itertools.pairwise(given)


def _problem(error: BaseException) -> LakectlError:
    """What to say of ``error``, and the exit code."""
    told = _interruption(error)
    if told is not None:
        return Interrupted(told.message, told.hint)
    if isinstance(error, LakectlError) and not _follows_an_interrupt(error):
        return error
    if isinstance(error, click.UsageError):
        path = error.ctx.command_path if error.ctx else "lakectl"
        message = error.format_message()
        if isinstance(error, click.NoSuchOption):
            message = unknown("option", error.option_name, error.possibilities or ())
        return UsageError(message, f"{path} --help")
    if isinstance(error, click.ClickException):
        return LakectlError(error.format_message())
    if isinstance(error, LakectlError | KeyboardInterrupt | click.exceptions.Abort) or _is_interrupt(error):
        return Interrupted(INTERRUPTED)
    text = str(error).splitlines()[0] if str(error) else "no message"
    return LakectlError(
        f"unexpected {type(error).__name__}: {text}", "LAKECTL_DEBUG=1 lakectl … (this is a bug; it shows more)"
    )


def _follows_an_interrupt(error: BaseException | None) -> bool:
    """Whether it was raised for a Ctrl-C: click's prompt makes Abort of one, and we UsageError of that.

    What the error says is not looked at: the error of a job may speak of a Ctrl-C of its own.
    """
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _interruption(error: BaseException | None) -> Interruption | None:
    """The one that ``error`` follows, and that tells what came of it: click makes Abort of it."""
    while error is not None and not isinstance(error, Interruption):
        error = error.__cause__ or error.__context__
    return error


def _is_interrupt(error: BaseException | None) -> bool:
    """A Ctrl-C that meets an extension module half-way (pydantic building a model) comes out as its error."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt) or "KeyboardInterrupt" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False
