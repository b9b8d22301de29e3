"""EXECUTE name [USING value, …], and values for the ``?`` of a statement.

https://docs.aws.amazon.com/athena/latest/ug/querying-with-prepared-statements-execute.html
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot.errors import TokenError
from sqlglot.tokenizer_core import TokenType

from lakectl.local.athena import dialect
from lakectl.local.athena.errors import MalformedQuery, QueryError
from lakectl.local.athena.grammar import PART

_BEGIN = re.compile(r"(?:--[^\n]*\n\s*|/\*.*?\*/\s*)*EXECUTE\b\s*", re.I | re.S)
_USING = re.compile(r"\s+USING\b\s*(?=\S)", re.I)


@dataclass(frozen=True)
class Call:
    name: str
    values: tuple[str, ...] | None  # None: without USING


def read(sql: str) -> Call | None:
    """The EXECUTE in ``sql``; None: it is another statement. Raises MalformedQuery."""
    text = sql.strip().rstrip(";").rstrip()
    begins = _BEGIN.match(text)
    if begins is None:
        return None
    found = re.compile(PART).match(text, begins.end())
    if found is None:
        raise _mismatched(text, begins.end(), "<identifier>")
    name = found[0].strip('"`')
    using = _USING.match(text, found.end())
    if using is None:
        if text[found.end() :].strip():
            raise _mismatched(text, found.end(), "'USING', <EOF>")
        return Call(name, None)
    rest = text[using.end() :]
    try:
        tokens = dialect.tokenize(rest)
    except TokenError:
        raise MalformedQuery("line 1:1: a quote, a comment or a literal has no end") from None
    values, depth, begin = [], 0, 0
    for token in tokens:
        depth += token.token_type in (TokenType.L_PAREN, TokenType.L_BRACKET)
        depth -= token.token_type in (TokenType.R_PAREN, TokenType.R_BRACKET)
        if token.token_type == TokenType.COMMA and depth == 0:
            values.append(rest[begin : token.start].strip())
            begin = token.end + 1
    values.append(rest[begin:].strip())
    if "" in values:
        raise _mismatched(text, len(text), "<expression>")
    return Call(name, tuple(values))


def _mismatched(text: str, at: int, expected: str) -> MalformedQuery:
    while at < len(text) and text[at].isspace():
        at += 1
    found = re.match(r"\w+|\S", text[at:])
    before = text[:at]
    where = f"line {before.count(chr(10)) + 1}:{at - before.rfind(chr(10))}"
    return MalformedQuery(f"{where}: mismatched input '{found[0] if found else '<EOF>'}'. Expecting: {expected}")


def values(called: Call, parameters: Sequence[str] | None) -> Sequence[str]:
    """The values of USING; or the execution parameters, where EXECUTE gives none."""
    if called.values is not None and parameters:
        raise QueryError(
            "INVALID_PARAMETER_USAGE", "values are given both by USING and as execution parameters", (1, 1)
        )
    return called.values if called.values is not None else parameters or ()
