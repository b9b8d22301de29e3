"""What a call needs: every action with its resource and condition keys (Service Authorization Reference).

An operation that is not in these tables is never let through for a role: ``checks`` returns None.
"""

from __future__ import annotations

from collections.abc import Callable

from lakectl.local import services
from lakectl.local.iam import needs_beside, needs_dynamodb, needs_glue, needs_lambda, needs_s3, roles
from lakectl.local.iam.calls import Call
from lakectl.local.iam.evaluator import Check

FREE = {("sts", "GetCallerIdentity"), ("sts", "GetSessionToken")}  # need no permission, and no policy can deny them


def checks(call: Call, account: str) -> list[Check] | None:
    """The checks that must all pass; none for what is free; None for an operation that is not known here."""
    if (call.service, call.operation) in FREE:
        return []
    found = _own(call, account)
    return None if found is None else found + needs_beside.checks(call, found, account)


def _own(call: Call, account: str) -> list[Check] | None:
    if call.service == "s3":
        return needs_s3.checks(dict(call.parameters)) if call.address is not None else None
    find = SERVICES.get(call.service)
    return find(call, f"arn:aws:{call.service}:{call.region}:{account}") if find else None


def context(call: Call) -> dict[str, tuple[str, ...]]:
    """The condition keys that the call bears, whoever makes it."""
    found = {"aws:requestedregion": (call.region,)} | needs_beside.context(call)
    if call.service == "s3" and call.address is not None:
        return found | needs_s3.context(dict(call.parameters))
    if call.service == "cloudwatch" and "Namespace" in call.parameters:
        found["cloudwatch:namespace"] = (str(call.parameters["Namespace"]),)
    if call.service == "sts":
        named = {"sts:externalid": "ExternalId", "sts:rolesessionname": "RoleSessionName"}
        found |= {key: (str(call.parameters[name]),) for key, name in named.items() if name in call.parameters}
    return found


def _sqs(call: Call, prefix: str) -> list[Check] | None:
    if call.operation not in SQS:
        return None
    action = SQS[call.operation] or call.operation
    name = str(call.parameters.get("QueueName") or call.parameters.get("QueueUrl", "")).rpartition("/")[2]
    # SQS writes its actions in lower case when it refuses them.
    return [Check(f"sqs:{action.lower()}", f"{prefix}:{name or '*'}")]


# operation → the action that it needs; empty: one of its own name
SQS = {
    "SendMessageBatch": "SendMessage",
    "DeleteMessageBatch": "DeleteMessage",
    "ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
} | dict.fromkeys(
    ("SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "CreateQueue", "DeleteQueue")
    + ("GetQueueAttributes", "SetQueueAttributes", "GetQueueUrl", "ListQueues", "PurgeQueue", "TagQueue")
    + ("UntagQueue", "ListQueueTags", "AddPermission", "RemovePermission", "ListDeadLetterSourceQueues"),
    "",
)

LOG_STREAMS = {"CreateLogStream", "DeleteLogStream", "PutLogEvents", "GetLogEvents"}
LOG_GROUPS = {"CreateLogGroup", "DeleteLogGroup", "DescribeLogStreams", "FilterLogEvents", "PutRetentionPolicy"} | {
    "DeleteRetentionPolicy",
    "ListTagsLogGroup",
    "TagLogGroup",
    "UntagLogGroup",
    "DescribeLogGroups",
    "PutSubscriptionFilter",
    "DeleteSubscriptionFilter",
}


def _logs(call: Call, prefix: str) -> list[Check] | None:
    parameters = call.parameters
    if call.operation in ("ListTagsForResource", "TagResource", "UntagResource"):
        return [Check(f"logs:{call.operation}", str(parameters.get("resourceArn", "*")))]
    if call.operation not in LOG_STREAMS | LOG_GROUPS:
        return None
    group = parameters.get("logGroupName") or str(parameters.get("logGroupIdentifier", "")).partition(":log-group:")[2]
    stream = parameters.get("logStreamName", "") if call.operation in LOG_STREAMS else ""
    # CloudWatch Logs asks for a group as "...:log-stream:", with nothing after it.
    return [Check(f"logs:{call.operation}", f"{prefix}:log-group:{group}:log-stream:{stream}")]


RULES = {"PutRule", "DeleteRule", "DescribeRule", "EnableRule", "DisableRule", "PutTargets", "RemoveTargets"}


def _events(call: Call, prefix: str) -> list[Check] | None:
    parameters = call.parameters
    if call.operation == "PutEvents":
        buses = {str(entry.get("EventBusName") or "default") for entry in parameters.get("Entries", [])}
        arns = [bus if bus.startswith("arn:") else f"{prefix}:event-bus/{bus}" for bus in sorted(buses)]
        return [Check("events:PutEvents", arn) for arn in arns]
    if call.operation in RULES or call.operation == "ListTargetsByRule":
        name = parameters.get("Name") or parameters.get("Rule")
        bus = str(parameters.get("EventBusName") or "default")
        return [Check(f"events:{call.operation}", f"{prefix}:rule/{name if bus == 'default' else f'{bus}/{name}'}")]
    if call.operation in ("ListRules", "ListEventBuses", "TestEventPattern"):
        return [Check(f"events:{call.operation}", "*")]
    if call.operation in ("ListTagsForResource", "TagResource", "UntagResource"):
        return [Check(f"events:{call.operation}", str(parameters.get("ResourceARN")))]
    return None


# By the type of resource that the Service Authorization Reference gives them; all have one.
ATHENA = {"StartQueryExecution", "ListQueryExecutions", "CreateNamedQuery", "ListNamedQueries", "GetWorkGroup"} | {
    "UpdateWorkGroup",
    "DeleteWorkGroup",
    "CreateWorkGroup",
    "CreatePreparedStatement",
    "GetPreparedStatement",
    "BatchGetPreparedStatement",
    "ListPreparedStatements",
    "UpdatePreparedStatement",
    "DeletePreparedStatement",
}
ATHENA_BY_ID = {"GetQueryExecution", "GetQueryResults", "StopQueryExecution", "GetQueryRuntimeStatistics"}
ATHENA_NAMED_QUERY = {"GetNamedQuery", "UpdateNamedQuery", "DeleteNamedQuery"}
ATHENA_BATCHES = {"BatchGetQueryExecution": "QueryExecutionIds", "BatchGetNamedQuery": "NamedQueryIds"}
ATHENA_CATALOG = {"GetDataCatalog", "ListDatabases", "GetDatabase", "ListTableMetadata", "GetTableMetadata"}
ATHENA_TAGS = {"TagResource", "UntagResource", "ListTagsForResource"}


def _athena(call: Call, prefix: str) -> list[Check] | None:
    parameters = call.parameters
    if call.operation in ATHENA:
        named = parameters.get("Name") if call.operation == "CreateWorkGroup" else None
        group = parameters.get("WorkGroup") or named or "primary"
        return [Check(f"athena:{call.operation}", f"{prefix}:workgroup/{group}")]
    if call.operation in ATHENA_BY_ID:
        name = services.workgroup_of(str(parameters.get("QueryExecutionId")), call.region) or "*"
        return [Check(f"athena:{call.operation}", f"{prefix}:workgroup/{name}")]
    action = f"athena:{call.operation}"
    if call.operation in ATHENA_NAMED_QUERY:
        found = services.workgroup_of_named_query(str(parameters.get("NamedQueryId")), call.region)
        return [Check(action, f"{prefix}:workgroup/{found or '*'}")]
    if call.operation in ATHENA_BATCHES:
        queries = call.operation == "BatchGetQueryExecution"
        find = services.workgroup_of if queries else services.workgroup_of_named_query
        ids = parameters.get(ATHENA_BATCHES[call.operation]) or []
        names = sorted({find(str(each), call.region) or "*" for each in ids if isinstance(each, str)}) or ["*"]
        return [Check(action, f"{prefix}:workgroup/{name}") for name in names]
    if call.operation in ATHENA_CATALOG:
        catalog = parameters.get("CatalogName") or parameters.get("Name") or "AwsDataCatalog"
        return [Check(action, f"{prefix}:datacatalog/{catalog}")]
    if call.operation in ATHENA_TAGS:
        return [Check(action, str(parameters.get("ResourceARN")))]
    if call.operation in ("ListWorkGroups", "ListDataCatalogs", "ListEngineVersions"):
        return [Check(action, "*")]
    return None


def _cloudwatch(call: Call, prefix: str) -> list[Check] | None:
    if call.operation in ("PutMetricData", "GetMetricData", "GetMetricStatistics", "ListMetrics"):
        return [Check(f"cloudwatch:{call.operation}", "*")]
    if call.operation in ("PutMetricAlarm", "DescribeAlarms", "DeleteAlarms"):
        names = call.parameters.get("AlarmNames") or [call.parameters.get("AlarmName", "*")]
        return [Check(f"cloudwatch:{call.operation}", f"{prefix}:alarm:{name}") for name in names]
    return None


def _iam(call: Call, prefix: str) -> list[Check] | None:
    account = prefix.rpartition(":")[2]
    if "InstanceProfileName" in call.parameters:
        return None
    for parameter, kind in (("RoleName", "role"), ("UserName", "user"), ("GroupName", "group")):
        if parameter in call.parameters:
            name = str(call.parameters[parameter])
            path = str(call.parameters.get("Path", "/"))
            role = roles.find_role(name, account) if kind == "role" else None
            arn = role.arn if role is not None else f"arn:aws:iam::{account}:{kind}{path}{name}"
            return [Check(f"iam:{call.operation}", arn)]
    if "PolicyArn" in call.parameters:
        return [Check(f"iam:{call.operation}", str(call.parameters["PolicyArn"]))]
    return [Check(f"iam:{call.operation}", "*")] if call.operation.startswith(("List", "Get")) else None


def _sts(call: Call, prefix: str) -> list[Check] | None:  # noqa: ARG001 - all are called alike
    if call.operation == "AssumeRole":
        return [Check("sts:AssumeRole", str(call.parameters.get("RoleArn")))]
    return None


SERVICES: dict[str, Callable[[Call, str], list[Check] | None]] = {
    "athena": _athena,
    "cloudwatch": _cloudwatch,
    "dynamodb": needs_dynamodb.checks,
    "events": _events,
    "glue": needs_glue.checks,
    "iam": _iam,
    "lambda": needs_lambda.checks,
    "logs": _logs,
    "sqs": _sqs,
    "sts": _sts,
}
