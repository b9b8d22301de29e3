"""What was under way when the server was killed goes on, or its end is told."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from local_helpers import RECORDER, kill, new_bucket, new_role, queue_arn, rules_may_send, until, zipped

from lakectl.local.athena import executions
from lakectl.local.athena.executions import WORKERS
from lakectl.local.glue_runtime import INTERRUPTED

Client = Callable[[str], Any]


def test_an_event_on_its_way_arrives_after_a_kill(aws: Client) -> None:
    """The function takes longer than the server has left to live; the put was acknowledged."""
    s3 = new_bucket(aws, "events-kept")
    url = aws("sqs").create_queue(QueueName="arrived")["QueueUrl"]
    role = new_role(aws("iam"), "slow", ("sqs:SendMessage", queue_arn("arrived")))
    code = "import time\ntime.sleep(1)\n" + RECORDER
    function = aws("lambda").create_function(
        FunctionName="slow",
        Role=role,
        Handler="handler.handler",
        Runtime="python3.12",
        Code={"ZipFile": zipped(code)},
        Timeout=20,
        Environment={"Variables": {"QUEUE_URL": url}},
    )["FunctionArn"]
    allow = {"FunctionName": "slow", "StatementId": "s3", "Action": "lambda:InvokeFunction"}
    aws("lambda").add_permission(**allow, Principal="s3.amazonaws.com", SourceArn="arn:aws:s3:::events-kept")
    configuration = {"LambdaFunctionArn": function, "Events": ["s3:ObjectCreated:*"]}
    s3.put_bucket_notification_configuration(
        Bucket="events-kept", NotificationConfiguration={"LambdaFunctionConfigurations": [configuration]}
    )
    s3.put_object(Bucket="events-kept", Key="k", Body=b"x")
    kill()

    sqs = aws("sqs")
    deadline = time.monotonic() + 20
    found: list[Any] = []
    while not found and time.monotonic() < deadline:
        found = sqs.receive_message(QueueUrl=url).get("Messages", [])
        time.sleep(0.1)
    assert json.loads(found[0]["Body"])["Records"][0]["s3"]["object"]["key"] == "k"


def test_a_glue_run_that_was_cut_off_has_failed_and_the_waiting_one_runs(aws: Client) -> None:
    s3 = new_bucket(aws, "cut-off")
    script = "import sys, time\ntime.sleep(float(sys.argv[sys.argv.index('--SECONDS') + 1]))\nprint('done')\n"
    s3.put_object(Bucket="cut-off", Key="script.py", Body=script.encode())
    new_role(aws("iam"), "cut-off", ("s3:GetObject", "arn:aws:s3:::cut-off/*"), service="glue")
    events, glue = aws("events"), aws("glue")
    url = aws("sqs").create_queue(QueueName="ends", Attributes={"Policy": rules_may_send(queue_arn("ends"))})[
        "QueueUrl"
    ]
    events.put_rule(Name="ends", EventPattern=json.dumps({"detail-type": ["Glue Job State Change"]}))
    events.put_targets(Rule="ends", Targets=[{"Id": "1", "Arn": queue_arn("ends")}])
    command = {"Name": "pythonshell", "ScriptLocation": "s3://cut-off/script.py"}
    glue.create_job(Name="cut-off", Role="cut-off", Command=command)
    first = glue.start_job_run(JobName="cut-off", Arguments={"--SECONDS": "60"})["JobRunId"]
    second = glue.start_job_run(JobName="cut-off", Arguments={"--SECONDS": "0"}, JobRunQueuingEnabled=True)["JobRunId"]

    def run(run_id: str) -> dict[str, Any]:
        return dict(aws("glue").get_job_run(JobName="cut-off", RunId=run_id)["JobRun"])

    until(lambda: run(first)["JobRunState"] == "RUNNING")
    assert run(second)["JobRunState"] == "WAITING"

    kill()

    cut = run(first)
    assert (cut["JobRunState"], cut["ErrorMessage"]) == ("FAILED", INTERRUPTED)
    assert cut["CompletedOn"]
    until(lambda: run(second)["JobRunState"] == "SUCCEEDED")
    sqs, told = aws("sqs"), []

    def both() -> bool:
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            told.append(json.loads(message["Body"])["detail"])
        return len({each["jobRunId"] for each in told}) == 2

    until(both)
    # Events are delivered at least once.
    assert {(each["jobRunId"], each["state"]) for each in told} == {(first, "FAILED"), (second, "SUCCEEDED")}


def test_a_query_that_was_cut_off_has_failed_and_a_queued_one_runs(aws: Client) -> None:
    new_bucket(aws, "queries")
    athena = aws("athena")
    endless = "SELECT COUNT(*) FROM " + ", ".join(f"UNNEST(sequence(1, 10000)) AS t{n} (x{n})" for n in range(4))
    output = {"OutputLocation": "s3://queries/"}
    asked = [endless] * WORKERS + ["SELECT 42"]
    ids = [
        athena.start_query_execution(QueryString=sql, ResultConfiguration=output)["QueryExecutionId"] for sql in asked
    ]

    def states() -> list[str]:
        found = aws("athena").batch_get_query_execution(QueryExecutionIds=ids)["QueryExecutions"]
        return [each["Status"]["State"] for each in sorted(found, key=lambda each: ids.index(each["QueryExecutionId"]))]

    until(lambda: states() == ["RUNNING"] * WORKERS + ["QUEUED"])

    kill()

    until(lambda: states() == ["FAILED"] * WORKERS + ["SUCCEEDED"])
    athena = aws("athena")
    status = athena.get_query_execution(QueryExecutionId=ids[0])["QueryExecution"]["Status"]
    assert status["StateChangeReason"] == executions.INTERRUPTED
    rows = athena.get_query_results(QueryExecutionId=ids[-1])["ResultSet"]["Rows"]
    assert rows[1]["Data"] == [{"VarCharValue": "42"}]
