"""What may stand at the cursor: tables after FROM, the columns of the tables that the statement names, functions,
keywords."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from lakectl.shell.catalog import Catalog
from lakectl.shell.statements import COMMAND, split
from lakectl.shell.words import FUNCTIONS, KEYWORDS

_NAME = r'(?:"[^"]*"|[\w$]+)'
_WORD = re.compile(rf'((?:{_NAME}\.)*)("?[\w$]*)$')
_BEFORE_TABLE = re.compile(r"\b(from|join|into|update|table|describe|desc|using|view|analyze)\s+$", re.IGNORECASE)
_TABLE = re.compile(rf"\b(?:from|join|into|update)\s+((?:{_NAME}\.)?{_NAME})(?:\s+(?:as\s+)?({_NAME}))?", re.IGNORECASE)
_QUOTED = re.compile(r"'(?:[^']|'')*'|'[^']*$|--[^\n]*|/\*.*?(?:\*/|$)", re.DOTALL)
_PLAIN = re.compile(r"[a-z_]\w*")


class SqlCompleter(Completer):
    """``database``: the one in use, asked for each time. ``commands``: the shell's own."""

    def __init__(self, catalog: Catalog, database: Callable[[], str], commands: Iterable[str]) -> None:
        self._catalog = catalog
        self._database = database
        self._commands = sorted(commands)

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:  # noqa: ARG002
        before = document.text_before_cursor
        if before.lstrip().startswith(COMMAND):
            yield from self._of_command(before.lstrip())
            return
        statement = split(before)[1]
        if _QUOTED.sub("", statement) != statement and _within_quotes(statement):
            return
        found = _WORD.search(before)
        if found is None:
            return
        owner, begun = [part.strip('"') for part in found[1].split(".")[:-1]], found[2]
        whole = split(before + document.text_after_cursor)
        text = whole[1] or (whole[0][-1] if whole[0] else "")
        candidates = self._members(owner[-1].lower(), text) if owner else self._words(before[: found.start(2)], text)
        yield from _matching(candidates, begun)

    def _of_command(self, line: str) -> Iterator[Completion]:
        word, space, argument = line.partition(" ")
        if not space:
            yield from _matching(((name, "command") for name in self._commands), word)
        elif word == r"\c":
            yield from _matching(((name, "database") for name in self._catalog.databases()), argument)
        else:
            names = (table.name for table in self._catalog.tables(self._database()))
            yield from _matching(((name, "table") for name in names), argument)

    def _members(self, owner: str, text: str) -> Iterator[tuple[str, str]]:
        """What may follow ``owner.``: columns of a table or of its alias, or tables of a database."""
        for database, table, alias in self._named(text):
            if owner in (table, alias):
                yield from self._columns(database, table)
        if owner in self._catalog.databases():
            yield from ((each.name, "table") for each in self._catalog.tables(owner))

    def _words(self, before: str, text: str) -> Iterator[tuple[str, str]]:
        tables = [(each.name, "table") for each in self._catalog.tables(self._database())]
        databases = [(name, "database") for name in self._catalog.databases()]
        if _BEFORE_TABLE.search(before):
            yield from tables
            yield from databases
            return
        for database, table, _ in self._named(text):
            yield from self._columns(database, table)
        yield from ((word, "") for word in KEYWORDS)
        yield from ((name, "function") for name in FUNCTIONS)
        yield from tables
        yield from databases

    def _named(self, text: str) -> Iterator[tuple[str, str, str]]:
        """(database, table, alias) of the tables that a statement names."""
        for name, alias in _TABLE.findall(text):
            parts = [part.strip('"').lower() for part in name.split(".")]
            yield parts[0] if len(parts) > 1 else self._database(), parts[-1], alias.strip('"').lower()

    def _columns(self, database: str, table: str) -> Iterator[tuple[str, str]]:
        for each in self._catalog.tables(database):
            if each.name == table:
                yield from ((column.name, column.type) for column in each.columns)


def _within_quotes(statement: str) -> bool:
    """Whether the cursor is in a text or a comment, where nothing is completed."""
    last = list(_QUOTED.finditer(statement))[-1]
    ended = last[0].endswith(("'", "*/")) and len(last[0]) > 1
    return last.end() == len(statement) and not ended


def _matching(candidates: Iterable[tuple[str, str]], begun: str) -> Iterator[Completion]:
    """Those that go on where ``begun`` ends, each once. Keywords are as a person writes them; other names are lower."""
    bare = begun.lstrip('"')
    seen = set()
    for name, meaning in candidates:
        if name in seen or (meaning in ("", "function") and bare != begun) or not name.lower().startswith(bare.lower()):
            continue
        seen.add(name)
        text = name.lower() if not meaning and bare.islower() else name
        if meaning not in ("", "command", "function") and (begun.startswith('"') or not _PLAIN.fullmatch(name)):
            text = f'"{name}"'
        yield Completion(text, -len(begun), display=name, display_meta=meaning)
