"""Reading statements from a person: with completion, history and many lines, or plainly where a terminal can't."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from lakectl.errors import UsageError
from lakectl.shell.completion import SqlCompleter
from lakectl.shell.statements import COMMAND, read, split

NAME = "lakectl"
WORDS = ("exit", "quit", "help")  # of other shells; no statement begins with one


def is_complete(text: str) -> bool:
    """Whether Enter ends what is typed: a statement with its semicolon, a command, or nothing."""
    bare = text.strip()
    if not bare or bare.startswith(COMMAND) or bare.lower() in WORDS:
        return True
    ended, rest = split(text)
    return bool(ended) and not rest


def statements(text: str) -> list[str]:
    """What a person has typed, one by one."""
    bare = text.strip()
    if bare.startswith(COMMAND) or bare.lower() in WORDS:
        return [bare]
    ended, rest = split(text)
    return [*ended, rest] if rest else ended


def full(history: Path, completer: SqlCompleter, database: Callable[[], str]) -> Callable[[], str]:
    """Asks for the next statements with all that the library has. Ctrl-C raises KeyboardInterrupt, Ctrl-D EOFError."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
    from prompt_toolkit.formatted_text import to_formatted_text
    from prompt_toolkit.history import FileHistory
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
    from prompt_toolkit.lexers import PygmentsLexer
    from prompt_toolkit.output import ColorDepth
    from pygments.lexers.sql import SqlLexer

    keys = KeyBindings()

    @keys.add("enter")
    def _(event: KeyPressEvent) -> None:
        if is_complete(event.current_buffer.text):
            event.current_buffer.validate_and_handle()
        else:
            event.current_buffer.insert_text("\n")

    history.touch(mode=0o600)  # statements may hold what nobody else should read
    session: PromptSession[str] = PromptSession(
        history=FileHistory(str(history)),
        completer=completer,
        complete_in_thread=True,
        complete_while_typing=False,
        auto_suggest=AutoSuggestFromHistory(),
        lexer=PygmentsLexer(SqlLexer),
        multiline=True,
        key_bindings=keys,
        prompt_continuation=lambda width, *_: to_formatted_text(" " * (width - 3) + "-> "),
        color_depth=ColorDepth.DEPTH_1_BIT if os.environ.get("NO_COLOR") else None,
    )
    return lambda: session.prompt(f"{NAME}:{database()}> ")


def plain(database: Callable[[], str]) -> Callable[[], str]:
    """Asks for one line after the other, on standard error, until a statement has ended."""

    def ask() -> str:
        text, prompt = "", f"{NAME}:{database()}> "
        while True:
            sys.stderr.write(prompt)
            sys.stderr.flush()
            try:
                line = sys.stdin.readline()
            except KeyboardInterrupt:
                sys.stderr.write("\n")
                raise
            if not line:
                sys.stderr.write("\n")
                if text.strip():
                    return text
                raise EOFError
            text += line
            if is_complete(text):
                return text
            prompt = " " * (len(prompt) - 3) + "-> "

    return ask


def piped() -> Iterator[str]:
    """The statements on standard input, each as soon as it has ended.

    Raises :class:`UsageError` for what is no text, and as :func:`read`.
    """
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8", errors="strict")  # the C locale would let any byte through
    try:
        yield from read(sys.stdin)
    except UnicodeDecodeError as error:
        raise UsageError(f"standard input is no UTF-8: {error.reason}", "convert it: iconv -t utf-8") from None
