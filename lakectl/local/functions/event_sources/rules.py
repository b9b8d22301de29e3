"""What an event source mapping may be, for a queue and for a stream of DynamoDB, and what it is when nothing is said.

https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.sqs.models import sqs_backends

from lakectl.local.functions.errors import Refused, constrained, invalid, unsupported
from lakectl.local.functions.event_sources import filters
from lakectl.local.functions.invoke_configs import ACTIONS
from lakectl.local.iam import roles
from lakectl.local.validation import constraint

RANGES = {
    "BatchSize": (1, 10_000),
    "MaximumBatchingWindowInSeconds": (0, 300),
    "ParallelizationFactor": (1, 10),
    "MaximumRetryAttempts": (-1, 10_000),
    "MaximumRecordAgeInSeconds": (-1, 604_800),
    "TumblingWindowInSeconds": (0, 900),
}
POSITIONS = ("LATEST", "AT_TIMESTAMP", "TRIM_HORIZON")
OF_STREAMS: dict[str, Any] = {
    "StartingPosition": None,
    "BisectBatchOnFunctionError": False,
    "DestinationConfig": {"OnFailure": {}},
    "MaximumRecordAgeInSeconds": -1,
    "MaximumRetryAttempts": -1,
    "ParallelizationFactor": 1,
    "TumblingWindowInSeconds": 0,
}
NOT_HERE = (
    *(
        "Topics",
        "Queues",
        "SourceAccessConfigurations",
        "SelfManagedEventSource",
        "AmazonManagedKafkaEventSourceConfig",
    ),
    *("SelfManagedKafkaEventSourceConfig", "DocumentDBEventSourceConfig", "ProvisionedPollerConfig", "KMSKeyArn"),
)
SQS_ACTIONS = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
STREAM_ACTIONS = ("GetRecords", "GetShardIterator", "DescribeStream", "ListStreams")


def is_queue(mapping: Mapping[str, Any]) -> bool:
    return str(mapping["EventSourceArn"]).split(":")[2] == "sqs"


def new(request: Mapping[str, Any]) -> dict[str, Any]:
    """What CreateEventSourceMapping makes of a request, before it is checked."""
    arn = str(request.get("EventSourceArn") or "")
    service = arn.split(":")[2] if arn.count(":") >= 5 else ""
    if service not in ("sqs", "dynamodb"):
        if service in ("kinesis", "kafka", "mq", "rds"):
            raise unsupported(f"an event source of {service}")
        raise invalid("Unrecognized event source.")
    made: dict[str, Any] = {
        "EventSourceArn": arn,
        "BatchSize": 10 if service == "sqs" else 100,
        "MaximumBatchingWindowInSeconds": 0,
        "FunctionResponseTypes": [],
    }
    if service == "dynamodb":
        made |= OF_STREAMS
    else:
        unfit = [field for field in OF_STREAMS if request.get(field) is not None]
        if unfit == ["DestinationConfig"]:
            raise invalid("Unsupported DestinationConfig parameter for given event source mapping type.")
        if unfit:
            raise invalid(f"Unsupported parameter for given event source mapping type: {', '.join(unfit)}")
    change(made, request)
    return made


def change(mapping: dict[str, Any], request: Mapping[str, Any]) -> None:
    """Set what a request says, and leave the rest. Raises Refused."""
    for field, (low, high) in RANGES.items():
        if request.get(field) is not None:
            refusal = constraint.between(request[field], field[0].lower() + field[1:], low, high)
            if refusal:
                raise Refused("ValidationException", refusal)
            mapping[field] = request[field]
    for field in NOT_HERE:
        if request.get(field):
            raise unsupported(field)
    for field in ("FunctionResponseTypes", "BisectBatchOnFunctionError", "ScalingConfig", "DestinationConfig"):
        if request.get(field) is not None:
            mapping[field] = request[field]
    if request.get("StartingPosition") is not None:
        mapping["StartingPosition"] = request["StartingPosition"]
    if request.get("FilterCriteria") is not None:
        filters.check(request["FilterCriteria"])
        mapping.pop("FilterCriteria", None)
        if request["FilterCriteria"].get("Filters"):
            mapping["FilterCriteria"] = request["FilterCriteria"]


def check(mapping: Mapping[str, Any], made: Mapping[str, Any], function: str) -> None:
    """``made``: the function's configuration. Raises Refused."""
    if set(mapping["FunctionResponseTypes"]) - {"ReportBatchItemFailures"}:
        rule = "satisfy enum value set: [ReportBatchItemFailures]"
        raise constrained(mapping["FunctionResponseTypes"], "functionResponseTypes", rule)
    if is_queue(mapping):
        _check_queue(mapping, made, function)
    else:
        _check_stream(mapping, made, function)


def _check_queue(mapping: Mapping[str, Any], made: Mapping[str, Any], function: str) -> None:
    _, _, _, region, account, name = mapping["EventSourceArn"].split(":", 5)
    fifo, window = name.endswith(".fifo"), mapping["MaximumBatchingWindowInSeconds"]
    if fifo and window:
        raise invalid("Batching window is not supported for FIFO queues.")
    if fifo and mapping["BatchSize"] > 10:
        raise invalid("BatchSize must not be greater than 10 for FIFO queues.")
    if mapping["BatchSize"] > 10 and not window:
        raise invalid("Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10")
    for action in SQS_ACTIONS:
        if roles.refusal(made["Role"], function, f"sqs:{action.lower()}", mapping["EventSourceArn"]):
            raise invalid(f"The provided execution role does not have permissions to call {action} on SQS")
    queue = sqs_backends[account][region].queues.get(name)
    if queue is None:
        raise invalid(
            "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. "
            "SQS Error Message: The specified queue does not exist."
        )
    if int(queue.visibility_timeout) < made["Timeout"]:
        raise invalid(
            f"Queue visibility timeout: {int(queue.visibility_timeout)} seconds is less than "
            f"Function timeout: {made['Timeout']} seconds"
        )
    most = (mapping.get("ScalingConfig") or {}).get("MaximumConcurrency")
    if most is not None and not 2 <= most <= 1000:
        refusal = constraint.between(most, "scalingConfig.maximumConcurrency", 2, 1000)
        raise Refused("ValidationException", str(refusal))


def _check_stream(mapping: Mapping[str, Any], made: Mapping[str, Any], function: str) -> None:
    arn, position = mapping["EventSourceArn"], mapping["StartingPosition"]
    if not position:
        raise invalid(
            "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must "
            "not be null."
        )
    if position not in POSITIONS:
        raise constrained(position, "startingPosition", f"satisfy enum value set: [{', '.join(POSITIONS)}]")
    if position == "AT_TIMESTAMP":
        raise invalid(f"Unsupported starting position for arn type: {arn}")
    if mapping["TumblingWindowInSeconds"]:
        raise unsupported("TumblingWindowInSeconds")
    if mapping["ParallelizationFactor"] > 1:
        raise unsupported("a ParallelizationFactor above 1")
    if mapping["BatchSize"] > 10_000 or 0 <= mapping["MaximumRecordAgeInSeconds"] < 60:
        raise constrained(
            mapping["MaximumRecordAgeInSeconds"],
            "maximumRecordAgeInSeconds",
            "be -1, or have value greater than or equal to 60",
        )
    if mapping.get("ScalingConfig"):
        raise invalid("ScalingConfig is not supported for the given event source mapping type.")
    if any(roles.refusal(made["Role"], function, f"dynamodb:{action}", arn) for action in STREAM_ACTIONS[:-1]):
        raise invalid(
            f"Cannot access stream {arn}. Please ensure the role can perform the GetRecords, GetShardIterator, "
            "DescribeStream, and ListStreams Actions on your stream in IAM."
        )
    if shard_of(arn) is None:
        raise invalid(f"Stream not found: {arn}")
    destination = ((mapping.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination")
    if destination:
        service = destination.split(":")[2]
        if service not in ("sqs", "sns"):
            raise unsupported(f"an on-failure destination of {service}")
        action, told = ACTIONS[service]
        if roles.refusal(made["Role"], function, action.lower(), destination):
            raise invalid(f"The function's execution role does not have permissions to call {told}.")


def shard_of(stream_arn: str) -> Any:
    """moto's shard of a table's stream, as long as it is that one and on; else None."""
    _, _, _, region, account, name = stream_arn.split(":", 5)
    table_name, _, label = name.removeprefix("table/").partition("/stream/")
    table = dynamodb_backends[account][region].tables.get(table_name)
    return table.stream_shard if table is not None and table.latest_stream_label == label else None
