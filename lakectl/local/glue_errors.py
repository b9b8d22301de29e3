"""What a failed script left on stderr, as the one line that GetJobRun gives as ErrorMessage."""

from __future__ import annotations

import re

MAX_CHARACTERS = 2_000
TRACEBACK = "Traceback (most recent call last):"
EXCEPTION_LINE = re.compile(r"(?:[A-Za-z_]\w*\.)*(?P<error>[A-Za-z_]\w*): ?(?P<text>.*)")
STOP_AT = ("\tat ", "JVM stacktrace", "'", "+- ", ":- ")  # Java's frames, or a query plan
SPARK_LOG_LINE = re.compile(r"\d\d/\d\d/\d\d \d\d:\d\d:\d\d ")


def error_message(stderr: str, returncode: int) -> str:
    """``RuntimeError: text`` of the exception that ended the script; its class without its module.

    Without a traceback (sys.exit, a signal) it is what is known: the last line or the exit code.
    """
    if returncode < 0:
        return f"Command failed with exit code {128 - returncode}"
    lines = stderr.splitlines()
    if TRACEBACK in lines:
        start = len(lines) - 1 - lines[::-1].index(TRACEBACK)
        return _shortened(_exception_after(lines[start + 1 :]))
    said = [line for line in lines if line.strip() and not SPARK_LOG_LINE.match(line)]
    if said and re.match(r"\w*(Error|Exception): ", said[-1]):
        return _shortened(said[-1])  # a SyntaxError of the script itself has no traceback header
    if said and returncode == 1:
        return _shortened(f"SystemExit: {said[-1]}")  # sys.exit("text")
    return f"SystemExit: {returncode}"


def _exception_after(lines: list[str]) -> str:
    """The exception below a traceback's frames: those are indented, it is not."""
    position = next((i for i, line in enumerate(lines) if line and not line.startswith(" ")), None)
    if position is None:
        return "the script failed without an exception"
    match = EXCEPTION_LINE.fullmatch(lines[position])
    if not match:
        return lines[position].rpartition(".")[2]  # an exception without a text
    error, text = match["error"], match["text"]
    if error == "Py4JJavaError" and position + 1 < len(lines):
        # ": org.apache.spark.SparkException: Job aborted." follows on a line of its own.
        return f"{text.rstrip('.')}. {lines[position + 1].lstrip(': ')}"
    following = []
    for line in lines[position + 1 :]:
        if not line.strip() or SPARK_LOG_LINE.match(line) or line.startswith(STOP_AT):
            break
        following.append(line.strip())
    return " ".join([f"{error}: {text}".rstrip(), *following])


def _shortened(message: str) -> str:
    return message if len(message) <= MAX_CHARACTERS else message[: MAX_CHARACTERS - 1] + "…"
