"""Random queries that mean the same in SQLite: integers, text, NULL, joins, groups, windows and set operations.

What the two do otherwise is left out: SQLite divides by zero to NULL, compares numbers with text, and sorts NULLs
first, so divisors are constants, types are kept apart, and ORDER BY says where NULLs go. SQLite 3.40 loses or keeps
rows where it flattens a subquery or a set operation with a RIGHT or FULL JOIN: these stand in plain queries only.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

INT, TEXT = "int", "text"
WORDS = ("a", "b", "ab", "B", "Ab", "abc", "", "x_y", "a%c", "zz")
PATTERNS = ("a%", "%b", "_", "%_c%", "A%", "%")
JOINS = ("JOIN", "LEFT JOIN", "CROSS JOIN", "RIGHT JOIN", "FULL JOIN")
COMPARISONS = ("=", "<>", "<", "<=", ">", ">=")


@dataclass(frozen=True)
class Column:
    name: str
    type: str


class Maker:
    """One query of each seed. ``query`` is what both databases are asked."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.tables = {f"t{at}": [Column("a", INT), Column("b", INT), Column("s", TEXT)] for at in range(3)}
        self.aliases = 0
        self.plain = True  # no set operation
        self._kinds: dict[str, str] = {}  # of the values that were made, by their SQL

    def query(self) -> str:
        tables = ", ".join(f"{name} (a, b, s) AS ({self._rows()})" for name in self.tables)
        self.plain = not self._chance(0.2)
        body, columns = self._select(2) if self.plain else self._set_operation()
        return f"WITH {tables} {self._ordered(body, columns)}"

    def _chance(self, share: float) -> bool:
        return self.random.random() < share

    def _rows(self) -> str:
        rows = [f"({self._int()}, {self._int()}, {self._word()})"]  # of known types
        for _ in range(self.random.randint(0, 9)):
            parts = ["NULL" if self._chance(0.2) else part() for part in (self._int, self._int, self._word)]
            rows.append(f"({', '.join(parts)})")
        return f"VALUES {', '.join(rows)}"

    def _int(self) -> str:
        return str(self.random.choice((0, 1, 2, 3, 5, 7, 10, -1, -3)))

    def _word(self) -> str:
        return f"'{self.random.choice(WORDS)}'"

    def _ordered(self, body: str, columns: list[Column]) -> str:
        """With LIMIT, all columns are sorted by, so that the rows are known."""
        if not self._chance(0.5):
            return body
        at = list(range(1, len(columns) + 1))
        self.random.shuffle(at)
        keys = [
            f"{place} {self.random.choice(('ASC', 'DESC'))} NULLS {self.random.choice(('FIRST', 'LAST'))}"
            for place in at
        ]
        limit = self.random.randint(1, 6)
        if "FULL JOIN" not in body and "RIGHT JOIN" not in body and self._chance(0.3):
            body = f"SELECT * FROM ({body}) AS o"
        # OFFSET comes before LIMIT in Trino and behind it in SQLite: it is left out.
        return f"{body} ORDER BY {', '.join(keys)} LIMIT {limit}"

    def _set_operation(self) -> tuple[str, list[Column]]:
        types = [self.random.choice((INT, TEXT)) for _ in range(self.random.randint(1, 2))]
        sides = []
        for _ in range(self.random.randint(2, 3)):
            source, columns = self._source(1)
            items = ", ".join(f"{self._value(kind, columns, 1)} AS c{at}" for at, kind in enumerate(types))
            sides.append(f"SELECT {items} FROM {source}{self._where(columns)}")
        word = self.random.choice(("UNION", "UNION ALL", "INTERSECT", "EXCEPT"))
        return f" {word} ".join(sides), [Column(f"c{at}", kind) for at, kind in enumerate(types)]

    def _alias(self) -> str:
        self.aliases += 1
        return f"q{self.aliases}"

    def _source(self, depth: int) -> tuple[str, list[Column]]:
        """A FROM clause, and its columns with their qualified names."""
        source, columns = self._relation(depth)
        for _ in range(self.random.choice((0, 0, 1, 1, 2)) if depth else 0):
            other, more = self._relation(0)
            kind = self.random.choice(JOINS if self.plain and depth == 2 else JOINS[:3])
            if kind == "CROSS JOIN":
                source += f" CROSS JOIN {other}"
            else:
                # Trino takes no FULL JOIN but by equality.
                same = self.random.choice((INT, TEXT))
                left, right = (
                    self.random.choice([each for each in side if each.type == same]) for side in (columns, more)
                )
                condition = f"{left.name} = {right.name}"
                if kind != "FULL JOIN" and self._chance(0.3):
                    # Of a column: SQLite 3.40 loses rows of an outer join behind a join whose condition is constant.
                    test = f"{self._column(INT, more)} {self.random.choice(COMPARISONS)} {self._int()}"
                    condition += f" AND {test}"
                source += f" {kind} {other} ON {condition}"
            columns = [*columns, *more]
        return source, columns

    def _relation(self, depth: int) -> tuple[str, list[Column]]:
        alias = self._alias()
        if depth and self._chance(0.25):
            body, columns = self._select(depth - 1, always=(INT, TEXT))
            return f"({body}) AS {alias}", [Column(f"{alias}.{each.name}", each.type) for each in columns]
        name = self.random.choice(list(self.tables))
        return f"{name} AS {alias}", [Column(f"{alias}.{each.name}", each.type) for each in self.tables[name]]

    def _where(self, columns: list[Column], share: float = 0.6) -> str:
        return f" WHERE {self._test(columns, 2)}" if self._chance(share) else ""

    def _select(self, depth: int, always: tuple[str, ...] = ()) -> tuple[str, list[Column]]:
        source, columns = self._source(depth)
        where = self._where(columns)
        if self._chance(0.35):
            return self._grouped(source, columns, where, always)
        kinds = [*always, *(self.random.choice((INT, TEXT)) for _ in range(self.random.randint(1, 3)))]
        items = [
            self._window(columns) if kind == INT and self._chance(0.15) else self._value(kind, columns, 2)
            for kind in kinds
        ]
        distinct = "DISTINCT " if self._chance(0.15) else ""
        shown = ", ".join(f"{item} AS c{at}" for at, item in enumerate(items))
        return f"SELECT {distinct}{shown} FROM {source}{where}", [
            Column(f"c{at}", kind) for at, kind in enumerate(kinds)
        ]

    def _grouped(
        self, source: str, columns: list[Column], where: str, always: tuple[str, ...]
    ) -> tuple[str, list[Column]]:
        keys = [self._value(kind, columns, 1, constant=False) for kind in (*always, self.random.choice((INT, TEXT)))]
        kinds = [self._kinds[key] for key in keys]
        aggregates = [self._aggregate(columns) for _ in range(self.random.randint(1, 3))]
        items = [*keys, *aggregates]
        shown = ", ".join(f"{item} AS c{at}" for at, item in enumerate(items))
        having = (
            f" HAVING {self._aggregate(columns)} {self.random.choice(COMPARISONS)} {self._int()}"
            if self._chance(0.3)
            else ""
        )
        named = [Column(f"c{at}", kind) for at, kind in enumerate([*kinds, *[INT] * len(aggregates)])]
        return f"SELECT {shown} FROM {source}{where} GROUP BY {', '.join(keys)}{having}", named

    def _aggregate(self, columns: list[Column]) -> str:
        """Of type int."""
        value = self._value(INT, columns, 1, constant=False)
        text = self._value(TEXT, columns, 0, constant=False)
        made = self.random.choice(
            (
                "count(*)", f"count({value})", f"count({text})", f"sum({value})", f"min({value})", f"max({value})",
                f"count(DISTINCT {text})", f"sum(DISTINCT {value})", f"length(max({text}))", f"length(min({text}))",
            )
        )  # fmt: skip
        if not made.startswith("length") and "DISTINCT" not in made and self._chance(0.2):
            made += f" FILTER (WHERE {self._test(columns, 0)})"
        return made

    def _window(self, columns: list[Column]) -> str:
        """Of type int; what depends on the order of equal rows is left out."""
        value = self._value(INT, columns, 1, constant=False)
        partition = f"PARTITION BY {self._value(self.random.choice((INT, TEXT)), columns, 0, constant=False)}"
        order = f"ORDER BY {value} {self.random.choice(('ASC', 'DESC'))} NULLS {self.random.choice(('FIRST', 'LAST'))}"
        kind = self.random.choice(
            ("rank()", "dense_rank()", f"sum({value})", "count(*)", f"min({value})", f"max({value})")
        )
        parts = [partition] if self._chance(0.5) else []
        if kind in ("rank()", "dense_rank()") or self._chance(0.5):
            parts.append(order)
        return f"{kind} OVER ({' '.join(parts)})"

    def _value(self, kind: str, columns: list[Column], depth: int, constant: bool = True) -> str:
        made = (self._number if kind == INT else self._text)(columns, depth, constant)
        self._kinds[made] = kind
        return made

    def _column(self, kind: str, columns: list[Column]) -> str:
        return self.random.choice([each for each in columns if each.type == kind]).name

    def _number(self, columns: list[Column], depth: int, constant: bool) -> str:
        if depth == 0 or self._chance(0.3):
            return self._int() if constant and self._chance(0.3) else self._column(INT, columns)

        def inner(kind: str) -> str:
            return self._value(kind, columns, depth - 1, constant)

        makers: tuple[Callable[[], str], ...] = (
            lambda: f"({inner(INT)} {self.random.choice('+-*')} {self._column(INT, columns)})",
            lambda: f"({inner(INT)} {self.random.choice('/%')} {self.random.choice((2, 3, -2, 7))})",
            lambda: f"abs({self._value(INT, columns, depth - 1, constant)})",
            lambda: f"length({self._value(TEXT, columns, depth - 1, constant)})",
            lambda: f"coalesce({self._value(INT, columns, depth - 1, constant)}, {self._int()})",
            lambda: f"nullif({self._value(INT, columns, depth - 1, constant)}, {self._int()})",
            lambda: self._case(INT, columns, depth - 1, constant),
            lambda: self._truth(columns, depth - 1),
            lambda: f"(-{self._column(INT, columns)})",
        )
        return self.random.choice(makers)()

    def _text(self, columns: list[Column], depth: int, constant: bool) -> str:
        if depth == 0 or self._chance(0.3):
            return self._word() if constant and self._chance(0.2) else self._column(TEXT, columns)
        makers: tuple[Callable[[], str], ...] = (
            lambda: f"({self._value(TEXT, columns, depth - 1, constant)} || {self._column(TEXT, columns)})",
            lambda: f"upper({self._value(TEXT, columns, depth - 1, constant)})",
            lambda: f"lower({self._value(TEXT, columns, depth - 1, constant)})",
            lambda: f"substr({self._value(TEXT, columns, depth - 1, constant)}, {self.random.randint(1, 3)})",
            lambda: f"substr({self._value(TEXT, columns, depth - 1, constant)}, 1, {self.random.randint(0, 2)})",
            lambda: f"replace({self._column(TEXT, columns)}, 'a', {self._word()})",
            lambda: f"coalesce({self._value(TEXT, columns, depth - 1, constant)}, {self._word()})",
            lambda: self._case(TEXT, columns, depth - 1, constant),
        )
        return self.random.choice(makers)()

    def _case(self, kind: str, columns: list[Column], depth: int, constant: bool) -> str:
        branches = " ".join(
            f"WHEN {self._test(columns, depth)} THEN {self._value(kind, columns, depth, constant)}"
            for _ in range(self.random.randint(1, 2))
        )
        otherwise = f" ELSE {self._value(kind, columns, depth, constant)}" if self._chance(0.6) else ""
        return f"CASE {branches}{otherwise} END"

    def _truth(self, columns: list[Column], depth: int) -> str:
        """The three values of a test, as numbers."""
        test = self._test(columns, depth)
        return f"CASE WHEN {test} THEN 1 WHEN NOT {test} THEN 0 END"

    def _test(self, columns: list[Column], depth: int) -> str:
        if depth and self._chance(0.4):
            joined = f" {self.random.choice(('AND', 'OR'))} ".join(self._test(columns, depth - 1) for _ in range(2))
            return self.random.choice((f"({joined})", f"(NOT ({joined}))"))
        kind = self.random.choice((INT, TEXT))
        small = max(0, depth - 1)

        def value() -> str:
            return self._value(kind, columns, small)

        def negation() -> str:
            return self.random.choice(("", "NOT "))

        makers: list[Callable[[], str]] = [
            lambda: f"({value()} {self.random.choice(COMPARISONS)} {value()})",
            lambda: f"({value()} {self.random.choice(COMPARISONS)} {value()})",
            lambda: f"({value()} IS {self.random.choice(('', 'NOT '))}NULL)",
            lambda: f"({value()} {self.random.choice(('', 'NOT '))}BETWEEN {value()} AND {value()})",
            lambda: f"({value()} {self.random.choice(('', 'NOT '))}IN ({value()}, {value()}{self._null()}))",
            lambda: f"({value()} IS {self.random.choice(('', 'NOT '))}DISTINCT FROM {value()})",
            lambda: f"({self._column(TEXT, columns)} {negation()}LIKE '{self.random.choice(PATTERNS)}')",
        ]
        if depth == 2:  # the outermost
            makers += [lambda: self._in_query(kind, value()), lambda: self._exists(columns)]
        return self.random.choice(makers)()

    def _null(self) -> str:
        return ", NULL" if self._chance(0.2) else ""

    def _in_query(self, kind: str, value: str) -> str:
        source, columns = self._relation(0)
        inner = self._column(kind, columns)
        word = self.random.choice(("IN", "NOT IN"))
        return f"({value} {word} (SELECT {inner} FROM {source}{self._simple_where(columns)}))"

    def _simple_where(self, columns: list[Column]) -> str:
        return f" WHERE {self._test(columns, 0)}" if self._chance(0.5) else ""

    def _exists(self, columns: list[Column]) -> str:
        source, own = self._relation(0)
        kind = self.random.choice((INT, TEXT))
        tie = f"{self._column(kind, own)} = {self._column(kind, columns)}"
        more = f" AND {self._test(own, 0)}" if self._chance(0.5) else ""
        return f"({self.random.choice(('', 'NOT '))}EXISTS (SELECT 1 FROM {source} WHERE {tie}{more}))"
