"""What the endpoint and a query worker send each other: one JSON object a line."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from lakectl.local.athena.errors import QueryCancelled, QueryError
from lakectl.local.athena.results import Column
from lakectl.local.iam.credentials import Keys


@dataclass(frozen=True)
class Task:
    """One statement to run. ``cutoff`` is BytesScannedCutoffPerQuery, ``location`` the result file in S3;
    ``enforced``: the workgroup says where results go, and nobody else."""

    sql: str
    database: str
    region: str
    keys: Keys = field(repr=False)
    location: str
    cutoff: int | None = None
    enforced: bool = False

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Task:
        return cls(**{**values, "keys": Keys(**values["keys"])})


@dataclass
class Outcome:
    """How a statement ended. ``error`` is None when it succeeded."""

    columns: list[Column] = field(default_factory=list)
    header: bool = False
    planning_seconds: float = 0.0
    update_count: int | None = None
    has_file: bool = True
    row_count: int = 0
    output_bytes: int = 0
    scanned_bytes: int = 0
    manifest: str | None = None
    subtype: str | None = None
    error: QueryError | QueryCancelled | None = None

    def to_json(self) -> str:
        values: dict[str, Any] = {**vars(self), "columns": [asdict(column) for column in self.columns]}
        if isinstance(self.error, QueryError):
            values["error"] = {
                "code": self.error.code,
                "message": self.error.message,
                "position": self.error.position,
            }
        elif self.error is not None:
            values["error"] = {"cancelled": self.error.reason}
        return json.dumps(values)

    @classmethod
    def from_json(cls, text: str) -> Outcome:
        """Raises ValueError for what is no outcome, such as a part of one."""
        values = json.loads(text)
        try:
            error = values["error"]
            if error is not None:
                values["error"] = QueryCancelled(error["cancelled"]) if "cancelled" in error else _error(error)
            values["columns"] = [Column(**column) for column in values["columns"]]
            return cls(**values)
        except (KeyError, TypeError) as error:
            raise ValueError(f"no outcome of a statement: {text[:200]}") from error


def _error(values: dict[str, Any]) -> QueryError:
    position = values["position"]
    return QueryError(values["code"], values["message"], tuple(position) if position else None)
