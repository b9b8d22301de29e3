"""S3: events as AWS sends them, and requests that change a bucket one after the other.

Replaced: ``notifications.send_event`` (wrong shapes, synchronous, swallows errors, extra events),
``S3Backend.put_bucket_notification_configuration`` (accepts what S3 refuses), ``FakeBucket.get_permission``
(ignores conditions). Wrapped: ``S3Response._key_response`` and ``_bucket_response``, because "does it exist?" and
"put" must be one step for ``If-None-Match: *``, and listings must not meet a change half-way.
"""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from moto.s3 import notifications
from moto.s3.exceptions import S3ClientError
from moto.s3.models import FakeBucket, S3Backend
from moto.s3.responses import S3Response

from lakectl.local import services
from lakectl.local.context import LocalContext
from lakectl.local.s3 import clock as s3_clock
from lakectl.local.s3 import collected, deletion
from lakectl.local.s3 import events as s3_events
from lakectl.local.s3 import policy as s3_policy
from lakectl.local.s3.collected import Happened
from lakectl.local.s3.events import ObjectEvent
from lakectl.local.s3.posts import POSTED
from lakectl.local.s3.storage import changes
from lakectl.local.seams.core import saving_others

log = logging.getLogger(__name__)

EMPTY_ETAG = "d41d8cd98f00b204e9800998ecf8427e"  # of a delete marker
NOTIFICATION = "s3-notification"  # an event on its way to a function, queue or topic
OVERLAP = "Configurations overlap. Configurations on the same bucket cannot share a common event type."
UNREACHABLE = "Unable to validate the following destination configurations"
SKIP_VALIDATION = "x-amz-skip-destination-validation"

_request = threading.local()


class InvalidArgument(S3ClientError):
    def __init__(self, message: str) -> None:
        super().__init__("InvalidArgument", message)


class AccessDenied(S3ClientError):
    def __init__(self) -> None:
        super().__init__("AccessDenied", "Access Denied")


def install(context: LocalContext) -> None:
    s3_clock.install(context)
    context.outbox.register(NOTIFICATION, partial(_send, context))
    notifications.send_event = _collect
    S3Response._key_response = _key_response(S3Response._key_response, context)
    S3Response._bucket_response = _bucket_response(S3Response._bucket_response, context)
    S3Response._bucket_response_put = _tagging_new_bucket(S3Response._bucket_response_put)
    S3Response._notification_config_from_body = _any_case(S3Response._notification_config_from_body)
    deletion.install()
    S3Backend.put_bucket_notification_configuration = _checked_notifications(
        S3Backend.put_bucket_notification_configuration
    )
    S3Response.get_bucket_notification = _with_eventbridge(S3Response.get_bucket_notification)
    FakeBucket.get_permission = _get_permission


def _with_eventbridge(original: Callable[..., Any]) -> Callable[..., Any]:
    """moto keeps the EventBridge switch but leaves it out of GetBucketNotificationConfiguration's answer."""

    def get_bucket_notification(self: S3Response) -> Any:
        status, headers, body = original(self)
        configuration = self.backend.get_bucket_notification_configuration(self.bucket_name)
        if configuration and configuration.event_bridge is not None:
            text = body.decode() if isinstance(body, bytes) else body
            if text.endswith("/>"):  # nothing else is in it
                text = f"{text[:-2]}></NotificationConfiguration>"
            end = text.rindex("</")
            body = f"{text[:end]}<EventBridgeConfiguration/>{text[end:]}"
            headers.pop("Content-Length", None)
            headers.pop("content-length", None)
        return status, headers, body

    return get_bucket_notification


def _key_response(original: Callable[..., Any], context: LocalContext) -> Callable[..., Any]:
    def key_response(self: S3Response, request: Any, full_url: str) -> Any:
        _request.context = s3_policy.request_context(request.method, request.args, request.headers)
        _request.posted = POSTED in request.environ
        if request.method in ("GET", "HEAD", "OPTIONS") or _is_part(request):
            response = original(self, request, full_url)
        else:
            response = changing(
                context,
                lambda: _touching(self, context, lambda: original(self, request, full_url)),
                "tagging" in request.args,
            )
        if isinstance(response, tuple) and response[0] == 403 and not response[2]:
            raise AccessDenied
        return response

    return key_response


def _is_part(request: Any) -> bool:
    """Parts are written without the lock (``storage``), and no object changes by them."""
    return request.method == "PUT" and {"partNumber", "uploadId"} <= request.args.keys()


def _bucket_response(original: Callable[..., Any], context: LocalContext) -> Callable[..., Any]:
    def bucket_response(self: S3Response, request: Any, full_url: str) -> Any:
        _request.context = s3_policy.request_context(request.method, request.args, request.headers)
        return changing(
            context, lambda: _touching_bucket(self, request, context, lambda: original(self, request, full_url)), False
        )

    return bucket_response


def _touching(response: S3Response, context: LocalContext, handle: Callable[[], Any]) -> Any:
    try:
        return handle()
    finally:
        bucket = response.backend.buckets.get(response.bucket_name)
        key = response.parse_key_name()
        current = bucket.keys.get(key) if bucket is not None else None
        version = response.querystring.get("versionId", [None])[0]
        if current is not None:
            context.objects.touch_key(bucket.name, key, str(version or current.version_id))


def _touching_bucket(response: S3Response, request: Any, context: LocalContext, handle: Callable[[], Any]) -> Any:
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return handle()
    before = response.backend.buckets.get(response.bucket_name)
    try:
        return handle()
    finally:
        bucket = response.backend.buckets.get(response.bucket_name, before)
        if bucket is not None:
            context.objects.touch_bucket(bucket)


def changing(context: LocalContext, handle: Callable[[], Any], is_tagging: bool = False) -> Any:
    """Run one request alone, then send its events: only when it is complete may anybody hear of it."""
    with changes, saving_others(context, "s3"):
        with collected.collecting() as events:
            response = handle()
            happened = [_object_event(context, *each) for each in _real(events, is_tagging)]
        for event, bucket in happened:
            _deliver(context, event, bucket)
    return response


def _collect(account_id: str, event_name: Any, bucket: Any, key: Any) -> None:
    collected.add(account_id, str(getattr(event_name, "value", event_name)), bucket, key)


def _real(happened: list[Happened], is_tagging: bool) -> list[Happened]:
    """Without moto's side effects: a Put inside a multipart upload, a tagging of each new object."""
    multipart = any(name.endswith(":CompleteMultipartUpload") for _, name, _, _ in happened)
    return [
        each
        for each in happened
        if not (multipart and each[1] == "s3:ObjectCreated:Put")
        and (is_tagging or not each[1].startswith("s3:ObjectTagging"))
    ]


def _object_event(
    context: LocalContext, account_id: str, name: str, bucket: FakeBucket, key: Any
) -> tuple[ObjectEvent, FakeBucket]:
    removed = name.startswith(("s3:ObjectRemoved", "s3:LifecycleExpiration"))
    if name == "s3:ObjectCreated:Put" and getattr(_request, "posted", False):
        name = "s3:ObjectCreated:Post"
    moment = s3_clock.clock.now()
    s3_clock.keep(context.database, moment)
    event = ObjectEvent(
        name=name,
        bucket=bucket.name,
        region=bucket.region_name,
        account_id=account_id,
        key=key.name,
        size=None if removed else key.size,
        etag=(EMPTY_ETAG if name.endswith(":DeleteMarkerCreated") else None) if removed else key.etag.strip('"'),
        version_id=str(key.version_id) if bucket.is_versioned else None,
        time=s3_clock.time_of(moment),
        sequencer=s3_clock.sequencer(moment),
        request_id=s3_events.new_request_id(),
    )
    return event, bucket


def _deliver(context: LocalContext, event: ObjectEvent, bucket: FakeBucket) -> None:
    configuration = bucket.notification_configuration
    if configuration is None:
        return
    for kind in ("cloud_function", "queue", "topic"):
        for each in getattr(configuration, kind):
            if each.matches(event.name, event.key):
                message = json.dumps(s3_events.notification(event, each.id))
                context.outbox.post(NOTIFICATION, kind=kind, arn=each.arn, message=message, bucket_arn=bucket.arn)
    detail_type = s3_events.eventbridge_detail_type(event.name)
    if configuration.event_bridge is not None and detail_type is not None:
        detail = s3_events.eventbridge_detail(event)
        context.emit_event("aws.s3", detail_type, detail, [bucket.arn], event.region)


def _send(context: LocalContext, kind: str, arn: str, message: str, bucket_arn: str) -> None:
    region, _, name = arn.split(":")[3:6]
    if kind == "topic":
        context.client("sns", region).publish(TopicArn=arn, Message=message)
    elif kind == "queue":
        client = context.client("sqs", region)
        url = client.get_queue_url(QueueName=name)["QueueUrl"]
        client.send_message(QueueUrl=url, MessageBody=message)
    elif services.lambda_service().may_invoke(arn, "s3.amazonaws.com", bucket_arn):
        services.lambda_service().invoke_async(arn, message)
    else:
        log.warning("S3 event lost: %s does not exist, or does not let %s invoke it", arn, bucket_arn)


def _checked_notifications(original: Callable[..., None]) -> Callable[..., None]:
    def put(self: S3Backend, bucket_name: str, notification_config: dict[str, Any]) -> None:
        bucket = self.get_bucket(bucket_name)
        skips = notification_config.pop(SKIP_VALIDATION, False)
        for entry in notification_config.get("CloudFunctionConfiguration") or []:
            arn = entry["CloudFunction"]
            if not skips and not services.lambda_service().may_invoke(arn, "s3.amazonaws.com", bucket.arn):
                raise InvalidArgument(UNREACHABLE)
        if s3_events.any_overlap(list(s3_events.rules_of(notification_config))):
            raise InvalidArgument(OVERLAP)
        original(self, bucket_name, notification_config)

    return put


def _any_case(original: Callable[..., Any]) -> Callable[..., Any]:
    """S3 takes ``prefix`` and ``Prefix`` as a filter's name; moto takes the first only."""

    def parse(self: S3Response) -> Any:
        lower = re.compile(rb"<Name>\s*(prefix|suffix)\s*</Name>", re.IGNORECASE)
        body = self.body if isinstance(self.body, bytes) else self.body.encode()
        self.body = lower.sub(lambda found: b"<Name>" + found[1].lower() + b"</Name>", body)
        configuration = original(self)
        if configuration and self.headers.get(SKIP_VALIDATION, "").lower() == "true":
            configuration[SKIP_VALIDATION] = True
        return configuration

    return parse


def _tagging_new_bucket(original: Callable[..., Any]) -> Callable[..., Any]:
    """CreateBucketConfiguration.Tags, which moto drops: without them a crash could orphan a bucket."""

    def put(self: S3Response, request: Any, bucket_name: str, querystring: dict[str, Any]) -> Any:
        existed = bucket_name in self.backend.buckets
        response = original(self, request, bucket_name, querystring)
        if not querystring and not existed and self.body:
            import xmltodict  # type: ignore[import-untyped]

            parsed = xmltodict.parse(self.body, force_list={"Tag": True})
            tags = ((parsed.get("CreateBucketConfiguration") or {}).get("Tags") or {}).get("Tag", [])
            if tags:
                named = {tag["Key"]: tag["Value"] or "" for tag in tags}
                self.backend.put_bucket_tagging(bucket_name, named)
        return response

    return put


def _get_permission(self: FakeBucket, action: str, resource: str) -> Any:
    from moto.iam.access_control import IAMPolicy, PermissionResult

    context = getattr(_request, "context", {})
    policy = s3_policy.effective_policy(self.policy, context) if self.policy is not None else None
    if policy is None:
        return PermissionResult.NEUTRAL
    return IAMPolicy(policy).is_action_permitted(s3_policy.ACTIONS.get(action, action), resource)
