"""An Athena view: a SELECT under a name, in a Glue database."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from lakectl.aws import Aws, code_of
from lakectl.engine.forms import Module, Template, at
from lakectl.engine.model import Change, Data, Resource, State
from lakectl.engine.retry import Reason, pause, until_ready
from lakectl.errors import LakectlError
from lakectl.resources.database import Database, delete_table
from lakectl.resources.workgroup import Workgroup
from lakectl.spec.view_sql import canonical

# Athena looks for the workgroup's bucket when a statement is started, and may not see a new one
# (pyathena-dev/PyAthena#67: the same call works a little later).
OUTPUT_NOT_READY = (Reason("Athena to see the bucket of the results", ("Unable to verify/create output bucket",)),)

LOOK_EVERY_S = 0.1
LONGEST_S = 120.0  # Athena only analyzes the query; what takes longer waits in the account's queue
_BEGIN, _END = "/* Presto View: ", " */"


class View(Resource):
    """``database.view``, made by Athena's CREATE OR REPLACE VIEW in ``workgroup``, so that Athena checks the query.

    ``waits_for`` names the tables (``database.table``) of its query that the lake's first runs make: until they are
    there, Athena would refuse the view.
    """

    kind = "athena-view"
    why = "Athena views: the questions that are asked again and again, under a name."
    data = Data.CATALOG
    idle_cost = "nothing, up to a million objects in the account's catalog"
    comparable: ClassVar = {"sql": canonical}

    def __init__(
        self,
        database: str,
        view: str,
        *,
        step: str,
        workgroup: str,
        sql: str,
        waits_for: tuple[str, ...],
        needs: tuple[str, ...],
    ) -> None:
        needs = (Workgroup.id_of(workgroup), *needs)
        super().__init__(f"{database}.{view}", step=step, needs=needs, parent=Database.id_of(database))
        self.database = database
        self.view = view
        self.workgroup = workgroup
        self.sql = sql
        self.waits_for = waits_for

    def desired(self) -> Mapping[str, Any]:
        return {"sql": self.sql, "database": self.database}

    def diff(self, live: State) -> tuple[Change, ...]:
        return () if live.fields == self.desired() else super().diff(live)

    def awaits(self, aws: Aws) -> str:
        missing = [table for table in self.waits_for if _entry(aws, *table.split(".", 1)) is None]
        return f"{', '.join(missing)}, which a run makes" if missing else ""

    def read(self, aws: Aws) -> State | None:
        live = _entry(aws, self.database, self.view)
        return None if live is None else State(_definition(live))

    def create(self, aws: Aws) -> None:
        athena = aws.client("athena")
        started = until_ready(
            lambda: athena.start_query_execution(
                QueryString=self._statement(),
                QueryExecutionContext={"Database": self.database},
                WorkGroup=self.workgroup,
            ),
            OUTPUT_NOT_READY,
        )
        if started:  # else it was only written down, for `explain`
            _wait(athena, started["QueryExecutionId"])

    def _statement(self) -> str:
        return f'CREATE OR REPLACE VIEW "{self.database}"."{self.view}" AS\n{self.sql}'

    def cloudformation(self, template: Template, needs: tuple[str, ...]) -> None:
        """The statement as a saved query, to be run once the tables are there: a view in the catalog holds the types of
        its columns, which Athena alone finds out."""
        properties = {
            "Name": f"create_view_{self.view}",
            "Description": self._instruction(),
            "Database": self.database,
            "WorkGroup": self.workgroup,
            "QueryString": self._statement(),
        }
        template.add(self.id, "AWS::Athena::NamedQuery", properties, needs=needs)

    def terraform(self, module: Module, needs: tuple[str, ...]) -> None:
        """As :meth:`cloudformation`."""
        body = {
            "name": f"create_view_{self.view}",
            "description": self._instruction(),
            "database": at(module.main(Database.id_of(self.database)), "name"),
            "workgroup": at(module.main(Workgroup.id_of(self.workgroup)), "name"),
            "query": self._statement(),
        }
        remark = f"The view {self.name} as a statement: Terraform has no views of Athena's."
        module.add(
            self.id,
            "aws_athena_named_query",
            f"create_view_{self.view}",
            body,
            import_id=None,
            remark=remark,
            needs=needs,
        )

    def _instruction(self) -> str:
        return f"Run it once to make the view {self.name}" + (
            f", when there are {', '.join(self.waits_for)}" if self.waits_for else ""
        )

    def update(self, aws: Aws, changes: tuple[Change, ...]) -> None:
        if changes:
            self.create(aws)

    def destroy(self, aws: Aws) -> None:
        """Deletes the catalog entry: it works without the workgroup, and for a view whose query is broken, too."""
        live = _entry(aws, self.database, self.view)
        if live is None or live.get("TableType") != "VIRTUAL_VIEW":
            return
        delete_table(aws.client("glue"), self.database, self.view)


def _entry(aws: Aws, database: str, name: str) -> dict[str, Any] | None:
    try:
        return dict(aws.client("glue").get_table(DatabaseName=database, Name=name)["Table"])
    except ClientError as error:
        if code_of(error) == "EntityNotFoundException":
            return None
        raise


def _definition(entry: Mapping[str, Any]) -> dict[str, Any]:
    """``sql`` and ``database`` (where its names are looked up) of a view of Athena's; None for what is none."""
    text = str(entry.get("ViewOriginalText") or "")
    try:
        stored = json.loads(base64.b64decode(text.removeprefix(_BEGIN).removesuffix(_END)))
        return {"sql": stored["originalSql"], "database": stored["schema"]}
    except (ValueError, KeyError, TypeError):  # of another kind: to be replaced
        return {"sql": None, "database": None}


def _wait(athena: Any, query_id: str) -> None:
    """Raises LakectlError when the statement fails, or does not end."""
    deadline = time.monotonic() + LONGEST_S
    while True:
        status = athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]["Status"]
        if status["State"] == "SUCCEEDED":
            return
        if status["State"] in ("FAILED", "CANCELLED"):
            raise LakectlError(str(status.get("StateChangeReason") or status["State"]))
        if time.monotonic() > deadline:
            raise LakectlError(f"Athena has not made it in {LONGEST_S:.0f} s (query {query_id})", "lakectl up again")
        pause(LOOK_EVERY_S)
