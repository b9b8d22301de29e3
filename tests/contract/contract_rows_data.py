"""EventBridge, DynamoDB, SQS."""

from __future__ import annotations

from contract_table import Call, Row, accepted, call, ref, refused

EVENTS = "https://docs.aws.amazon.com/eventbridge/latest/APIReference/"
EVENTS_GUIDE = "https://docs.aws.amazon.com/eventbridge/latest/userguide/"
SCHEDULES = EVENTS_GUIDE + "eb-scheduled-rule-pattern.html"
PATTERNS = EVENTS_GUIDE + "eb-event-patterns.html"
DYNAMODB = "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/"
DYNAMODB_LIMITS = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html"
SQS = "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/"
QUEUE = "arn:aws:sqs:eu-west-1:123456789012:q"


def scheduled(expression: str) -> tuple[Call, ...]:
    return (call("events", "put_rule", Name="e-<n>", ScheduleExpression=expression),)


def matching(pattern: str) -> tuple[Call, ...]:
    return (call("events", "put_rule", Name="e-<n>", EventPattern=pattern),)


NOT_VALID = refused("ValidationException", 400, "Parameter ScheduleExpression is not valid.")
BAD_PATTERN = refused("InvalidEventPatternException", 400, "Event pattern is not valid")
EVENT_ROWS = [
    Row("schedule-five-fields", scheduled("cron(15 1 * * ?)"), NOT_VALID, SCHEDULES),
    Row("schedule-both-days", scheduled("cron(15 1 1 * 1 *)"), NOT_VALID, SCHEDULES),
    Row("schedule-minute-60", scheduled("cron(60 1 * * ? *)"), NOT_VALID, SCHEDULES),
    Row("schedule-rate-1-minutes", scheduled("rate(1 minutes)"), NOT_VALID, SCHEDULES),
    Row("schedule-rate-5-minute", scheduled("rate(5 minute)"), NOT_VALID, SCHEDULES),
    Row("schedule-rate-0", scheduled("rate(0 minutes)"), NOT_VALID, SCHEDULES),
    Row("schedule-six-fields", scheduled("cron(15 1 * * ? *)"), accepted(), SCHEDULES),
    Row("pattern-no-json", matching("{"), BAD_PATTERN, PATTERNS),
    Row("pattern-value-not-in-a-list", matching('{"source": "aws.s3"}'), BAD_PATTERN, PATTERNS),
    Row("pattern-unknown-comparison", matching('{"source": [{"like": "a"}]}'), BAD_PATTERN, PATTERNS),
    Row("pattern-empty-list", matching('{"source": []}'), BAD_PATTERN, PATTERNS),
    Row(
        "rule-of-nothing",
        (call("events", "put_rule", Name="e-<n>"),),
        refused("ValidationException", 400),
        EVENTS + "API_PutRule.html",
    ),
    Row(
        "rule-name-65",
        (call("events", "put_rule", Name="e" * 65, ScheduleExpression="rate(1 day)"),),
        refused("ValidationException", 400),
        EVENTS + "API_PutRule.html",
    ),
    Row(
        "rule-with-targets-deleted",
        (
            *scheduled("rate(1 day)"),
            call("events", "put_targets", Rule="e-<n>", Targets=[{"Id": "1", "Arn": QUEUE}]),
            call("events", "delete_rule", Name="e-<n>"),
        ),
        refused("ValidationException", 400, "Rule can't be deleted since it has targets."),
        EVENTS + "API_DeleteRule.html",
    ),
    Row(
        "targets-of-no-rule",
        (call("events", "put_targets", Rule="absent-<n>", Targets=[{"Id": "1", "Arn": QUEUE}]),),
        refused("ResourceNotFoundException", 400),
        EVENTS + "API_PutTargets.html",
    ),
    Row(
        "targets-6",
        (
            *scheduled("rate(1 day)"),
            call(
                "events",
                "put_targets",
                Rule="e-<n>",
                Targets=[{"Id": str(number), "Arn": f"{QUEUE}{number}"} for number in range(6)],
            ),
        ),
        refused("LimitExceededException", 400),
        EVENTS_GUIDE + "eb-quota.html",
    ),
    Row(
        "rule-absent",
        (call("events", "describe_rule", Name="absent-<n>"),),
        refused("ResourceNotFoundException", 400),
        EVENTS + "API_DescribeRule.html",
    ),
    Row(
        "events-11",
        (
            call(
                "events", "put_events", Entries=[{"Source": "a", "DetailType": "b", "Detail": "{}"} for _ in range(11)]
            ),
        ),
        refused("ValidationException", 400),
        EVENTS + "API_PutEvents.html",
    ),
    Row(
        "event-of-aws-itself",
        (call("events", "put_events", Entries=[{"Source": "aws.s3", "DetailType": "b", "Detail": "{}"}]),),
        accepted(FailedEntryCount=1, Entries__0__ErrorCode="NotAuthorizedForSourceException"),
        EVENTS + "API_PutEventsResultEntry.html",
    ),
    Row(
        "event-detail-no-json",
        (call("events", "put_events", Entries=[{"Source": "a", "DetailType": "b", "Detail": "no"}]),),
        accepted(FailedEntryCount=1, Entries__0__ErrorCode="MalformedDetail"),
        EVENTS + "API_PutEventsResultEntry.html",
    ),
]

TABLE = call(
    "dynamodb",
    "create_table",
    TableName="t-<n>",
    BillingMode="PAY_PER_REQUEST",
    KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "sk", "AttributeType": "S"}],
)
KEY = {"pk": {"S": "p"}, "sk": {"S": "s"}}
PUT = {"Put": {"TableName": "t-<n>", "Item": KEY}}


def on_table(operation: str, **parameters: object) -> tuple[Call, ...]:
    return (TABLE, call("dynamodb", operation, **parameters))


def put(item: dict[str, object], **more: object) -> tuple[Call, ...]:
    return on_table("put_item", TableName="t-<n>", Item=item, **more)


INVALID = "ValidationException"
DYNAMODB_ROWS = [
    Row(
        "item-over-400-kb",
        put(KEY | {"a": {"S": "x" * 409_601}}),
        refused(INVALID, 400, "Item size has exceeded the maximum allowed size"),
        DYNAMODB_LIMITS,
    ),
    Row(
        "item-without-sort-key",
        put({"pk": {"S": "p"}}),
        refused(INVALID, 400, "Missing the key sk in the item"),
        DYNAMODB + "API_PutItem.html",
    ),
    Row(
        "item-key-of-another-type",
        put(KEY | {"sk": {"N": "1"}}),
        refused(INVALID, 400, "Type mismatch for key sk"),
        DYNAMODB + "API_PutItem.html",
    ),
    Row("item-key-empty", put(KEY | {"sk": {"S": ""}}), refused(INVALID, 400, "empty string value"), DYNAMODB_LIMITS),
    Row(
        "partition-key-over-2048",
        put(KEY | {"pk": {"S": "x" * 2049}}),
        refused(INVALID, 400, "2048 bytes"),
        DYNAMODB_LIMITS,
    ),
    Row(
        "sort-key-over-1024", put(KEY | {"sk": {"S": "x" * 1025}}), refused(INVALID, 400, "1024 bytes"), DYNAMODB_LIMITS
    ),
    Row(
        "expression-with-a-reserved-word",
        on_table(
            "update_item",
            TableName="t-<n>",
            Key=KEY,
            UpdateExpression="SET status = :s",
            ExpressionAttributeValues={":s": {"S": "x"}},
        ),
        refused(INVALID, 400, "Attribute name is a reserved keyword; reserved keyword: status"),
        "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html",
    ),
    Row(
        "update-of-a-key",
        on_table(
            "update_item",
            TableName="t-<n>",
            Key=KEY,
            UpdateExpression="SET sk = :s",
            ExpressionAttributeValues={":s": {"S": "x"}},
        ),
        refused(INVALID, 400, "This attribute is part of the key"),
        DYNAMODB + "API_UpdateItem.html",
    ),
    Row(
        "expression-value-unused",
        put(KEY, ConditionExpression="attribute_not_exists(pk)", ExpressionAttributeValues={":u": {"S": "x"}}),
        refused(INVALID, 400, "unused in expressions"),
        DYNAMODB + "API_PutItem.html",
    ),
    Row(
        "condition-fails",
        (
            TABLE,
            *(
                call(
                    "dynamodb", "put_item", TableName="t-<n>", Item=KEY, ConditionExpression="attribute_not_exists(pk)"
                ),
            )
            * 2,
        ),
        refused("ConditionalCheckFailedException", 400, "The conditional request failed"),
        DYNAMODB + "API_PutItem.html",
    ),
    Row(
        "transaction-of-101",
        on_table(
            "transact_write_items",
            TransactItems=[
                {"Put": {"TableName": "t-<n>", "Item": KEY | {"sk": {"S": str(number)}}}} for number in range(101)
            ],
        ),
        refused(INVALID, 400, "less than or equal to 100"),
        DYNAMODB + "API_TransactWriteItems.html",
    ),
    Row(
        "transaction-same-item-twice",
        on_table("transact_write_items", TransactItems=[PUT, PUT]),
        refused(INVALID, 400, "cannot include multiple operations on one item"),
        DYNAMODB + "API_TransactWriteItems.html",
    ),
    Row(
        "transaction-cancelled",
        (
            TABLE,
            call("dynamodb", "put_item", TableName="t-<n>", Item=KEY),
            call(
                "dynamodb",
                "transact_write_items",
                TransactItems=[{"Put": PUT["Put"] | {"ConditionExpression": "attribute_not_exists(pk)"}}],
            ),
        ),
        refused("TransactionCanceledException", 400, "[ConditionalCheckFailed]"),
        DYNAMODB + "API_TransactWriteItems.html",
    ),
    Row(
        "batch-of-26",
        on_table(
            "batch_write_item",
            RequestItems={
                "t-<n>": [{"PutRequest": {"Item": KEY | {"sk": {"S": str(number)}}}} for number in range(26)]
            },
        ),
        refused(INVALID, 400, "less than or equal to 25"),
        DYNAMODB + "API_BatchWriteItem.html",
    ),
    Row("table-twice", (TABLE, TABLE), refused("ResourceInUseException", 400), DYNAMODB + "API_CreateTable.html"),
    Row(
        "table-absent",
        (call("dynamodb", "describe_table", TableName="absent-<n>"),),
        refused("ResourceNotFoundException", 400, "Requested resource not found"),
        DYNAMODB + "API_DescribeTable.html",
    ),
    Row(
        "table-name-two-characters",
        (call("dynamodb", "create_table", **(TABLE.parameters | {"TableName": "ab"})),),
        refused(INVALID, 400),
        DYNAMODB_LIMITS,
    ),
]

SQS_ROWS = [
    Row(
        "queue-visibility-43201",
        (call("sqs", "create_queue", QueueName="q-<n>", Attributes={"VisibilityTimeout": "43201"}),),
        refused("InvalidAttributeValue", 400),
        SQS + "API_CreateQueue.html",
    ),
    Row(
        "queue-retention-59",
        (call("sqs", "create_queue", QueueName="q-<n>", Attributes={"MessageRetentionPeriod": "59"}),),
        refused("InvalidAttributeValue", 400),
        SQS + "API_CreateQueue.html",
    ),
    Row(
        "queue-delay-901",
        (call("sqs", "create_queue", QueueName="q-<n>", Attributes={"DelaySeconds": "901"}),),
        refused("InvalidAttributeValue", 400),
        SQS + "API_CreateQueue.html",
    ),
    Row(
        "queue-name-with-a-space",
        (call("sqs", "create_queue", QueueName="q <n>"),),
        refused("InvalidParameterValue", 400),
        SQS + "API_CreateQueue.html",
    ),
    Row(
        "queue-again-with-other-attributes",
        (
            call("sqs", "create_queue", QueueName="q-<n>"),
            call("sqs", "create_queue", QueueName="q-<n>", Attributes={"DelaySeconds": "5"}),
        ),
        refused("QueueAlreadyExists", 400),
        SQS + "API_CreateQueue.html",
    ),
    Row(
        "queue-again-within-60-seconds",
        (
            call("sqs", "create_queue", QueueName="q-<n>"),
            call("sqs", "delete_queue", QueueUrl=ref(0, "QueueUrl")),
            call("sqs", "create_queue", QueueName="q-<n>"),
        ),
        refused("AWS.SimpleQueueService.QueueDeletedRecently", 400),
        SQS + "API_DeleteQueue.html",
        differs="a lake torn down and set up again would wait a minute here for nothing",
    ),
    Row(
        "queue-absent",
        (call("sqs", "get_queue_url", QueueName="absent-<n>"),),
        refused("AWS.SimpleQueueService.NonExistentQueue", 400),
        SQS + "API_GetQueueUrl.html",
    ),
    Row(
        "receive-11",
        (
            call("sqs", "create_queue", QueueName="q-<n>"),
            call("sqs", "receive_message", QueueUrl=ref(0, "QueueUrl"), MaxNumberOfMessages=11),
        ),
        refused("InvalidParameterValue", 400),
        SQS + "API_ReceiveMessage.html",
    ),
]

ROWS = [*EVENT_ROWS, *DYNAMODB_ROWS, *SQS_ROWS]
