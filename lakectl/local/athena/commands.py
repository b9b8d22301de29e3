"""Reads the statements that sqlglot keeps as text: ALTER TABLE, MSCK, OPTIMIZE, VACUUM and UNLOAD.

A cursor over the statement's tokens; what the grammar of a statement does not have is a syntax error that names its
place. Grammar: https://docs.aws.amazon.com/athena/latest/ug/ddl-reference.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.hive import Hive
from sqlglot.dialects.trino import Trino
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from lakectl.local.athena import dialect
from lakectl.local.athena.errors import QueryError
from lakectl.local.athena.statements import position_of


def _without_commands(known: dict[str, Any]) -> dict[str, Any]:
    """sqlglot takes all that follows some words for one text."""
    return {word: kind for word, kind in known.items() if kind != TokenType.COMMAND}


class _HiveWords(Hive):
    class Tokenizer(Hive.Tokenizer):
        KEYWORDS: ClassVar[dict[str, Any]] = _without_commands(Hive.Tokenizer.KEYWORDS)


class _TrinoWords(Trino):
    class Tokenizer(Trino.Tokenizer):
        KEYWORDS: ClassVar[dict[str, Any]] = _without_commands(Trino.Tokenizer.KEYWORDS)


class Cursor:
    """Where a statement is read. All methods raise QueryError SYNTAX_ERROR for what they don't find.

    ``hive``: names stand in backquotes, as in Athena's DDL; else in double quotes.
    """

    def __init__(self, sql: str, hive: bool = True) -> None:
        self.sql = sql
        try:
            self._tokens: list[Token] = list((_HiveWords if hive else _TrinoWords)().tokenize(sql))
        except SqlglotError:
            raise QueryError("SYNTAX_ERROR", "a quote, a comment or a literal has no end", (1, 1)) from None
        self._at = 0

    @property
    def token(self) -> Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    @property
    def ended(self) -> bool:
        return self.token is None

    def fail(self, expected: str) -> QueryError:
        token = self.token
        found, at = (token.text, token.start) if token else ("<EOF>", len(self.sql))
        return QueryError(
            "SYNTAX_ERROR", f"mismatched input '{found}'. Expecting: {expected}", position_of(self.sql, at)
        )

    def match(self, words: str) -> bool:
        """Whether these words come next; they are then passed."""
        wanted = words.upper().split()
        found: list[str] = []
        for count, token in enumerate(self._tokens[self._at :], start=1):
            if token.token_type in (TokenType.STRING, TokenType.IDENTIFIER):
                return False
            found += token.text.upper().split()  # some tokens are two words
            if found == wanted:
                self._at += count
                return True
            if len(found) >= len(wanted):
                return False
        return False

    def expect(self, words: str) -> None:
        if not self.match(words):
            raise self.fail(f"'{words}'")

    def end(self) -> None:
        if not self.ended:
            raise self.fail("<EOF>")

    def name(self) -> str:
        token = self.token
        bare = token is not None and token.token_type != TokenType.STRING and token.text.isidentifier()
        if token is None or not (bare or token.token_type == TokenType.IDENTIFIER):
            raise self.fail("<identifier>")
        self._at += 1
        return token.text.lower()

    def table(self, database: str) -> tuple[str, str]:
        """(database, table)"""
        parts = [self.name()]
        while self.match("."):
            parts.append(self.name())
        if len(parts) == 3 and parts[0] == "awsdatacatalog":
            parts = parts[1:]
        if len(parts) > 2:
            raise self.fail("database.table")
        return (parts[-2] if len(parts) > 1 else database).lower(), parts[-1]

    def string(self) -> str:
        token = self.token
        if token is None or token.token_type != TokenType.STRING:
            raise self.fail("<string>")
        self._at += 1
        return str(token.text)

    def literal(self) -> str:
        """A string or a number, as text."""
        token = self.token
        if token is None or token.token_type not in (TokenType.STRING, TokenType.NUMBER):
            if self.match("-"):
                return "-" + self.literal()
            raise self.fail("<literal>")
        self._at += 1
        return str(token.text)

    def pairs(self) -> dict[str, str]:
        """``('a' = 'b', …)``"""
        return self._assigned(self.string)

    def partition(self) -> dict[str, str]:
        """``PARTITION (a = 'b', c = 1)``"""
        self.expect("PARTITION")
        return self._assigned(self.name)

    def _assigned(self, key: Callable[[], str]) -> dict[str, str]:
        found = {}
        self.expect("(")
        while True:
            name = key()
            self.expect("=")
            found[name] = self.literal()
            if not self.match(","):
                break
        self.expect(")")
        return found

    def columns(self) -> list[exp.ColumnDef]:
        """``(a int COMMENT 'x', b array<string>)``"""
        start = self._at
        self.expect("(")
        depth = 1
        while depth:
            if self.token is None:
                raise self.fail("')'")
            depth += {"(": 1, ")": -1}.get(self.token.text, 0)
            self._at += 1
        return list(self._schema(self.sql[self._tokens[start].start : self._tokens[self._at - 1].end + 1]).expressions)

    def _schema(self, text: str) -> Any:
        try:
            tree: Any = dialect.parse(f"CREATE EXTERNAL TABLE t {text} LOCATION 's3://x/'")[0]
        except SqlglotError:
            tree = None
        if not isinstance(tree, exp.Create) or not isinstance(tree.this, exp.Schema):
            raise QueryError("SYNTAX_ERROR", f"not a list of columns: {text}")
        return tree.this

    def column(self) -> exp.ColumnDef:
        """The rest of the statement as a column: ``a int COMMENT 'x'``."""
        start = self._at
        if self.token is None:
            raise self.fail("<identifier>")
        self._at = len(self._tokens)
        text = self.sql[self._tokens[start].start : self._tokens[-1].end + 1]
        found = self._schema(f"({text})").expressions
        if len(found) != 1 or not isinstance(found[0], exp.ColumnDef) or found[0].args.get("kind") is None:
            raise QueryError("SYNTAX_ERROR", "a column has a name and a type")
        return found[0]

    def placed_column(self) -> tuple[exp.ColumnDef, str | None]:
        """The rest of the statement as a column, and its place: None as it was, ``""`` FIRST, else behind that one."""
        place: str | None = None
        words = [token.text.upper() for token in self._tokens]
        if words[-1] == "FIRST" and self._tokens[-1].token_type != TokenType.STRING:
            place = ""
            del self._tokens[-1:]
        elif words[-2:-1] == ["AFTER"]:
            place = self._tokens[-1].text.lower()
            del self._tokens[-2:]
        return self.column(), place

    def rest(self) -> str:
        """The text that is left, with blanks in the place of what was read: positions stay."""
        token = self.token
        start = token.start if token else len(self.sql)
        self._at = len(self._tokens)
        return "".join("\n" if char == "\n" else " " for char in self.sql[:start]) + self.sql[start:]

    def parenthesised(self) -> str:
        """``( … )``, its text without the parentheses, blanks before it."""
        opening = self.token
        self.expect("(")
        depth = 1
        while depth:
            token = self.token
            if token is None:
                raise self.fail("')'")
            depth += {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1}.get(token.token_type, 0)
            self._at += 1
        start = opening.start if opening else 0
        end = self._tokens[self._at - 1].start
        return "".join("\n" if char == "\n" else " " for char in self.sql[: start + 1]) + self.sql[start + 1 : end]
