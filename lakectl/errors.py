"""What goes wrong, said in one line, with the next command to type.

Exit codes (also in the README):

    0    done
    1    a check or a job run failed, or AWS returned an error
    2    ``lakectl plan`` found changes (only plan returns it)
    64   wrong usage: flags, config, or an input file that can't be used
    77   no credentials, or no permission
    130  interrupted
"""

from __future__ import annotations


class LakectlError(Exception):
    """Anything a person can cause or fix. Printed as one line plus ``hint``; never a traceback."""

    exit_code = 1

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(LakectlError):
    """Wrong flags, a config that does not validate, or an input file that can't be used."""

    exit_code = 64


class AccessError(LakectlError):
    """No credentials, expired ones, or a call that AWS denied."""

    exit_code = 77


class Interruption(KeyboardInterrupt):
    """Ctrl-C, with what came of it in one line, and the next command to type if there is one.

    A KeyboardInterrupt, so that what handles errors does not take it for one.
    """

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
