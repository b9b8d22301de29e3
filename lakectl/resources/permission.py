"""Who may invoke a Lambda function: our statements in its resource policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from lakectl.aws import Aws, code_of
from lakectl.engine.forms import Module, Template, at
from lakectl.engine.model import Change, Resource, State
from lakectl.engine.retry import until_ready
from lakectl.naming import Place
from lakectl.resources.function import FUNCTION_BUSY, FUNCTION_NEW, Function
from lakectl.resources.policy_document import comparable_statements, statements

OURS = "lakectl-"


@dataclass(frozen=True)
class Grant:
    """``principal`` (``events.amazonaws.com``) may invoke the function for ``source_arn``."""

    principal: str
    source_arn: str


class Permissions(Resource):
    """The statements of one function: ``grants`` by statement id (``lakectl-…``), for sources of the account only.

    One resource for each function, because Lambda loses statements that are added to a policy in parallel.
    ``SourceAccount`` is always set: without it the same bucket name in another account could invoke
    (the confused deputy, Lambda developer guide, "Grant function access to AWS services").
    """

    kind = "lambda-permission"
    why = "Who may invoke. source-account keeps a bucket of that name elsewhere out."
    exists_codes = frozenset(("ResourceConflictException",))
    comparable: ClassVar = {"statements": comparable_statements}
    reads_back_s = 60.0

    def __init__(
        self,
        function: str,
        *,
        step: str,
        place: Place,
        grants: Mapping[str, Grant],
    ) -> None:
        super().__init__(function, step=step, parent=Function.id_of(function))
        self.function_arn = Function.arn_of(place, function)
        self.account = place.account
        self.grants = dict(grants)

    def desired(self) -> Mapping[str, Any]:
        return {"statements": {sid: self._statement(sid, grant) for sid, grant in self.grants.items()}}

    def _statement(self, sid: str, grant: Grant) -> dict[str, Any]:
        return {
            "Sid": sid,
            "Effect": "Allow",
            "Principal": {"Service": grant.principal},
            "Action": "lambda:InvokeFunction",
            "Resource": self.function_arn,
            "Condition": {
                "StringEquals": {"AWS:SourceAccount": self.account},
                "ArnLike": {"AWS:SourceArn": grant.source_arn},
            },
        }

    def read(self, aws: Aws) -> State | None:
        live = self._live(aws)
        return State({"statements": live}) if live else None

    def _live(self, aws: Aws) -> dict[str, dict[str, Any]]:
        try:
            policy = aws.client("lambda").get_policy(FunctionName=self.name)["Policy"]
        except ClientError as error:
            if code_of(error) == "ResourceNotFoundException":
                return {}
            raise
        found = {str(statement.get("Sid", "")): statement for statement in statements(policy)}
        return {sid: statement for sid, statement in found.items() if sid.startswith(OURS)}

    def create(self, aws: Aws) -> None:
        for sid in self.grants:
            self._add(aws, sid)

    def _add(self, aws: Aws, sid: str) -> None:
        grant = self.grants[sid]
        try:
            until_ready(
                lambda: aws.client("lambda").add_permission(
                    FunctionName=self.name,
                    StatementId=sid,
                    Action="lambda:InvokeFunction",
                    Principal=grant.principal,
                    SourceArn=grant.source_arn,
                    SourceAccount=self.account,
                ),
                FUNCTION_BUSY + FUNCTION_NEW,
            )
        except ClientError as error:
            # It exists: a lost answer, another `up`, or GetPolicy did not show it yet. Reading back tells whether it is
            # the statement we want.
            if code_of(error) != "ResourceConflictException" or FUNCTION_BUSY[0].explains(error):
                raise

    def update(self, aws: Aws, changes: tuple[Change, ...]) -> None:
        for change in changes:
            old, new = change.old or {}, change.new
            for sid in sorted(old.keys() | new.keys()):
                if old.get(sid) == new.get(sid):
                    continue
                if sid in old:
                    self._remove(aws, sid)
                if sid in new:
                    self._add(aws, sid)

    def destroy(self, aws: Aws) -> None:
        for sid in self._live(aws):
            self._remove(aws, sid)

    def _remove(self, aws: Aws, sid: str) -> None:
        try:
            until_ready(
                lambda: aws.client("lambda").remove_permission(FunctionName=self.name, StatementId=sid), FUNCTION_BUSY
            )
        except ClientError as error:
            if code_of(error) != "ResourceNotFoundException":
                raise

    def cloudformation(self, template: Template, needs: tuple[str, ...]) -> None:
        """CloudFormation makes up the statements' ids."""
        for sid, grant in self.grants.items():
            template.add(
                self.id,
                "AWS::Lambda::Permission",
                {
                    "FunctionName": self.name,
                    "Action": "lambda:InvokeFunction",
                    "Principal": grant.principal,
                    "SourceArn": grant.source_arn,
                    "SourceAccount": self.account,
                },
                part=sid.removeprefix(OURS),
                needs=needs,
            )

    def terraform(self, module: Module, needs: tuple[str, ...]) -> None:
        for sid, grant in self.grants.items():
            module.add(
                self.id,
                "aws_lambda_permission",
                sid.removeprefix(OURS),
                {
                    "statement_id": sid,
                    "function_name": at(module.main(Function.id_of(self.name)), "function_name"),
                    "action": "lambda:InvokeFunction",
                    "principal": grant.principal,
                    "source_arn": grant.source_arn,
                    "source_account": self.account,
                },
                import_id=f"{self.name}/{sid}",
                needs=needs,
            )
