"""An SQS queue that keeps what a function or a rule could not deliver."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from lakectl.aws import Aws, code_of
from lakectl.engine.forms import Block, Expression, Json, Module, Template, at, tag_list
from lakectl.engine.model import Change, Resource, State
from lakectl.engine.retry import Reason, until_ready, wait_until
from lakectl.naming import Place
from lakectl.resources.policy_document import comparable_statements, statements

# SQS refuses a queue of a name that was deleted less than 60 seconds ago (DeleteQueue, API reference).
QUEUE_DELETED_RECENTLY = (
    Reason(
        "SQS to release the name of a queue deleted less than 60 s ago",
        ("AWS.SimpleQueueService.QueueDeletedRecently", "QueueDeletedRecently"),
    ),
)
# A deleted queue may be found, and a change not be seen, for 60 seconds (DeleteQueue and SetQueueAttributes, API
# reference).
SPREADS_S = 90.0
QUEUE_THERE = Reason("SQS to forget the deleted queue", ())

OURS = "lakectl-"
RETENTION_S = 14 * 24 * 3600  # SQS keeps a message for 14 days at most (SetQueueAttributes, API reference)
ABSENT = frozenset(("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"))
QUEUE_NEW = (Reason("the new queue to be known everywhere in SQS", tuple(ABSENT)),)


class Queue(Resource):
    """``rule_arns`` are the EventBridge rules of the account that may send to it."""

    kind = "sqs-queue"
    why = "What a function or a rule could not deliver ends here, instead of nowhere."
    arn_format = "arn:{partition}:sqs:{region}:{account}:{name}"
    writes = ("sqs:SendMessage",)
    exists_codes = frozenset(("QueueNameExists", "QueueAlreadyExists"))
    tagging: ClassVar = {"CreateQueue": "sqs:TagQueue"}
    comparable: ClassVar = {"policy": comparable_statements}

    def __init__(
        self,
        name: str,
        *,
        step: str,
        tags: Mapping[str, str],
        place: Place,
        rule_arns: tuple[str, ...],
    ) -> None:
        super().__init__(name, step=step, tags=tags, place=place)
        self._at = place
        self.account = place.account
        self.rule_arns = rule_arns

    def statements(self) -> dict[str, dict[str, Any]]:
        """The statements of the queue policy by Sid."""
        return {
            f"{OURS}rules": {
                "Sid": f"{OURS}rules",
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": self.arn,
                "Condition": {
                    "ArnEquals": {"aws:SourceArn": list(self.rule_arns)},
                    "StringEquals": {"aws:SourceAccount": self.account},
                },
            },
            f"{OURS}tls-only": {
                "Sid": f"{OURS}tls-only",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "sqs:*",
                "Resource": self.arn,
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
        }

    def desired(self) -> Mapping[str, Any]:
        return {"retention_seconds": RETENTION_S, "encryption": "SSE-SQS", "policy": self.statements()}

    def _attributes(self) -> dict[str, str]:
        return {
            "MessageRetentionPeriod": str(RETENTION_S),
            "SqsManagedSseEnabled": "true",
            "Policy": json.dumps(self._document()),
        }

    def url(self, aws: Aws) -> str | None:
        """The queue's URL, ``None`` when it is not there."""
        try:
            return self._url(aws)
        except ClientError as error:
            if code_of(error) in ABSENT:
                return None
            raise

    def _url(self, aws: Aws) -> str:
        return str(aws.client("sqs").get_queue_url(QueueName=self.name)["QueueUrl"])

    def read(self, aws: Aws) -> State | None:
        url = self.url(aws)
        if url is None:
            return None
        sqs = aws.client("sqs")
        try:
            live = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
            tags = sqs.list_queue_tags(QueueUrl=url).get("Tags", {})
        except ClientError as error:
            if code_of(error) in ABSENT:
                return None
            raise
        fields = {
            "retention_seconds": int(live["MessageRetentionPeriod"]),
            "encryption": "SSE-SQS" if live.get("SqsManagedSseEnabled", "").lower() == "true" else "none",
            "policy": {s["Sid"]: s for s in statements(live.get("Policy")) if _is_ours(s)},
        }
        return State(fields, tags)

    def create(self, aws: Aws) -> None:
        sqs = aws.client("sqs")
        until_ready(
            lambda: sqs.create_queue(QueueName=self.name, Attributes=self._attributes(), tags=self.tags),
            QUEUE_DELETED_RECENTLY,
        )

    def update(self, aws: Aws, changes: tuple[Change, ...]) -> None:
        sqs, url = aws.client("sqs"), until_ready(lambda: self._url(aws), QUEUE_NEW)
        for change in changes:
            if change.field == "tags":
                sqs.tag_queue(QueueUrl=url, Tags=change.new)
        if any(change.field != "tags" for change in changes):
            live = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"]).get("Attributes", {})
            foreign = [statement for statement in statements(live.get("Policy")) if not _is_ours(statement)]
            document = {"Version": "2012-10-17", "Statement": [*foreign, *self.statements().values()]}
            sqs.set_queue_attributes(QueueUrl=url, Attributes={**self._attributes(), "Policy": json.dumps(document)})

    def destroy(self, aws: Aws) -> None:
        url = self.url(aws)
        if url is None:
            return
        try:
            aws.client("sqs").delete_queue(QueueUrl=url)
        except ClientError as error:
            if code_of(error) not in ABSENT:
                raise
        wait_until(lambda: self.url(aws) is None, QUEUE_THERE, SPREADS_S)

    def _document(self) -> dict[str, Any]:
        return {"Version": "2012-10-17", "Statement": list(self.statements().values())}

    def cloudformation(self, template: Template, needs: tuple[str, ...]) -> None:
        queue = template.add(
            self.id,
            "AWS::SQS::Queue",
            {
                "QueueName": self.name,
                "MessageRetentionPeriod": RETENTION_S,
                "SqsManagedSseEnabled": True,
                "Tags": tag_list(self.tags),
            },
            needs=needs,
        )
        properties = {"Queues": [{"Ref": queue}], "PolicyDocument": self._document()}
        template.add(self.id, "AWS::SQS::QueuePolicy", properties, part="policy")

    def terraform(self, module: Module, needs: tuple[str, ...]) -> None:
        place = self._at
        url = f"https://sqs.{place.region}.{place.dns_suffix}/{place.account}/{self.name}"
        queue = module.add(
            self.id,
            "aws_sqs_queue",
            self.name,
            {
                "name": self.name,
                "message_retention_seconds": RETENTION_S,
                "sqs_managed_sse_enabled": True,
                "tags": self.tags,
                # Its default differs between SQS and versions of the provider.
                "lifecycle": Block(ignore_changes=[Expression("max_message_size")]),
            },
            import_id=url,
            needs=needs,
        )
        body = {"queue_url": at(queue, "url"), "policy": Json(self._document())}
        module.add(self.id, "aws_sqs_queue_policy", self.name, body, import_id=url)


def _is_ours(statement: Mapping[str, Any]) -> bool:
    return str(statement.get("Sid", "")).startswith(OURS)
