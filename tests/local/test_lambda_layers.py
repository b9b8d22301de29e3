"""Layers, and what else a function finds around it: limits, the trace, the client's context."""

from __future__ import annotations

import base64
import io
import json
import re
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from local_helpers import ACCOUNT, REGION, settled, zipped

USES = "import shared\ndef handler(event, context): return [shared.NAME, shared.__file__.endswith('/python/shared.py')]"


def layer_zip(**files: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(f"python/{name}.py", text)
    return buffer.getvalue()


def refused(kind: str, message: str = "") -> Any:
    return pytest.raises(ClientError, match=rf"\({kind}\).*{message}")


def result(client: Callable[..., Any], name: str, **settings: Any) -> Any:
    return json.loads(client("lambda").invoke(FunctionName=name, **settings)["Payload"].read())


@pytest.fixture
def publish(client: Callable[..., Any], unique: str) -> Callable[..., str]:
    """``publish("a", shared="NAME = 1")`` publishes a version of a layer and returns its ARN."""

    def make(name: str, **files: str) -> str:
        content = {"ZipFile": layer_zip(**files)}
        return str(
            client("lambda").publish_layer_version(LayerName=f"{name}-{unique}", Content=content)["LayerVersionArn"]
        )

    return make


def test_a_function_imports_from_its_layers_and_the_last_one_wins(client: Any, deploy: Any, publish: Any) -> None:
    """[Lambda developer guide, "Managing Lambda dependencies with layers"]"""
    functions = client("lambda")
    one, two = publish("one", shared="NAME = 1"), publish("two", shared="NAME = 2")
    name = deploy(USES, Layers=[one, two])
    assert result(client, name) == [2, True]
    functions.publish_version(FunctionName=name)
    changed = functions.update_function_configuration(FunctionName=name, Layers=[one])
    assert [each["Arn"] for each in changed["Layers"]] == [one]
    settled(functions, name)
    assert result(client, name) == [1, True]
    assert result(client, name, Qualifier="1") == [2, True]


def test_versions_of_a_layer_are_listed_got_and_deleted(client: Any, deploy: Any, publish: Any) -> None:
    functions = client("lambda")
    first, second = publish("a", shared="NAME = 1"), publish("a", shared="NAME = 2")
    layer, _, number = second.rpartition(":")
    assert (number, layer.rpartition(":")[2].startswith("a-")) == ("2", True)
    name = layer.rpartition(":")[2]
    listed = functions.list_layer_versions(LayerName=name)["LayerVersions"]
    assert [each["Version"] for each in listed] == [2, 1]
    assert functions.get_layer_version(LayerName=name, VersionNumber=1)["LayerVersionArn"] == first
    assert functions.get_layer_version_by_arn(Arn=second)["Version"] == 2
    user = deploy(USES, Layers=[first])
    functions.delete_layer_version(LayerName=name, VersionNumber=1)
    assert result(client, user) == [1, True]
    with refused("InvalidParameterValueException", "Layer version .* does not exist"):
        deploy(USES, Layers=[first])
    with refused("ResourceNotFoundException"):
        functions.get_layer_version(LayerName=name, VersionNumber=1)
    found = functions.list_layers()["Layers"]
    assert [each["LatestMatchingVersion"]["Version"] for each in found if each["LayerName"] == name] == [2]


def test_which_layers_a_function_may_have(client: Any, deploy: Any, publish: Any) -> None:
    arns = [publish(f"l{number}", shared="") for number in range(6)]
    with refused("InvalidParameterValueException", "Cannot reference more than 5 layers"):
        deploy(USES, Layers=arns)
    with refused("InvalidParameterValueException", "Two different versions of the same layer"):
        deploy(USES, Layers=[arns[0], publish("l0", shared="")])
    with refused("InvalidParameterValueException", "not in the same region"):
        deploy(USES, Layers=[arns[0].replace(REGION, "eu-central-1")])
    half = "x" * 140_000_000
    with refused(
        "InvalidParameterValueException", "Function code combined with layers exceeds the maximum allowed size"
    ):
        deploy(USES, Layers=[_large(client, arns[1], half), _large(client, arns[2], half)])


def _large(client: Any, arn: str, text: str) -> str:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("data", text)
    name = arn.rpartition(":")[0].rpartition(":")[2]
    made = client("lambda").publish_layer_version(LayerName=name, Content={"ZipFile": buffer.getvalue()})
    return str(made["LayerVersionArn"])


def test_a_function_finds_the_trace_and_the_clients_context(client: Any, deploy: Any) -> None:
    """[Lambda developer guide, "Using the Lambda context object to retrieve Python function information"]"""
    code = (
        "import os\n"
        "def handler(event, context):\n"
        "    c = context.client_context\n"
        "    return [os.environ['_X_AMZN_TRACE_ID'], c and c.custom]\n"
    )
    name = deploy(code)
    given = base64.b64encode(b'{"custom": {"a": 1}}').decode()
    (first, custom), (second, nothing) = result(client, name, ClientContext=given), result(client, name)
    assert re.fullmatch(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0", first)
    assert (first != second, custom, nothing) == (True, {"a": 1}, None)


def test_what_a_payload_and_a_function_may_not_be(client: Any, deploy: Any, role: str) -> None:
    functions, name = client("lambda"), deploy("def handler(event, context): return event")
    for payload in (b"\xff", b"{", b"nothing"):
        with refused("InvalidRequestContentException", "Could not parse request body into json"):
            functions.invoke(FunctionName=name, Payload=payload)
    with refused("RequestTooLargeException"):
        functions.invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps("x" * 1_100_000))
    large = {"Variables": {"A": "x" * 4090}}
    with refused("InvalidParameterValueException", "exceeded the 4KB limit"):
        functions.update_function_configuration(FunctionName=name, Environment=large)
    with refused("NotImplemented", "the local AWS does not do Code.ImageUri"):
        functions.create_function(
            FunctionName=f"{name}-image", PackageType="Image", Role=role, Code={"ImageUri": f"{ACCOUNT}.dkr.ecr/x:1"}
        )
    with refused("NotImplemented", "the local AWS does not do VpcConfig"):
        functions.update_function_configuration(FunctionName=name, VpcConfig={"SubnetIds": ["subnet-1"]})
    with refused("NotImplemented", "the local AWS does not do CreateFunctionUrlConfig"):
        functions.create_function_url_config(FunctionName=name, AuthType="NONE")


def test_an_event_invoke_config_is_changed_in_part(client: Any, deploy: Any) -> None:
    """[Lambda API, UpdateFunctionEventInvokeConfig]"""
    functions, name = client("lambda"), deploy("def handler(event, context): return event")
    with refused("ResourceNotFoundException", "doesn't have an EventInvokeConfig"):
        functions.update_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=1)
    functions.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=1)
    functions.update_function_event_invoke_config(FunctionName=name, MaximumEventAgeInSeconds=60)
    found = functions.get_function_event_invoke_config(FunctionName=name)
    assert (found["MaximumRetryAttempts"], found["MaximumEventAgeInSeconds"]) == (1, 60)
    functions.put_function_event_invoke_config(FunctionName=name, MaximumEventAgeInSeconds=70)
    assert "MaximumRetryAttempts" not in functions.get_function_event_invoke_config(FunctionName=name)
    assert len(functions.list_function_event_invoke_configs(FunctionName=name)["FunctionEventInvokeConfigs"]) == 1


def test_a_dry_run_of_new_code_changes_nothing(client: Any, deploy: Any) -> None:
    functions, name = client("lambda"), deploy("def handler(event, context): return 1")
    seen = functions.get_function_configuration(FunctionName=name)
    dry = functions.update_function_code(FunctionName=name, ZipFile=zipped("def handler(e, c): return 2"), DryRun=True)
    assert dry["CodeSha256"] != seen["CodeSha256"]
    assert functions.get_function_configuration(FunctionName=name)["CodeSha256"] == seen["CodeSha256"]
    assert result(client, name) == 1
