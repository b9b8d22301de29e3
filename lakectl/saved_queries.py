"""The queries in ``queries/``: one statement a file, named ``NN_name.sql``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lakectl.errors import UsageError
from lakectl.naming import Names
from lakectl.project import Project

DEFAULT_BRONZE, DEFAULT_SILVER = "retail_bronze", "retail_silver"


@dataclass(frozen=True)
class SavedQuery:
    """``sql`` has no comments and no semicolon; ``parameters`` are its ``:name`` placeholders."""

    name: str
    title: str
    sql: str

    @property
    def parameters(self) -> tuple[str, ...]:
        return placeholders(self.sql)


def placeholders(sql: str) -> tuple[str, ...]:
    """The names of the ``:name`` placeholders outside quotes, each once."""
    outside = re.sub(r"'(?:[^']|'')*'", "", sql)
    return tuple(dict.fromkeys(re.findall(r"(?<![:\w]):([a-z_]+)\b", outside)))


def load(project: Project, names: Names) -> list[SavedQuery]:
    """All saved queries in file order, with the lake's own database names put in."""
    queries = []
    for path in sorted(project.queries.glob("[0-9][0-9]_*.sql")):
        lines = path.read_text(encoding="utf-8").splitlines()
        comments = [line[2:].strip() for line in lines if line.startswith("--")]
        title = next((c.removeprefix("title:").strip() for c in comments if c.startswith("title:")), path.stem)
        sql = "\n".join(line for line in lines if not line.lstrip().startswith("--")).strip().rstrip(";").rstrip()
        if not sql:
            raise UsageError(f"{path} holds no statement")
        for default, own in ((DEFAULT_BRONZE, names.bronze_database), (DEFAULT_SILVER, names.silver_database)):
            sql = re.sub(rf"\b{default}\.", f"{own}.", sql)
        queries.append(SavedQuery(path.stem, title, sql))
    return queries
