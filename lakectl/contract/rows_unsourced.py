"""Answers of the endpoint for which no source was found that shows AWS's. Not counted, and not asked of others.

They hold what the endpoint does today. Whoever finds AWS's answer moves the row to the others, with its source, and
changes the endpoint where it differs; `pytest tests/contract --aws` asks an account. What is known is beside the rows.
"""

from __future__ import annotations

from lakectl.contract.rows_access import policy, statement
from lakectl.contract.rows_compute import JOB_DEFINITION, job
from lakectl.contract.rows_data import put, update
from lakectl.contract.rows_events import scheduled
from lakectl.contract.rows_lambda import LAMBDA_ROLE, function
from lakectl.contract.rows_s3 import on_bucket
from lakectl.contract.rows_s3_conditions import notified
from lakectl.contract.table import ACCOUNT, REGION, Row, accepted, call, refused

TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:absent-<n>"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:absent-<n>"
SERVICES = [
    # The API model allows 5400 s and 32768 MB now, for managed instances; other functions have 900 s and 10240 MB.
    Row("function-timeout-901", function(Timeout=901), refused("ValidationException", 400, "timeout")),
    Row("function-memory-10241", function(MemorySize=10241), refused("ValidationException", 400, "memorySize")),
    Row("function-runtime-unknown", function(Runtime="python9.9"), refused("InvalidParameterValueException", 400)),
    Row(
        "function-not-a-zip", function(Code={"ZipFile": b"no"}), refused("InvalidParameterValueException", 400, "unzip")
    ),
    Row(
        "notification-of-no-event",
        notified(QueueConfigurations=[{"QueueArn": QUEUE, "Events": ["s3:ObjectEaten"]}]),
        refused("InvalidArgument", 400),
    ),
    Row(
        "notification-to-no-topic",
        notified(TopicConfigurations=[{"TopicArn": TOPIC, "Events": ["s3:ObjectCreated:*"]}]),
        refused("InvalidArgument", 400, "Unable to validate the following destination configurations"),
    ),
    # No answer has more than 1,000 keys; what it then says of MaxKeys was not found.
    Row("list-more-than-1000", on_bucket("list_objects_v2", MaxKeys=5000), accepted(MaxKeys=1000)),
    Row("schedule-five-fields", scheduled("cron(15 1 * * ?)"), refused("ValidationException", 400)),
    Row("delete-no-keys", on_bucket("delete_objects", Delete={"Objects": []}), refused("MalformedXML", 400)),
    Row("rule-of-nothing", (call("events", "put_rule", Name="e-<n>"),), refused("ValidationException", 400)),
    Row(
        "queue-name-with-a-space",
        (call("sqs", "create_queue", QueueName="q <n>"),),
        refused("InvalidParameterValue", 400),
    ),
    Row(
        "policy-of-no-version",
        policy('{"Version": "2020-01-01", "Statement": []}'),
        refused("MalformedPolicyDocument", 400),
    ),
    Row(
        "policy-action-without-a-service",
        policy(statement(Action="GetObject", Resource="*")),
        refused("MalformedPolicyDocument", 400),
    ),
    # The wording of these three is moto's; that they are refused is sure.
    Row(
        "expression-with-a-reserved-word",
        update("SET status = :s"),
        refused("ValidationException", 400, "reserved keyword"),
    ),
    Row(
        "update-of-a-key",
        update("SET sk = :s"),
        refused("ValidationException", 400, "This attribute is part of the key"),
    ),
    Row(
        "expression-value-unused",
        put(
            {"pk": {"S": "p"}, "sk": {"S": "s"}},
            ConditionExpression="attribute_not_exists(pk)",
            ExpressionAttributeValues={":u": {"S": "x"}},
        ),
        refused("ValidationException", 400, "unused in expressions"),
    ),
]

# AWS's troubleshooting page has the role's refusal as a job RUN's failure, so CreateJob may well take any role. Of
# values outside the API model it is not known whether Glue says InvalidInputException or ValidationException.
INVALID = refused("InvalidInputException", 400)
# What the API model says; an issue shows the code for another constraint (moj-analytical-services/etl_manager#90).
CHECKED = refused("ValidationException", 400)
GLUE = [
    Row("job-role-absent", job(Role=f"arn:aws:iam::{ACCOUNT}:role/absent-<n>"), INVALID),
    Row("job-role-trusts-another-service", (LAMBDA_ROLE, call("glue", "create_job", **JOB_DEFINITION)), INVALID),
    Row("job-version-unknown", job(GlueVersion="9.9"), INVALID),
    Row("job-worker-type-unknown", job(WorkerType="G.3X"), CHECKED),
    Row("job-workers-1", job(NumberOfWorkers=1), INVALID),
    Row("job-without-role", job(Role=None), CHECKED),
    Row("job-timeout-0", job(Timeout=0), CHECKED),
    Row("job-tags-51", job(Tags={f"k{number}": "" for number in range(51)}), INVALID),
    Row(
        "job-same-name-other-definition",
        (*job(), *job(Timeout=7)[1:]),
        refused("IdempotentParameterMismatchException", 400),
    ),
    Row("database-name-256", (call("glue", "create_database", DatabaseInput={"Name": "d" * 256}),), INVALID),
]

ROWS = [*SERVICES, *GLUE]
