"""DynamoDB and SQS."""

from __future__ import annotations

from typing import Any

from lakectl.contract.sources import both, model, page, recorded, reported, verified
from lakectl.contract.table import Call, Row, call, ref, refused

TESTS = "dynamodb/test_dynamodb.snapshot.json"
TRANSACTIONS = "test_dynamodb/exceptions/test_dynamodb_transactions.py"
# "ValidationException ... a required parameter that is missing, a value that is out of range, or mismatched types"
ERRORS = page("https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html")
ATTRIBUTES = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")]
SCHEMA = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
DEFINITION: dict[str, Any] = {
    "TableName": "t-<n>",
    "BillingMode": "PAY_PER_REQUEST",
    "KeySchema": SCHEMA,
    "AttributeDefinitions": ATTRIBUTES,
}
TABLE = call("dynamodb", "create_table", **DEFINITION)
KEY = {"pk": {"S": "p"}, "sk": {"S": "s"}}
PUT = {"Put": {"TableName": "t-<n>", "Item": KEY}}
FIRST_ONLY = {"ConditionExpression": "attribute_not_exists(pk)"}


def on_table(operation: str, **parameters: Any) -> tuple[Call, ...]:
    return (TABLE, call("dynamodb", operation, **parameters))


def put(item: dict[str, Any], **more: Any) -> tuple[Call, ...]:
    return on_table("put_item", TableName="t-<n>", Item=item, **more)


def update(expression: str, **more: Any) -> tuple[Call, ...]:
    values = {"ExpressionAttributeValues": {":s": {"S": "x"}}}
    return on_table("update_item", TableName="t-<n>", Key=KEY, UpdateExpression=expression, **(values | more))


def transact(*items: dict[str, Any]) -> tuple[Call, ...]:
    return on_table("transact_write_items", TransactItems=list(items))


def numbered(count: int) -> list[dict[str, Any]]:
    return [KEY | {"sk": {"S": str(number)}} for number in range(count)]


INVALID = refused("ValidationException", 400)
ONE_ITEM = refused("ValidationException", 0, "Transaction request cannot include multiple operations on one item")
NO_TABLE = refused("ResourceNotFoundException", 400, "Requested resource not found")
DYNAMODB_ROWS = [
    Row(
        "item-over-400-kb",
        put(KEY | {"a": {"S": "x" * 409_601}}),
        INVALID,
        both(ERRORS, model("dynamodb", "BatchWriteItem")),
    ),
    Row("item-without-sort-key", put({"pk": {"S": "p"}}), INVALID, both(ERRORS, model("dynamodb", "PutItem"))),
    Row("item-key-of-another-type", put(KEY | {"sk": {"N": "1"}}), INVALID, ERRORS),
    Row("item-key-empty", put(KEY | {"sk": {"S": ""}}), INVALID, both(model("dynamodb", "PutItem"), ERRORS)),
    Row(
        "partition-key-over-2048",
        put(KEY | {"pk": {"S": "x" * 2049}}),
        INVALID,
        both(ERRORS, model("dynamodb", "BatchWriteItem")),
    ),
    Row(
        "sort-key-over-1024",
        put(KEY | {"sk": {"S": "x" * 1025}}),
        INVALID,
        both(ERRORS, model("dynamodb", "BatchWriteItem")),
    ),
    Row(
        "condition-fails",
        (TABLE, *(call("dynamodb", "put_item", TableName="t-<n>", Item=KEY, **FIRST_ONLY),) * 2),
        refused("ConditionalCheckFailedException", 400),
        both(model("dynamodb", "PutItem", "ConditionalCheckFailedException"), ERRORS),
    ),
    Row(
        "transaction-of-101",
        transact(*({"Put": {"TableName": "t-<n>", "Item": item}} for item in numbered(101))),
        INVALID,
        both(model("dynamodb", "TransactWriteItemList"), ERRORS),
    ),
    Row(
        "transaction-puts-and-deletes-one-item",
        transact(PUT, {"Delete": {"TableName": "t-<n>", "Key": KEY}}),
        ONE_ITEM,
        verified(TRANSACTIONS, "test_transact_write_items__put_and_delete_on_same_item"),
    ),
    Row(
        "transaction-one-item-in-another-order-of-keys",
        transact(PUT, {"Delete": {"TableName": "t-<n>", "Key": {"sk": {"S": "s"}, "pk": {"S": "p"}}}}),
        ONE_ITEM,
        verified(TRANSACTIONS, "test_transact_write_items__put_and_delete_with_different_key_order"),
    ),
    Row(
        "transaction-with-an-empty-key",
        transact(
            {
                "Update": {
                    "TableName": "t-<n>",
                    "Key": KEY | {"pk": {"S": ""}},
                    "UpdateExpression": "SET sth = :v",
                    "ExpressionAttributeValues": {":v": {"N": "0"}},
                }
            }
        ),
        refused(
            "ValidationException",
            0,
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an "
            "empty string value. Key: pk",
        ),
        verified(TRANSACTIONS, "test_transaction_with_empty_key"),
    ),
    Row(
        "transaction-with-no-values",
        transact({"Put": PUT["Put"] | FIRST_ONLY | {"ExpressionAttributeValues": {}}}),
        refused("ValidationException", 0, "ExpressionAttributeValues must not be empty"),
        verified(TRANSACTIONS, "test_transact_write_items__empty_expr_attr_values"),
    ),
    Row(
        "transaction-cancelled",
        (
            TABLE,
            call("dynamodb", "put_item", TableName="t-<n>", Item=KEY),
            call(
                "dynamodb",
                "transact_write_items",
                TransactItems=[
                    {"Put": PUT["Put"] | FIRST_ONLY},
                    {"Put": {"TableName": "t-<n>", "Item": KEY | {"sk": {"S": "2"}}}},
                ],
            ),
        ),
        refused(
            "TransactionCanceledException",
            0,
            "Transaction cancelled, please refer cancellation reasons for specific reasons "
            "[ConditionalCheckFailed, None]",
        ),
        recorded(TESTS, "TestDynamoDB::test_transaction_write_canceled"),
    ),
    Row(
        "transaction-on-no-table",
        (call("dynamodb", "transact_write_items", TransactItems=[PUT]),),
        NO_TABLE,
        recorded(TESTS, "TestDynamoDB::test_batch_write_not_existing_table"),
    ),
    Row(
        "batch-of-26",
        on_table("batch_write_item", RequestItems={"t-<n>": [{"PutRequest": {"Item": each}} for each in numbered(26)]}),
        INVALID,
        both(model("dynamodb", "WriteRequests", "BatchWriteItem"), ERRORS),
    ),
    Row(
        "batch-with-an-item-of-another-key",
        on_table("batch_write_item", RequestItems={"t-<n>": [{"PutRequest": {"Item": {"other": {"S": "x"}}}}]}),
        refused("ValidationException", 0, "The provided key element does not match the schema"),
        recorded(TESTS, "TestDynamoDB::test_batch_write_not_matching_schema"),
    ),
    Row(
        "table-twice",
        (TABLE, TABLE),
        refused("ResourceInUseException", 0, "Table already exists: t-<n>"),
        recorded(TESTS, "TestDynamoDB::test_create_duplicate_table"),
    ),
    Row(
        "table-absent",
        (call("dynamodb", "describe_table", TableName="absent-<n>"),),
        refused("ResourceNotFoundException"),
        model("dynamodb", "DescribeTable", "ResourceNotFoundException"),
    ),
    Row(
        "table-name-two-characters",
        (call("dynamodb", "create_table", **(DEFINITION | {"TableName": "ab"})),),
        INVALID,
        both(model("dynamodb", "TableName"), ERRORS),
    ),
    Row(
        "table-on-demand-with-capacity",
        (
            call(
                "dynamodb",
                "create_table",
                **DEFINITION,
                ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
            ),
        ),
        refused(
            "ValidationException",
            0,
            "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST",
        ),
        recorded(TESTS, "TestDynamoDB::test_dynamodb_pay_per_request"),
    ),
]

SQS_TESTS = "sqs/test_sqs.snapshot.json"
ATTRIBUTE_VALUES = model("sqs", "CreateQueue", "InvalidAttributeValue")


def queue(**attributes: str) -> Call:
    return call("sqs", "create_queue", QueueName="q-<n>", Attributes=attributes)


def on_queue(operation: str, **parameters: Any) -> tuple[Call, ...]:
    return (queue(), call("sqs", operation, QueueUrl=ref(0, "QueueUrl"), **parameters))


SQS_ROWS = [
    Row(
        "queue-visibility-43201",
        (queue(VisibilityTimeout="43201"),),
        refused("InvalidAttributeValue"),
        ATTRIBUTE_VALUES,
    ),
    Row(
        "queue-retention-59", (queue(MessageRetentionPeriod="59"),), refused("InvalidAttributeValue"), ATTRIBUTE_VALUES
    ),
    Row("queue-delay-901", (queue(DelaySeconds="901"),), refused("InvalidAttributeValue"), ATTRIBUTE_VALUES),
    Row(
        "queue-again-with-other-attributes",
        (queue(), queue(DelaySeconds="5")),
        refused(
            "QueueAlreadyExists",
            0,
            "A queue already exists with the same name and a different value for attribute DelaySeconds",
        ),
        recorded(SQS_TESTS, "TestSqsProvider::test_create_queue_with_different_attributes_raises_exception"),
    ),
    Row(
        "queue-again-within-60-seconds",
        (queue(), call("sqs", "delete_queue", QueueUrl=ref(0, "QueueUrl")), queue()),
        refused("AWS.SimpleQueueService.QueueDeletedRecently"),
        model("sqs", "CreateQueue", "QueueDeletedRecently"),
        differs="a lake torn down and set up again would wait a minute here for nothing",
    ),
    Row(
        "queue-absent",
        (call("sqs", "get_queue_url", QueueName="absent-<n>"),),
        refused("AWS.SimpleQueueService.NonExistentQueue", 400),
        reported("softwaremill/elasticmq#825", "php-enqueue/enqueue-dev#685"),
    ),
    Row(
        "receive-11",
        on_queue("receive_message", MaxNumberOfMessages=11),
        refused(
            "InvalidParameterValue",
            400,
            "Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.",
        ),
        recorded(SQS_TESTS, "TestSqsProvider::test_send_receive_max_number_of_messages"),
    ),
    Row(
        "send-20-at-once",
        on_queue("send_message_batch", Entries=[{"Id": str(number), "MessageBody": "m"} for number in range(20)]),
        refused(
            "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
            400,
            "Maximum number of entries per request are 10. You have sent 20.",
        ),
        recorded(SQS_TESTS, "TestSqsProvider::test_too_many_entries_in_batch_request"),
    ),
    Row(
        "send-with-an-id-of-other-letters",
        on_queue("send_message_batch", Entries=[{"Id": "invalid:id", "MessageBody": "m"}]),
        refused(
            "AWS.SimpleQueueService.InvalidBatchEntryId",
            400,
            "A batch entry id can only contain alphanumeric characters, hyphens and underscores. "
            "It can be at most 80 letters long.",
        ),
        recorded(SQS_TESTS, "TestSqsProvider::test_invalid_batch_id"),
    ),
]

ROWS = [*DYNAMODB_ROWS, *SQS_ROWS]
