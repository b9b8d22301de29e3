"""ErrorMessage of a failed run, from what is on stderr."""

from __future__ import annotations

import pytest

from lakectl.local.glue_errors import error_message

FRAMES = 'Traceback (most recent call last):\n  File "job.py", line 3, in <module>\n    main()\n'
SPARK_WARNING = "26/11/24 11:00:01 WARN ShutdownHookManager: something\n"


@pytest.mark.parametrize(
    ("stderr", "returncode", "message"),
    [
        (FRAMES + "RuntimeError: text\n", 1, "RuntimeError: text"),
        (FRAMES + "RuntimeError: text\n" + SPARK_WARNING, 1, "RuntimeError: text"),
        (FRAMES + "AssertionError\n", 1, "AssertionError"),
        (FRAMES + "lake.checks.BadInput\n", 1, "BadInput"),
        (FRAMES + "lake.checks.BadInput: orders.csv:\n  row 3\n", 1, "BadInput: orders.csv: row 3"),
        (
            FRAMES + "pyspark.errors.exceptions.captured.AnalysisException: [TABLE_OR_VIEW_NOT_FOUND] no t\n"
            "'Project [*]\n+- 'UnresolvedRelation [t]\n",
            1,
            "AnalysisException: [TABLE_OR_VIEW_NOT_FOUND] no t",
        ),
        (
            FRAMES + "py4j.protocol.Py4JJavaError: An error occurred while calling o7.save.\n"
            ": org.apache.spark.SparkException: Job aborted.\n\tat org.apache.spark.Foo(Foo.scala:1)\n",
            1,
            "An error occurred while calling o7.save. org.apache.spark.SparkException: Job aborted.",
        ),
        (
            FRAMES + "KeyError: 'a'\n\nDuring handling of the above exception, another occurred:\n\n"
            + FRAMES + "ValueError: b\n",
            1,
            "ValueError: b",
        ),
        ('  File "job.py", line 1\n    (\n    ^\nSyntaxError: never closed\n', 1, "SyntaxError: never closed"),
        ("no pending landings\n", 1, "SystemExit: no pending landings"),
        (SPARK_WARNING, 3, "SystemExit: 3"),
        ("", -9, "Command failed with exit code 137"),
    ],
)  # fmt: skip
def test_the_message_is_the_exception_that_ended_the_script(stderr: str, returncode: int, message: str) -> None:
    assert error_message(stderr, returncode) == message


def test_a_message_is_never_longer_than_the_limit() -> None:
    assert len(error_message(FRAMES + "ValueError: " + "x" * 5_000, 1)) == 2_000
