"""One statement after the other, until the end of what is typed."""

from __future__ import annotations

from collections.abc import Callable

from lakectl.errors import Interruption, LakectlError
from lakectl.shell.prompt import WORDS, statements


class Ended(Exception):
    """The person wants to leave."""


def run(ask: Callable[[], str], act: Callable[[str], None], complain: Callable[[str, str | None], None]) -> None:
    """Ask for statements and act on each, until Ctrl-D or a command that raises :class:`Ended`.

    An error is told by ``complain`` (what is wrong, what to type), and so is a Ctrl-C, which ends the statement and
    those that were typed with it, and not the shell. While something is typed Ctrl-C only clears it.
    """
    while True:
        try:
            typed = ask()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        try:
            for statement in statements(typed):
                act(rf"\{'?' if statement.lower() == 'help' else 'q'}" if statement.lower() in WORDS else statement)
        except Ended:
            return
        except LakectlError as error:
            complain(error.message, error.hint)
        except Interruption as interruption:
            complain(interruption.message, interruption.hint)
        except KeyboardInterrupt:
            complain("interrupted", None)
