"""What a query string is: its kind, Athena's names for that kind, and its syntax tree."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlglot import exp
from sqlglot.errors import SqlglotError, TokenError
from sqlglot.tokenizer_core import Token, TokenType

from lakectl.local.athena import dialect, grammar
from lakectl.local.athena.depth import deep
from lakectl.local.athena.errors import MalformedQuery, QueryError, RequestError

# sqlglot warns on stderr for each statement that it keeps as text; those are handled here by design.
logging.getLogger("sqlglot").setLevel(logging.ERROR)

_WORDS = (
    "ALTER ANALYZE CALL COMMIT CREATE DEALLOCATE DELETE DESC DESCRIBE DROP EXECUTE EXPLAIN GRANT INSERT MERGE "
    "MSCK OPTIMIZE PREPARE RESET REVOKE ROLLBACK SELECT SET SHOW START TABLE TRUNCATE UNLOAD UPDATE USE VACUUM "
    "VALUES WITH"
)
_STATEMENT_WORDS = _WORDS.split()
# https://docs.aws.amazon.com/athena/latest/APIReference/API_QueryExecution.html: UTILITY is what is neither
# DDL nor DML, "such as SHOW CREATE TABLE, EXPLAIN, DESCRIBE, or SHOW TABLES".
_COMMANDS: tuple[tuple[str, str, str], ...] = (
    (r"OPTIMIZE\s+.*", "OPTIMIZE", "DDL"),
    (r"VACUUM\s+.*", "VACUUM", "DDL"),
    (r"MSCK\s+.*", "MSCK_REPAIR_TABLE", "DDL"),
    (r"SHOW\s+.*", "SHOW", "UTILITY"),
    (r"ALTER\s+.*", "ALTER_TABLE", "DDL"),
    (r"UNLOAD\s*\(.*", "UNLOAD", "DML"),
)


@dataclass(frozen=True)
class Statement:
    """One parsed statement. ``tree`` is None for a command; ``words`` are then its captured names."""

    sql: str
    type: str  # DML, DDL or UTILITY
    subtype: str  # SELECT, EXPLAIN, CREATE_TABLE_AS_SELECT, ...
    tree: exp.Expr | None = None
    words: tuple[str | None, ...] = field(default=())
    analyze: bool = False  # EXPLAIN ANALYZE

    @property
    def is_query(self) -> bool:
        return self.subtype == "SELECT"


def parse(sql: str, parameters: Sequence[str] | None = None) -> Statement:
    """The statement in ``sql``; ``parameters`` take the place of its ``?``.

    Raises MalformedQuery as StartQueryExecution does for SQL that does not parse, RequestError for a
    statement of a kind that Athena does not have.
    """
    text = sql.strip()
    while text.endswith(";"):
        text = text[:-1].rstrip()
    tokens = _tokens(text)
    if tokens and tokens[0].text.upper().startswith("UNLOAD"):  # which sqlglot keeps as one text
        tokens = [tokens[0], *_tokens(" " * (tokens[0].start + 6) + text[tokens[0].start + 6 :])]
    if not tokens:
        raise MalformedQuery("line 1:1: mismatched input '<EOF>'. Expecting: <query>")
    first = tokens[0].text.split(None, 1)[0].upper()
    if first != "PREPARE":  # whose parameters come with EXECUTE
        text = _with_parameters(text, tokens, parameters or ())
    bare = text[tokens[0].start :]  # comments before the statement are no part of it
    if first not in _STATEMENT_WORDS and not bare.startswith("("):
        expected = ", ".join(f"'{word}'" for word in _STATEMENT_WORDS)
        raise MalformedQuery(
            f"{_line_col(text, tokens[0].start)}: mismatched input '{tokens[0].text.split()[0]}'. Expecting: {expected}"
        )
    explain = grammar.explained(bare)
    if explain:
        inner = _tree_from(text, tokens[0].start + explain.query)
        options = (explain.format, explain.type)
        return Statement(text, "DML", "EXPLAIN", inner, options, analyze=explain.analyze)
    words = grammar.read(bare)
    if words is not None:
        query = _query(text, tokens[0].start + words.query) if words.query is not None else None
        return Statement(text, words.type, words.subtype, query, words.words)
    for pattern, subtype, kind in _COMMANDS:
        found = re.fullmatch(pattern, bare, re.I | re.S)
        if found:
            return Statement(text, kind, subtype, words=tuple(_unquote(word) for word in found.groups()))
    tree = _tree(text)
    kind, subtype = _classify(tree)
    return Statement(text, kind, subtype, tree)


def _classify(tree: exp.Expr) -> tuple[str, str]:
    if isinstance(tree, exp.Query | exp.Values):
        return "DML", "SELECT"
    if isinstance(tree, exp.Create):
        kind = str(tree.args.get("kind") or "").upper()
        if kind in ("DATABASE", "SCHEMA"):
            return "DDL", "CREATE_DATABASE"
        if kind == "TABLE":
            return ("DDL", "CREATE_TABLE_AS_SELECT") if tree.expression else ("DDL", "CREATE_TABLE")
        return "DDL", f"CREATE_{kind}"
    if isinstance(tree, exp.Drop):
        kind = str(tree.args.get("kind") or "").upper()
        return "DDL", "DROP_DATABASE" if kind in ("DATABASE", "SCHEMA") else f"DROP_{kind}"
    for node, name in ((exp.Insert, "INSERT"), (exp.Delete, "DELETE"), (exp.Update, "UPDATE"), (exp.Merge, "MERGE")):
        if isinstance(tree, node):
            return "DML", name
    raise RequestError("Queries of this type are not supported", athena_error_code="NOT_SUPPORTED")


def _tokens(text: str) -> list[Token]:
    try:
        return dialect.tokenize(text)
    except TokenError:
        raise MalformedQuery("line 1:1: a quote, a comment or a literal has no end") from None


def _tree(text: str) -> exp.Expr:
    try:
        trees = deep(lambda: dialect.parse(text))
    except SqlglotError as error:
        found = re.search(r"\bJSON_TABLE\s*\(", text, re.I)
        if found:
            where = position_of(text, found.start())
            raise QueryError(
                "NOT_SUPPORTED", "JSON_TABLE is not supported by the local Athena; it works on AWS", where
            ) from None
        raise MalformedQuery(_syntax_message(text, error)) from None
    except RecursionError:
        raise MalformedQuery("line 1:1: statement is too large (stack overflow while parsing)") from None
    if len(trees) != 1 or trees[0] is None:
        raise MalformedQuery("Only one sql statement is allowed. Got: " + text)
    tree = trees[0]
    if isinstance(tree, exp.Command):
        raise RequestError("Queries of this type are not supported", athena_error_code="NOT_SUPPORTED")
    return tree


def _tree_from(text: str, offset: int) -> exp.Expr:
    """What is behind ``offset``; error positions stay those of the text."""
    return _tree(re.sub(r"[^\n]", " ", text[:offset]) + text[offset:])


def _query(text: str, offset: int) -> exp.Expr:
    tree = _tree_from(text, offset)
    if not isinstance(tree, exp.Query | exp.Values):
        word = text[offset:].split(None, 1)[0]
        raise MalformedQuery(f"{_line_col(text, offset)}: mismatched input '{word}'. Expecting: <query>")
    return tree


def _syntax_message(text: str, error: SqlglotError) -> str:
    details = getattr(error, "errors", None)
    if not details:
        return "line 1:1: the statement can't be read"
    detail = details[0]
    token, line, end = detail["highlight"], detail["line"], detail["col"]
    reason = detail["description"].split(" but got ")[0].rstrip(".")
    description = _expected(reason)
    at_end = not (detail["end_context"] or "").strip() and reason.startswith(("Expect", "Required"))
    if at_end:
        return f"{_line_col(text, len(text))}: mismatched input '<EOF>'{description}"
    return f"line {line}:{max(1, end - len(token) + 1)}: mismatched input '{token}'{description}"


def _expected(description: str) -> str:
    """What the parser missed, in Athena's form; nothing, where it only speaks of itself."""
    found = re.fullmatch(r"Expecting (.+)|Expected (\S+).*", description)
    return f". Expecting: {(found[1] or found[2]).lower()!r}" if found else ""


def _line_col(text: str, offset: int) -> str:
    line, col = position_of(text, offset)
    return f"line {line}:{col}"


def position_of(text: str, offset: int) -> tuple[int, int]:
    """Line and column (both from 1) of a character offset, as Athena's messages count them."""
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


def _with_parameters(text: str, tokens: list[Token], parameters: Sequence[str]) -> str:
    marks = [token for token in tokens if _is_parameter(token)]
    if len(marks) != len(parameters):
        raise QueryError(
            "INVALID_PARAMETER_USAGE",
            f"Incorrect number of parameters: expected {len(marks)} but found {len(parameters)}",
            (1, 1),
        )
    for mark, value in reversed(list(zip(marks, parameters, strict=True))):
        text = text[: mark.start] + _literal(value) + text[mark.end + 1 :]
    return text


def parameters_of(given: Sequence[str] | None) -> list[str] | None:
    """ExecutionParameters as constants: a bare word is a string to Athena (awswrangler's tests send ``Washington``)."""
    if given is None:
        return None
    return [f"'{each}'" if _WORD.fullmatch(each) and each.upper() not in _CONSTANT_WORDS else each for each in given]


_WORD = re.compile(r"[^\W\d]\w*")
_CONSTANT_WORDS = ("NULL", "TRUE", "FALSE", "CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP", "LOCALTIMESTAMP")


def with_nulls(sql: str) -> str:
    """``sql`` with NULL in the place of each ``?``, to see whether it parses."""
    tokens = _tokens(sql)
    return _with_parameters(sql, tokens, ["NULL" for token in tokens if _is_parameter(token)])


def _is_parameter(token: Token) -> bool:
    return bool(token.token_type == TokenType.PLACEHOLDER and token.text == "?")


def _literal(value: str) -> str:
    """A parameter is a constant (``'web'``, ``42``, ``DATE '2025-09-15'``, ``1 + 1``): no column, no subquery.

    Without comments: one would hide what stands behind it.
    """
    try:
        trees = dialect.parse(value)
        commented = any(token.comments for token in dialect.tokenize(value))
    except SqlglotError:
        trees, commented = [], False
    node = trees[0] if len(trees) == 1 else None
    inner = node.this if isinstance(node, exp.Neg | exp.Cast) else node
    if isinstance(inner, exp.Literal | exp.Boolean | exp.Null) and not commented:
        return value.strip()
    if node is None or commented or not isinstance(node, _CONSTANT) or node.find(*_VARIABLE):
        raise QueryError("INVALID_PARAMETER_USAGE", f"not a constant: {value}; quote strings, as in 'web'")
    return f"({value.strip()})"


_CONSTANT = (exp.Binary, exp.Paren, exp.Neg, exp.Cast, exp.Anonymous, exp.Array, exp.Interval, exp.Tuple)
_VARIABLE = (exp.Column, exp.Query, exp.Placeholder, exp.Star, exp.Table, exp.Command)


def _unquote(word: str | None) -> str | None:
    return None if word is None else re.sub(r'[`"]', "", word)
