"""No request kills the endpoint, keeps it from answering, or changes what others are answered.

Requests are made from a seed, so that a failure can be repeated: mangled bytes on the connection, and calls of each
protocol whose parameters come from botocore's models and are mostly wrong. None is answered with a 500, which clients
repeat, or with a page for browsers. After every batch the same few questions must have the same answers.
"""

from __future__ import annotations

import json
import random
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, urlencode

import botocore.session
import pytest
import raw_requests
from local_helpers import REGION, new_bucket
from raw_requests import FORM, Answer, Sender, own

from lakectl.local import control, processes
from lakectl.local.control import Endpoint
from lakectl.local.gate import table

ANSWER_SECONDS = 20.0
BATCH = 40
BUCKET, TABLE = "fuzz-canary", "fuzz-canary"
OTHER = "fuzz-other"  # a bucket that the requests may change, and a table that is made and deleted between them
SERVICES = ("athena", "cloudwatch", "dynamodb", "events", "glue", "iam", "lambda", "logs", "sns", "sqs", "sts") + (
    "kms",
    "lakeformation",
    "secretsmanager",
    "ssm",
)
# What would start programs, or wait on purpose; what they do is tested elsewhere.
LEFT_OUT = ("Invoke", "InvokeAsync", "InvokeWithResponseStream", "StartJobRun", "StartQueryExecution", "ReceiveMessage")
# What would take the canaries away, or the keys that ask for them.
DESTRUCTIVE = ("DeleteTable", "DeleteBucket")
TEXTS = (
    "",
    "x",
    "fuzz-canary",
    "..",
    "a" * 3000,
    "note\x01",
    "\x00",
    "é\ud7ff",
    "{}",
    "arn:aws:iam::123456789012:role/x",
    "%s%n",
    "-1",
)
MATCHES = ("wildcard", "prefix", "suffix", "numeric", "anything-but", "cidr", "exists", "equals-ignore-case")
NUMBERS = (0, -1, 1, 2**31, 2**63, -(2**63), 10**30, 1.5)


@pytest.fixture
def endpoint_alone(aws: Callable[[str], Any]) -> Endpoint:
    """An endpoint for this module, with something to ask for."""
    if BUCKET in [each["Name"] for each in aws("s3").list_buckets()["Buckets"]]:
        return control.ensure_running()
    new_bucket(aws, OTHER)
    new_bucket(aws, BUCKET).put_object(Bucket=BUCKET, Key="k", Body=b"unchanged")
    dynamodb = aws("dynamodb")
    new_table(dynamodb, TABLE)
    dynamodb.put_item(TableName=TABLE, Item={"id": {"S": "k"}, "value": {"S": "unchanged"}})
    return control.ensure_running()


def new_table(dynamodb: Any, name: str) -> None:
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


def unharmed(aws: Callable[[str], Any], endpoint: Endpoint) -> None:
    """The same server, the same answers, soon."""
    begun = time.monotonic()
    assert processes.alive(endpoint.pid), "the server is dead"
    assert aws("s3").get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"unchanged"
    assert aws("dynamodb").get_item(TableName=TABLE, Key={"id": {"S": "k"}})["Item"]["value"] == {"S": "unchanged"}
    assert aws("sts").get_caller_identity()["Account"] == "123456789012"
    assert BUCKET in [each["Name"] for each in aws("s3").list_buckets()["Buckets"]]
    aws("s3").list_object_versions(Bucket=OTHER)
    aws("s3").list_objects_v2(Bucket=OTHER)
    event = {"Source": "fuzz", "DetailType": "x", "Detail": "{}"}
    assert aws("events").put_events(Entries=[event])["FailedEntryCount"] == 0
    new_table(aws("dynamodb"), OTHER)
    aws("dynamodb").delete_table(TableName=OTHER)
    assert time.monotonic() - begun < ANSWER_SECONDS
    assert control.ensure_running().pid == endpoint.pid


def value(chance: random.Random, shape: Any, depth: int = 0) -> Any:
    """Something for a parameter: of the right type mostly."""
    if chance.random() < 0.15 or depth > 4:
        return chance.choice((None, True, [], {}, "x", 7, [[]], {"a": {"b": []}}))
    if shape.type_name == "structure":
        names = [name for name in shape.members if name in shape.required_members or chance.random() < 0.3]
        return {name: member(chance, name, shape.members[name], depth + 1) for name in names}
    if shape.type_name == "list":
        return [value(chance, shape.member, depth + 1) for _ in range(chance.randrange(3))]
    if shape.type_name == "map":
        return {chance.choice(TEXTS): value(chance, shape.value, depth + 1) for _ in range(chance.randrange(3))}
    if shape.type_name in ("integer", "long", "double", "float", "timestamp"):
        return chance.choice(NUMBERS)
    if shape.type_name == "boolean":
        return chance.choice((True, False, "true"))
    return chance.choice((*getattr(shape, "enum", ()), *TEXTS))


def member(chance: random.Random, name: str, shape: Any, depth: int) -> Any:
    if name == "EventPattern":
        return json.dumps({"source": [{chance.choice(MATCHES): chance.choice((1, "a", None, [], {"x": 1}))}]})
    if name == "S3Bucket":
        return OTHER
    return value(chance, shape, depth)


def flat(found: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """As the query protocol writes nested parameters."""
    if isinstance(found, dict):
        for key, each in found.items():
            yield from flat(each, f"{name}.{key}" if name else str(key))
    elif isinstance(found, list):
        for number, each in enumerate(found, 1):
            yield from flat(each, f"{name}.member.{number}")
    else:
        yield name, str(found)


def judged(asked: str, body: bytes, answer: Answer) -> None:
    assert answer.status != 500, f"{asked} {body[:2000]!r}: {answer}"
    assert answer.status < 400 or "<!doctype html" not in answer.body.lower(), f"{asked} {body[:2000]!r}: {answer}"


def call(chance: random.Random, sender: Sender, session: Any) -> None:
    """One call of a service that speaks JSON, the query protocol or REST; of an operation that is done, mostly."""
    model = session.get_service_model(chance.choice(SERVICES))
    known = table.service(model.service_name)
    assert known is not None
    done = sorted(known.runs | known.stored) if chance.random() < 0.95 else list(model.operation_names)
    left_out = (*LEFT_OUT, *DESTRUCTIVE)
    operation = model.operation_model(chance.choice([each for each in done if each not in left_out]))
    parameters = value(chance, operation.input_shape) if operation.input_shape is not None else {}
    signing = model.signing_name
    if "targetPrefix" in model.metadata:
        target = f"{model.metadata['targetPrefix']}.{operation.name}"
        kind = f"application/x-amz-json-{model.metadata.get('jsonVersion', '1.0')}"
        body = json.dumps(parameters).encode("utf-8", "surrogatepass")
        judged(operation.name, body, sender.send(signing, "POST", "/", body, Content_Type=kind, X_Amz_Target=target))
    elif model.protocol == "query":
        form = [("Action", operation.name), ("Version", model.api_version), *flat(parameters)]
        body = urlencode(form, errors="replace").encode()
        judged(operation.name, body, sender.send(signing, "POST", "/", body, Content_Type=FORM))
    else:
        path = operation.http["requestUri"].partition("?")[0]
        for name in operation.input_shape.members if operation.input_shape is not None else ():
            text = quote(chance.choice(TEXTS) or "x", safe="", errors="replace")
            path = path.replace(f"{{{name}}}", text).replace(f"{{{name}+}}", text)
        body = json.dumps(parameters).encode("utf-8", "surrogatepass")
        answer = sender.send(signing, operation.http["method"], path, body, Content_Type="application/json")
        judged(f"{operation.name} {path}", body, answer)


S3_QUERIES = (
    "",
    "acl",
    "tagging",
    "uploads",
    "versions",
    "list-type=2",
    "delete",
    "policy",
    "lifecycle",
    "cors",
    "website",
)
S3_BODIES = (
    b"",
    b"<",
    b"<Delete/>",
    b"<Delete><Object><Key>\xff</Key></Object></Delete>",
    b"{}",
    b"<a>" * 5000,
    bytes(9000),
)
S3_HEADERS = (
    ("range", "bytes=9-1,-"),
    ("x-amz-copy-source", "%"),
    ("if-match", "\xe9"),
    ("content-md5", "x"),
    ("x-amz-checksum-crc32", "AAAAAA=="),
    ("x-amz-tagging", "a=b&a=b&%"),
    ("expect", "100-continue"),
    ("x-amz-object-lock-mode", "?"),
)


def s3_call(chance: random.Random, sender: Sender) -> None:
    key = quote(chance.choice(TEXTS), safe="/", errors="replace")
    bucket = chance.choice((OTHER, OTHER, OTHER, "no-such-bucket", "..", "", "A" * 70))
    query = chance.choice(S3_QUERIES)
    more = f"&{quote(chance.choice(TEXTS), errors='replace')}={chance.randrange(9)}" if chance.random() < 0.3 else ""
    headers = dict(chance.sample(S3_HEADERS, chance.randrange(3)))
    method = chance.choice(("GET", "PUT", "POST", "DELETE", "HEAD", "OPTIONS", "PATCH"))
    if method == "DELETE":
        key = key or "x"  # without one, it deletes the bucket that is asked for
    target = f"/{bucket}/{key}" + (f"?{query}{more}" if query else "")
    body = chance.choice(S3_BODIES)
    signed = sender.signed("s3", method, target, body, headers)
    judged(f"{method} {target} {headers}", body, raw_requests.send(sender.endpoint, method, target, body, signed))


ADDED = ("transfer-encoding: chunked", "content-length: -1", "content-length: 1e3", "host: x")
VERBS = ("POST / HTTP/1.1", "POST / HTTP/1.1", "PO ST /", "GET http://x/ HTTP/1.1", "POST /%zz HTTP/1.1", "")


def mangled(chance: random.Random, sender: Sender) -> None:
    """A signed request with bytes changed, cut off, doubled or left out on the connection."""
    body = b'{"TableName": "fuzz-canary"}'
    headers = {"content-type": "application/x-amz-json-1.0", "x-amz-target": "DynamoDB_20120810.DescribeTable"}
    signed = sender.signed("dynamodb", "POST", "/", body, headers) | {"content-length": str(len(body))}
    lines = [f"{name}: {text}" for name, text in signed.items()]
    for _ in range(chance.randrange(1, 4)):
        place = chance.randrange(len(lines))
        change = chance.choice(("drop", "double", "cut", "noise", "add", "chunks"))
        if change == "drop" and len(lines) > 1:
            del lines[place]
        elif change == "double":
            lines.append(lines[place])
        elif change == "cut":
            lines[place] = lines[place][: chance.randrange(len(lines[place]) + 1)]
        elif change == "noise":
            lines[place] += chr(chance.randrange(1, 256))
        elif change == "chunks":
            lines = [each for each in lines if not each.startswith("content-length")] + ["transfer-encoding: chunked"]
            body = chance.choice((b"ffffffffffffffff", b"-1", b"5", b"", b"g")) + b"\r\n" + body
        else:
            lines.append(chance.choice(ADDED))
    verb = chance.choice(VERBS)
    sent = "\r\n".join([verb, *lines, "", ""]).encode("latin-1", "replace") + body[: chance.randrange(len(body) + 1)]
    with socket.create_connection(("127.0.0.1", sender.endpoint.port), timeout=5) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass


KINDS = ("calls", "s3", "bytes")


def run(kind: str, seed: int, count: int, aws: Callable[[str], Any], endpoint: Endpoint) -> None:
    chance, sender, session = random.Random(seed), own(endpoint), botocore.session.get_session()
    session.set_config_variable("region", REGION)
    makers: dict[str, Callable[[], None]] = {
        "calls": lambda: call(chance, sender, session),
        "s3": lambda: s3_call(chance, sender),
        "bytes": lambda: mangled(chance, sender),
    }
    for number in range(count):
        try:
            makers[kind]()
        except ConnectionError:
            assert processes.alive(endpoint.pid), f"request {number} of {kind} with seed {seed} killed the server"
        except TimeoutError:
            pytest.fail(f"request {number} of {kind} with seed {seed} was not answered")
        if number % BATCH == BATCH - 1:
            unharmed(aws, endpoint)
    unharmed(aws, endpoint)


@pytest.mark.parametrize("kind", KINDS)
def test_a_few_random_requests_do_no_harm(aws: Callable[[str], Any], endpoint_alone: Endpoint, kind: str) -> None:
    """Of each protocol so many as a few seconds allow."""
    run(kind, 14, 160, aws, endpoint_alone)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("kind", KINDS)
def test_many_random_requests_do_no_harm(
    aws: Callable[[str], Any], endpoint_alone: Endpoint, kind: str, seed: int
) -> None:
    run(kind, seed, 2000, aws, endpoint_alone)
