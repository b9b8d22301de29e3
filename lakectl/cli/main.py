"""The root command, and what stands between an exception and the person: one line and an exit code."""

from __future__ import annotations

import os
import sys
import threading

import click

from lakectl import __version__
from lakectl.cli.app import App, lake_options
from lakectl.cli.group import LazyGroup
from lakectl.errors import LakectlError

EXIT_FAILED, EXIT_USAGE, EXIT_INTERRUPTED = 1, 64, 130
INTERRUPTED = "interrupted; run the same command again to go on"


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="lakectl")
@lake_options
@click.pass_context
def cli(ctx: click.Context, /, **options: str | None) -> None:
    """From nothing to a working, queryable, trustworthy lakehouse: on this machine, or in your AWS account.

    \b
    lakectl demo                        the whole tutorial, on this machine
    lakectl up                          make the lake
    lakectl land FILE                   land a file; the transform starts by itself
    lakectl query "SELECT ..."          ask Athena
    lakectl down                        delete everything
    """
    ctx.obj = App(options={key: value for key, value in options.items() if value is not None})


def run(arguments: list[str] | None = None) -> None:
    """Run a command line and exit; exit codes: ``lakectl.errors``.

    Never shows a traceback for what a person can cause.
    """
    try:
        code = cli.main(args=arguments, prog_name="lakectl", standalone_mode=False)
        sys.stdout.flush()
    except LakectlError as error:
        if _follows_an_interrupt(error):
            _complain(INTERRUPTED, None)
            code = EXIT_INTERRUPTED
        else:
            _complain(error.message, error.hint)
            code = error.exit_code
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help() if error.ctx else "", err=True)
        code = EXIT_USAGE
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else "lakectl"
        _complain(error.format_message(), f"see: {path} --help")
        code = EXIT_USAGE
    except click.ClickException as error:
        _complain(error.format_message(), None)
        code = EXIT_FAILED
    except (KeyboardInterrupt, click.exceptions.Abort):
        _complain(INTERRUPTED, None)
        code = EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read us (`head`) has gone. Nothing more can be written, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = EXIT_FAILED
    except Exception as error:
        if os.environ.get("LAKECTL_DEBUG"):
            raise
        if _is_interrupt(error):
            _complain(INTERRUPTED, None)
            sys.exit(EXIT_INTERRUPTED)
        text = str(error).splitlines()[0] if str(error) else "no message"
        _complain(f"unexpected {type(error).__name__}: {text}", "this is a bug; see more with LAKECTL_DEBUG=1")
        code = EXIT_FAILED
    if code == EXIT_INTERRUPTED and threading.active_count() > 1:
        # An ordinary exit would wait for the calls that a second Ctrl-C has just left behind.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code if isinstance(code, int) else 0)


def _follows_an_interrupt(error: BaseException | None) -> bool:
    """Whether it was raised for a Ctrl-C: click's prompt makes Abort of one, and we UsageError of that.

    What the error says is not looked at: the error of a job may speak of a Ctrl-C of its own.
    """
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def _is_interrupt(error: BaseException | None) -> bool:
    """A Ctrl-C that meets an extension module half-way (pydantic building a model) comes out as its error."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt) or "KeyboardInterrupt" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _complain(message: str, hint: str | None) -> None:
    click.echo(click.style("error: ", fg="red") + message, err=True)
    if hint:
        click.echo(click.style("  try: ", fg="cyan") + hint, err=True)
