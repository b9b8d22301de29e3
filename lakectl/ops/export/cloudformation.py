"""A CloudFormation template as YAML."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from lakectl.config import Config
from lakectl.engine.forms import ACCOUNT, REGION, Template
from lakectl.ops.export import Where

HEADER = """\
# Lake {name!r}, exported by lakectl. It needs lakectl no longer: the files are in {files}/.
#
# 1. A bucket for the functions' zips, which CloudFormation takes from S3 (any of yours does):
#      aws s3 cp {files}/functions/ s3://CODE-BUCKET/functions/ --recursive
# 2. The stack (--s3-bucket: a template of more than 51,200 bytes has to come from S3):
#      aws cloudformation deploy --stack-name {stack} --template-file TEMPLATE \\
#        --s3-bucket CODE-BUCKET --capabilities CAPABILITY_NAMED_IAM --parameter-overrides CodeBucket=CODE-BUCKET
# 3. The jobs' scripts and packages, which are read when a job runs:
{copies}
# Buckets and the run log outlive the stack: they hold data.
"""
VIEWS = """\
# 4. Views: their statements are saved queries (create_view_...). Run each once in Athena, when its tables are there.
"""


class _Dumper(yaml.SafeDumper):
    """Writes no anchors, and texts of several lines as they are."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def text(made: Template, config: Config, where: Where, files: str) -> str:
    """The template. ``files``: the folder of its files, as the person names it in a command."""
    objects = [file for file in made.files if file.bucket]
    copies = "\n".join(
        f"#      aws s3 cp {files}/{file.path} s3://{_shown(file.bucket)}/{file.key}" for file in objects
    )
    views = any("create_view_" in str(each["Properties"].get("Name", "")) for each in made.resources.values())
    header = HEADER.format(name=config.name, files=files, stack=f"lake-{config.name}", copies=copies)
    document = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"Lake {config.name}",
        "Parameters": {
            "CodeBucket": {"Type": "String", "Description": "The bucket that has the zips of the functions"},
            "CodePrefix": {
                "Type": "String",
                "Default": "",
                "Description": "What their keys begin with, before functions/",
            },
        },
        "Resources": placed(made.resources, where),
    }
    body = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    left_out = "".join(f"# {sentence}\n" for sentence in dict.fromkeys(made.left_out))
    return header + (VIEWS if views else "") + left_out + str(body)


def placed(value: Any, where: Where) -> Any:
    """``value`` with pseudo parameters where the account or the region is not known."""
    if isinstance(value, str):
        return _placed_text(value, where)
    if isinstance(value, Mapping):
        if len(value) == 1 and next(iter(value)) in ("Ref", "Fn::Sub", "Fn::GetAtt"):
            return dict(value)
        return {key: placed(item, where) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [placed(item, where) for item in value]
    return value


def _placed_text(text: str, where: Where) -> Any:
    if text in (ACCOUNT, REGION):
        return {"Ref": "AWS::AccountId" if text == ACCOUNT else "AWS::Region"}
    marked = text.replace("${", "${!")  # in Fn::Sub these stand for themselves
    if not where.region:  # the partition follows from the region
        marked = re.sub(r"^arn:aws:", "arn:${AWS::Partition}:", marked)
    filled = marked.replace(ACCOUNT, "${AWS::AccountId}").replace(REGION, "${AWS::Region}")
    return text if filled == text.replace("${", "${!") else {"Fn::Sub": filled}


def _shown(bucket: str) -> str:
    return bucket.replace(ACCOUNT, "ACCOUNT").replace(REGION, "REGION")
