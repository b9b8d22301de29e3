"""Which statements only read. What is not understood counts as a write.

This is no fence against the person at the keyboard: that is what IAM is for. It keeps a slip, and a statement that was
copied from somewhere, from writing. So the text that was judged is the text that is sent: comments are taken out first,
by Trino's own rules, and where sqlglot could read something else than Athena the statement is refused.
"""

from __future__ import annotations

import logging
import re
from typing import Any

from lakectl import saved_queries
from lakectl.errors import UsageError

FLAG = "--allow-writes"
HINT = f"start the console again with {FLAG}, or use: lakectl query"
MOST_BYTES = 262_144  # of a query string (Athena service quotas)
MOST_DEPTH = 200  # parentheses within each other: sqlglot and Athena recurse
DIALECT = "trino"
ALLOWED = "SELECT, WITH, VALUES, SHOW, DESCRIBE and EXPLAIN"

# Trino's lexer (SqlBase.g4): no escapes but the doubled quote, and comments that do not nest. sqlglot nests them.
_PIECE = re.compile(
    r"(?P<quoted>'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\")"
    r"|(?P<comment>--[^\r\n]*|/\*.*?\*/)"
    r"|(?P<open>'|\"|/\*)"  # without an end
    r"|(?P<other>.)",
    re.DOTALL,
)
# Outside of quotes. Not in it: ` of Hive, { } of templates and $ of sqlglot's own quotes, characters beyond ASCII.
_PLAIN = re.compile(r"[A-Za-z0-9_\s()\[\],.*+\-/%<>=!|:?]", re.ASCII)
_EXPLAIN = re.compile(
    r"EXPLAIN\b(?:\s+ANALYZE\b(?:\s+VERBOSE\b)?)?(?:\s*\(\s*(?:TYPE|FORMAT)\s+\w+(?:\s*,\s*(?:TYPE|FORMAT)\s+\w+)*\s*\))?",
    re.IGNORECASE,
)
# Reserved in Trino (Trino documentation, "Reserved keywords"), so no name; sqlglot takes them for the name of a column.
_WRITING = r"(?:ALTER|CREATE|DEALLOCATE|DELETE|DROP|EXECUTE|INSERT|PREPARE)\b"
_RESERVED = re.compile(rf"\b{_WRITING}", re.IGNORECASE)
# Athena reads these with Hive's grammar. Names, and one text without quotes or backslashes in it.
_NAME = rf'(?!{_WRITING})(?:[`"]?[\w$]+[`"]?\.){{0,2}}[`"]?[\w$]+[`"]?'
_LISTED = re.compile(
    rf"(?:SHOW\s+(?:TABLES|DATABASES|SCHEMAS|VIEWS|COLUMNS|PARTITIONS|TBLPROPERTIES|CREATE\s+TABLE|CREATE\s+VIEW)"
    rf"|DESCRIBE(?:\s+(?:EXTENDED|FORMATTED))?|DESC(?:\s+(?:EXTENDED|FORMATTED))?)"
    rf"(?:\s+(?:IN|FROM))?(?:\s+{_NAME})?(?:\s+(?:IN|FROM)\s+{_NAME})?"
    rf"(?:\s+(?:LIKE\s+)?'[^'\\]*')?(?:\s*\(\s*'[^'\\]*'\s*\))?",
    re.IGNORECASE | re.ASCII,
)
_TABLE_FUNCTION = re.compile(r"\bTABLE\s*\(\s*(?!sequence\s*\()", re.IGNORECASE)


def only_reading(sql: str) -> str:
    """The statement without its comments and its final semicolon, if it only reads.

    Raises :class:`UsageError`, which names the flag that allows writes, for any other and for what is not understood.
    """
    if len(sql.encode(errors="surrogatepass")) > MOST_BYTES:
        raise UsageError(f"the statement has more than {MOST_BYTES:,} bytes", "Athena takes no longer ones")
    text = _without_comments(sql)
    while text.endswith(";"):
        text = text[:-1].rstrip()
    word = saved_queries.first_word(text)
    if not word and not text:
        raise UsageError("no SQL given", "write a statement, such as SELECT 1")
    if word in ("SHOW", "DESCRIBE", "DESC"):
        if not _LISTED.fullmatch(text):
            raise _refused(f"this {word} is none that is known to read only")
        return text
    judged = text
    if word == "EXPLAIN":
        # EXPLAIN ANALYZE runs the statement; of the others, too, only what reads is explained: one rule for both.
        opening = _EXPLAIN.match(text)
        judged = text[opening.end() :].strip() if opening else ""
        word = saved_queries.first_word(judged)
    if word not in ("SELECT", "WITH", "VALUES", "("):
        raise _refused(f"{word or 'this'} is not sent")
    _refuse_odd_text(judged)
    _refuse_writing_tree(_tree(judged))
    return text


def _refused(why: str) -> UsageError:
    return UsageError(f"{why}: this console only reads ({ALLOWED})", HINT)


def _without_comments(sql: str) -> str:
    kept = []
    for piece in _PIECE.finditer(sql):
        if piece["open"]:
            raise _refused(f"a quote or a comment has no end: {sql[piece.start() : piece.start() + 20]!r}")
        kept.append(" " if piece["comment"] else piece[0])
    return "".join(kept).strip()


def _refuse_odd_text(text: str) -> None:
    bare = []
    depth = 0
    for piece in _PIECE.finditer(text):
        if piece["quoted"]:
            bare.append("''")
            continue
        if piece["other"] is None or not _PLAIN.fullmatch(piece[0]):
            raise _refused(f"{piece[0]!r} outside of quotes is not understood")
        depth += (piece[0] == "(") - (piece[0] == ")")
        if depth > MOST_DEPTH:
            raise _refused(f"more than {MOST_DEPTH} parentheses are within each other")
        bare.append(piece[0])
    reserved = _RESERVED.search("".join(bare))
    if reserved:
        raise _refused(f"{reserved[0].upper()} inside of a query is not sent")
    # A function of a connector may hand any statement on to its database: TABLE(system.query(query => '…')).
    if _TABLE_FUNCTION.search("".join(bare)):
        raise _refused("a table function may write")


def _tree(text: str) -> Any:
    # Imported here: sqlglot costs more than the rest of a page.
    import sqlglot
    from sqlglot.errors import SqlglotError

    logging.getLogger("sqlglot").setLevel(logging.ERROR)  # what it warns of is refused below
    try:
        trees = sqlglot.parse(text, dialect=DIALECT)
    except SqlglotError as error:
        first = str(error).splitlines()[0].rstrip(".")
        raise _refused(f"the statement is not understood ({first})") from None
    except RecursionError:
        raise _refused("the statement is nested too deeply") from None
    if len(trees) != 1 or trees[0] is None:
        raise _refused("more than one statement")
    return trees[0]


def _refuse_writing_tree(tree: Any) -> None:
    from sqlglot import exp

    if not isinstance(tree, exp.Select | exp.SetOperation | exp.Values | exp.Subquery | exp.Paren):
        raise _refused(f"{tree.key.upper()} is not sent")
    # Trino has no query that writes; sqlglot parses those of other dialects, such as WITH x AS (DELETE …).
    writing = (exp.DML, exp.DDL, exp.Into, exp.Command, exp.Drop, exp.Alter, exp.TruncateTable, exp.Execute, exp.Set)
    for node in tree.walk():
        if isinstance(node, writing):
            raise _refused(f"{node.key.upper()} inside of a query is not sent")
