"""What calls of Lambda need: Service Authorization Reference, "Actions, resources, and condition keys for AWS Lambda".

https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
"""

from __future__ import annotations

import re

from lakectl.local import services
from lakectl.local.iam.calls import Call
from lakectl.local.iam.evaluator import Check

FUNCTION = re.compile(
    r"(Create|Get|Update|Delete|Put|Add|Remove|List|Publish)\w*(Function|Code|Permission|Policy|Alias|Version)\w*"
)
ON_ALL = {"ListFunctions", "ListEventSourceMappings", "ListLayers", "GetAccountSettings"}
LAYER_VERSION = {
    "AddLayerVersionPermission",
    "DeleteLayerVersion",
    "GetLayerVersion",
    "GetLayerVersionPolicy",
    "RemoveLayerVersionPermission",
}


def checks(call: Call, prefix: str) -> list[Check] | None:
    """``prefix``: ``arn:aws:lambda:REGION:ACCOUNT``. None for what is not known here."""
    operation, parameters = call.operation, call.parameters
    if operation in ON_ALL:
        return [Check(f"lambda:{operation}", "*")]
    if operation in ("ListTags", "TagResource", "UntagResource"):
        return [Check(f"lambda:{operation}", str(parameters.get("Resource") or parameters.get("ARN")))]
    if operation.endswith("EventSourceMapping"):
        return _mapping(call, prefix)
    if "LayerName" in parameters or operation == "GetLayerVersionByArn":
        return _layer(call, prefix)
    if parameters.get("VpcConfig"):
        return None  # what it needs is not known here
    arn = function_arn(str(parameters.get("FunctionName", "")), prefix)
    qualifier = parameters.get("Qualifier")
    qualified = f"{arn}:{qualifier}" if qualifier and arn.count(":") == 6 else arn
    if operation in ("Invoke", "InvokeAsync"):
        return [Check("lambda:InvokeFunction", qualified)]
    if not parameters.get("FunctionName") or not FUNCTION.fullmatch(operation):
        return None
    layers = [Check("lambda:GetLayerVersion", str(layer)) for layer in parameters.get("Layers") or ()]
    return [*layers, *_code(call), Check(f"lambda:{operation}", arn)]


def function_arn(name: str, prefix: str) -> str:
    """Of what ``FunctionName`` says: a name, an ARN, or a part of one."""
    if name.startswith("arn:"):
        return name
    return f"{prefix}:function:{name.rpartition('function:')[2]}"


def _code(call: Call) -> list[Check]:
    """Lambda fetches a zip from S3 with the permissions of whoever asks for it."""
    code = call.parameters.get("Code") or call.parameters.get("Content") or call.parameters
    if not code.get("S3Bucket"):
        return []
    action = "s3:GetObjectVersion" if code.get("S3ObjectVersion") else "s3:GetObject"
    return [Check(action, f"arn:aws:s3:::{code['S3Bucket']}/{code.get('S3Key')}")]


def _mapping(call: Call, prefix: str) -> list[Check]:
    identity = call.parameters.get("UUID")
    resource = f"{prefix}:event-source-mapping:{identity}" if identity else "*"
    name = call.parameters.get("FunctionName")
    arn = function_arn(str(name), prefix) if name else _mapped(call.region, str(identity))
    context = {"lambda:functionarn": (arn,)} if arn else {}
    return [Check(f"lambda:{call.operation}", resource, context)]


def _mapped(region: str, identity: str) -> str:
    """The function of a mapping; empty when there is no such mapping."""
    return services.lambda_service().function_of_mapping(region, identity)


def _layer(call: Call, prefix: str) -> list[Check]:
    if call.operation == "GetLayerVersionByArn":
        return [Check("lambda:GetLayerVersion", str(call.parameters.get("Arn")))]
    name = str(call.parameters["LayerName"])
    arn = name if name.startswith("arn:") else f"{prefix}:layer:{name}"
    if call.operation in LAYER_VERSION:
        arn = f"{arn}:{call.parameters.get('VersionNumber')}"
    return [*_code(call), Check(f"lambda:{call.operation}", arn)]
