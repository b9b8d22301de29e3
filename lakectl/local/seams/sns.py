"""SNS: a topic sends to functions and queues after Publish has answered, and only as far as their policies let it.

moto invokes a function within Publish and asks nobody. Replaced: ``Subscription.publish`` for functions and queues.
https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html,
https://docs.aws.amazon.com/sns/latest/dg/subscribe-sqs-queue-to-sns-topic.html
"""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable
from typing import Any

from moto.sns.models import Subscription

from lakectl.local import services
from lakectl.local.context import LocalContext
from lakectl.local.iam import resource_policies

TO_FUNCTION, TO_QUEUE = "sns-function", "sns-queue"
SERVICE = "sns.amazonaws.com"
# As moto hands them to a queue; Lambda's event spells two of them in another way.
SPELLED = {"SigningCertURL": "SigningCertUrl", "UnsubscribeURL": "UnsubscribeUrl"}

log = logging.getLogger(__name__)


def install(context: LocalContext) -> None:
    Subscription.publish = _delivering(Subscription.publish, context)
    context.outbox.register(TO_FUNCTION, _invoke)
    context.outbox.register(TO_QUEUE, lambda **delivery: _send(context, **delivery))


def _delivering(original: Callable[..., None], context: LocalContext) -> Callable[..., None]:
    def publish(
        self: Subscription,
        message: str,
        message_id: str,
        subject: str | None = None,
        message_attributes: dict[str, Any] | None = None,
        group_id: str | None = None,
        deduplication_id: str | None = None,
        message_structure: str | None = None,
    ) -> None:
        given = (message, message_id, subject, message_attributes, group_id, deduplication_id, message_structure)
        if self.protocol not in ("lambda", "sqs"):
            original(self, *given)
            return
        matcher = self._filter_policy_matcher
        if matcher is not None and not matcher.matches(message_attributes, message):
            return
        text = self._parse_message_structure(message, self.protocol) if message_structure == "json" else message
        post = self.get_post_data(text, message_id, subject, message_attributes=message_attributes)
        topic = self.topic.arn
        if self.protocol == "lambda":
            sns = {SPELLED.get(name, name): value for name, value in post.items()}
            sns = {"Subject": None, "MessageAttributes": {}} | sns
            record = {"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": self.arn, "Sns": sns}
            context.outbox.post(TO_FUNCTION, arn=self.endpoint, topic=topic, payload=json.dumps({"Records": [record]}))
            return
        raw = str(self.attributes.get("RawMessageDelivery", "")).lower() == "true"
        fifo = {"MessageGroupId": group_id, "MessageDeduplicationId": deduplication_id}
        context.outbox.post(
            TO_QUEUE,
            arn=self.endpoint,
            topic=topic,
            body=text if raw else json.dumps(post, sort_keys=True, indent=2, separators=(",", ": ")),
            attributes=(message_attributes or {}) if raw else {},
            fifo={name: value for name, value in fifo.items() if value},
        )

    return publish


def _invoke(arn: str, topic: str, payload: str) -> None:
    service = services.lambda_service()
    if service.may_invoke(arn, SERVICE, topic):
        service.invoke_async(arn, payload)
    else:
        log.warning("message of %s lost: %s does not exist, or does not let the topic invoke it", topic, arn)


def _send(
    context: LocalContext, arn: str, topic: str, body: str, attributes: dict[str, Any], fifo: dict[str, str]
) -> None:
    _, _, _, region, account, name = arn.split(":", 5)
    if not resource_policies.lets_service(SERVICE, "sqs:SendMessage", arn, topic, account):
        log.warning("message of %s lost: %s does not exist, or does not let the topic send to it", topic, arn)
        return
    client = context.client("sqs", region)
    url = client.get_queue_url(QueueName=name)["QueueUrl"]
    typed = {key: _attribute(value) for key, value in attributes.items()}
    client.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=typed, **fifo)


def _attribute(value: dict[str, Any]) -> dict[str, Any]:
    if value["Type"].startswith("Binary"):
        return {"DataType": value["Type"], "BinaryValue": base64.b64decode(value["Value"])}
    return {"DataType": value["Type"], "StringValue": str(value["Value"])}
