"""SQL text -> sqlglot's tree, with every function call kept under the name that was written.

sqlglot's own parsers would turn `nvl` into `coalesce` and give `date_trunc` another shape; here only what
:mod:`lakectl.spec.sql_functions` lists is known.
"""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar

MAX_CHARACTERS = 10_000
# Deeper than any expression that people write; sqlglot and both engines recurse.
MAX_DEPTH = 200


class Refused(ValueError):
    """SQL that can't be used, in one line; ``hint`` is the way out."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


@cache
def _dialect() -> Any:
    # Imported here: sqlglot costs more than the rest of a short command.
    from sqlglot import parser
    from sqlglot.dialects.dialect import Dialect

    class Expressions(Dialect):
        """Expressions whose functions are all plain calls, but for CAST and CASE."""

        class Parser(parser.Parser):
            FUNCTIONS: ClassVar = {}
            FUNCTION_PARSERS: ClassVar = {"CAST": parser.Parser.FUNCTION_PARSERS["CAST"]}
            NO_PAREN_FUNCTION_PARSERS: ClassVar = {"CASE": parser.Parser.NO_PAREN_FUNCTION_PARSERS["CASE"]}

    return Expressions()


def parse(text: str) -> Any:
    """The tree of one expression. Raises Refused when ``text`` is not one."""
    from sqlglot import exp
    from sqlglot.errors import ParseError, TokenError
    from sqlglot.tokenizer_core import TokenType

    if not text.strip():
        raise Refused("no SQL; expected an expression")
    if len(text) > MAX_CHARACTERS:
        raise Refused(f"{len(text):,} characters of SQL; at most {MAX_CHARACTERS:,} are allowed")
    dialect = _dialect()
    try:
        tokens = dialect.tokenize(text)
        depth = 0
        for token in tokens:
            if token.token_type == TokenType.SEMICOLON:
                raise Refused("not one expression: it holds ';'")
            depth += (token.token_type == TokenType.L_PAREN) - (token.token_type == TokenType.R_PAREN)
            if depth < 0:
                raise Refused(f"not SQL: a ')' without its '(' at {_shown(text, token.start)}")
            if depth > MAX_DEPTH:
                raise Refused(f"more than {MAX_DEPTH} parentheses within each other")
        # In parentheses, else a column called `comment` or `show` would begin a statement.
        trees = dialect.parse(f"({text}\n)")
    except TokenError:
        raise Refused("not SQL: a quote or a comment has no end") from None
    except ParseError as error:
        raise Refused(f"not SQL: {_reason(error)}") from None
    except RecursionError:
        raise Refused("the expression is nested too deeply") from None
    if len(trees) != 1 or trees[0] is None:
        raise Refused("not one expression")
    tree = trees[0]
    if isinstance(tree, exp.Subquery):
        raise Refused("a subquery is not allowed; derived columns and checks see one row")
    if not isinstance(tree, exp.Paren):
        raise Refused(f"not one expression: {text.strip()}")
    return tree.this


def _reason(error: Any) -> str:
    first = error.errors[0] if error.errors else {}
    description = str(first.get("description") or error).splitlines()[0].rstrip(".")
    near = str(first.get("highlight") or "").strip()
    if description.startswith("Required keyword"):
        return "an operand is missing"
    near = "" if near in (")", "(") else near
    description = description[:1].lower() + description[1:]
    return f"{description}{f' near {near!r}' if near else ''}"


def _shown(text: str, at: int) -> str:
    return repr(text[max(0, at - 15) : at + 5].strip())
