"""A Lambda function."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any, ClassVar

from botocore.exceptions import ClientError, WaiterError

from lakectl.aws import Aws, code_of
from lakectl.engine.forms import Block, Expression, File, Module, Template, at, tag_list
from lakectl.engine.model import Change, Resource, State
from lakectl.engine.retry import Reason, until_ready
from lakectl.errors import LakectlError
from lakectl.naming import Place
from lakectl.resources.role import ROLE_NOT_READY

# Lambda refuses a change while the function is Pending or the previous change InProgress, and two at once
# (developer guide, "Lambda function states"; hashicorp/terraform-provider-aws#5154). By its words: the same code says
# that a function or a statement exists.
FUNCTION_BUSY = (
    Reason(
        "the previous change of the function to be applied",
        ("The operation cannot be performed at this time", "concurrent update operation"),
    ),
)
# hashicorp/terraform-provider-aws, function.go and permission.go try on after ResourceNotFoundException.
FUNCTION_NEW = (Reason("the new function to be known everywhere in Lambda", ("ResourceNotFoundException",)),)
# Lambda asks KMS for a grant to the role, which KMS may not know yet: function.go, retryFunctionOp.
GRANT_NOT_READY = (Reason("the new role to be known to KMS", ("KMS key is invalid for CreateGrant",)),)
EXECUTION_ROLE_NOT_READY = (
    Reason("the role's new policy to spread", ("The provided execution role does not have permissions",)),
)
CREATABLE = ROLE_NOT_READY + GRANT_NOT_READY + EXECUTION_ROLE_NOT_READY
# Lambda checks that the role may send to a destination before the role's new policy has spread.
DESTINATION_NOT_READY = (
    Reason("the role's new policy to spread", ("permissions to call SendMessage",), at_first=True),
    # function_event_invoke_config.go: "The destination ARN … is invalid" while the queue is new.
    Reason("the new queue to be known to Lambda", ("The destination ARN",)),
)

WAITER_S = 120
WAITER = {"Delay": 1, "MaxAttempts": WAITER_S}  # seconds
RETRIES = 2
CONFIGURATION_FIELDS = frozenset(("runtime", "handler", "timeout", "memory", "environment", "role"))


class Function(Resource):
    """``code`` is the deployment package (zip bytes, reproducible: the same files give the same bytes)."""

    kind = "lambda-function"
    why = "Functions, and where their failed events go after two retries."
    arn_format = "arn:{partition}:lambda:{region}:{account}:function:{name}"
    delivery_fields = frozenset(("on_failure",))
    exists_codes = frozenset(("ResourceConflictException",))
    tagging: ClassVar = {"CreateFunction": "lambda:TagResource"}

    def __init__(
        self,
        name: str,
        *,
        step: str,
        tags: Mapping[str, str],
        place: Place,
        role_arn: str,
        code: bytes,
        runtime: str,
        handler: str,
        timeout: int,
        memory: int,
        environment: Mapping[str, str],
        description: str,
        on_failure: str,
        needs: tuple[str, ...],
    ) -> None:
        super().__init__(name, step=step, tags=tags, needs=needs, place=place)
        self.role_arn = role_arn
        self.code = code
        self.runtime = runtime
        self.handler = handler
        self.timeout = timeout
        self.memory = memory
        self.environment = dict(environment)
        self.description = description
        self.on_failure = on_failure

    def desired(self) -> Mapping[str, Any]:
        return {
            "code_sha256": base64.b64encode(hashlib.sha256(self.code).digest()).decode(),
            "runtime": self.runtime,
            "handler": self.handler,
            "timeout": self.timeout,
            "memory": self.memory,
            "environment": self.environment,
            "role": self.role_arn,
            "on_failure": self.on_failure,
        }

    def read(self, aws: Aws) -> State | None:
        try:
            answer = aws.client("lambda").get_function(FunctionName=self.name)
        except ClientError as error:
            if code_of(error) == "ResourceNotFoundException":
                return None
            raise
        live = answer["Configuration"]
        if live.get("State") == "Deleting":
            return None
        fields = {
            "code_sha256": live["CodeSha256"],
            "runtime": live["Runtime"],
            "handler": live["Handler"],
            "timeout": live["Timeout"],
            "memory": live["MemorySize"],
            "environment": live.get("Environment", {}).get("Variables", {}),
            "role": live["Role"],
            "on_failure": self._on_failure(aws),
        }
        return State(fields, answer.get("Tags", {}))

    def _on_failure(self, aws: Aws) -> str | None:
        try:
            answer = aws.client("lambda").get_function_event_invoke_config(FunctionName=self.name)
        except ClientError as error:
            if code_of(error) == "ResourceNotFoundException":
                return None
            raise
        destination = answer.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
        return str(destination) if destination else None

    def _put_on_failure(self, aws: Aws) -> None:
        # A rule's dead-letter queue holds what could not be delivered; what the function itself
        # failed on ends here, after two retries.
        until_ready(
            lambda: aws.client("lambda").put_function_event_invoke_config(
                FunctionName=self.name,
                MaximumRetryAttempts=RETRIES,
                DestinationConfig={"OnFailure": {"Destination": self.on_failure}},
            ),
            FUNCTION_BUSY + FUNCTION_NEW + ROLE_NOT_READY + DESTINATION_NOT_READY,
        )

    def _configuration(self) -> dict[str, Any]:
        return {
            "FunctionName": self.name,
            "Description": self.description,
            "Role": self.role_arn,
            "Runtime": self.runtime,
            "Handler": self.handler,
            "Timeout": self.timeout,
            "MemorySize": self.memory,
            "Environment": {"Variables": self.environment},
        }

    def create(self, aws: Aws) -> None:
        client = aws.client("lambda")
        until_ready(
            lambda: client.create_function(Code={"ZipFile": self.code}, Tags=self.tags, **self._configuration()),
            CREATABLE,
        )
        until_ready(lambda: self._wait(aws, "function_active_v2"), FUNCTION_NEW)
        self._put_on_failure(aws)

    def _wait(self, aws: Aws, waiter: str) -> None:
        """Until Lambda has carried out the last call. Raises :class:`LakectlError` with its reason when it could not,
        its own error when the function is not there."""
        try:
            aws.client("lambda").get_waiter(waiter).wait(FunctionName=self.name, WaiterConfig=WAITER)
        except WaiterError as error:
            answer: Any = error.last_response
            if "Error" in answer:
                raise ClientError(answer, "GetFunction") from error
            live = answer.get("Configuration", {})
            state = "State" if waiter == "function_active_v2" else "LastUpdateStatus"
            said = f"{state} {live.get(state)}: {live.get(f'{state}ReasonCode')}: {live.get(f'{state}Reason')}"
            if live.get(state) == "Failed":
                raise LakectlError(said, "mend that, then: lakectl up") from error
            raise LakectlError(f"Lambda is not done after {WAITER_S} s: {said}", "lakectl up again") from error

    def update(self, aws: Aws, changes: tuple[Change, ...]) -> None:
        client = aws.client("lambda")
        fields = {change.field: change for change in changes}
        if CONFIGURATION_FIELDS & fields.keys():
            until_ready(
                lambda: client.update_function_configuration(**self._configuration()), FUNCTION_BUSY + CREATABLE
            )
            self._wait(aws, "function_updated_v2")
        if "code_sha256" in fields:
            until_ready(lambda: client.update_function_code(FunctionName=self.name, ZipFile=self.code), FUNCTION_BUSY)
            self._wait(aws, "function_updated_v2")
        if "on_failure" in fields:
            self._put_on_failure(aws)
        if "tags" in fields:
            until_ready(lambda: client.tag_resource(Resource=self.arn, Tags=fields["tags"].new), FUNCTION_BUSY)

    def destroy(self, aws: Aws) -> None:
        try:
            until_ready(lambda: aws.client("lambda").delete_function(FunctionName=self.name), FUNCTION_BUSY)
        except ClientError as error:
            if code_of(error) != "ResourceNotFoundException":
                raise

    def cloudformation(self, template: Template, needs: tuple[str, ...]) -> None:
        """Its zip is uploaded first: a template holds no more than 4 MB, and no binary code. The key has the hash of
        the zip, since CloudFormation takes new code only from a new key (user guide, "AWS::Lambda::Function Code")."""
        path = f"functions/{self.name}-{hashlib.sha256(self.code).hexdigest()[:12]}.zip"
        template.files.append(File(path, self.code))
        function = template.add(
            self.id,
            "AWS::Lambda::Function",
            {
                **self._configuration(),
                "Code": {"S3Bucket": {"Ref": "CodeBucket"}, "S3Key": {"Fn::Sub": f"${{CodePrefix}}{path}"}},
                "Tags": tag_list(self.tags),
            },
            needs=needs,
        )
        template.add(
            self.id,
            "AWS::Lambda::EventInvokeConfig",
            {
                "FunctionName": {"Ref": function},
                "Qualifier": "$LATEST",
                "MaximumRetryAttempts": RETRIES,
                "DestinationConfig": {"OnFailure": {"Destination": self.on_failure}},
            },
            part="on failure",
        )

    def terraform(self, module: Module, needs: tuple[str, ...]) -> None:
        path = f"functions/{self.name}.zip"
        module.files.append(File(path, self.code))
        function = module.add(
            self.id,
            "aws_lambda_function",
            self.name,
            {
                "function_name": self.name,
                "description": self.description,
                "role": self.role_arn,
                "runtime": self.runtime,
                "handler": self.handler,
                "timeout": self.timeout,
                "memory_size": self.memory,
                "filename": Expression(f'"${{local.files}}/{path}"'),
                "source_code_hash": Expression(f'filebase64sha256("${{local.files}}/{path}")'),
                "tags": self.tags,
                "environment": Block(variables=self.environment),
            },
            import_id=self.name,
            needs=needs,
        )
        on_failure = Block(on_failure=Block(destination=self.on_failure))
        module.add(
            self.id,
            "aws_lambda_function_event_invoke_config",
            self.name,
            {
                "function_name": at(function, "function_name"),
                "maximum_retry_attempts": RETRIES,
                "destination_config": on_failure,
            },
            import_id=self.name,
        )
