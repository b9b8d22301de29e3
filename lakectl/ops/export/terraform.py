"""A Terraform module as text: one file, with an ``import`` block for each resource.

Import ids are those of the provider's documentation (hashicorp/terraform-provider-aws, ``website/docs/r/``, the
section "Import" of each page).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lakectl.config import Config
from lakectl.engine.forms import ACCOUNT, REGION, Block, Expression, Json, Module, Piece
from lakectl.ops.export import Where, hcl

TERRAFORM = ">= 1.7"  # with it came `import` blocks with `for_each`

HEADER = """\
# Lake {name!r}, exported by lakectl. It needs lakectl no longer: the files are in {files}/.
#
#   terraform init
#   terraform plan{variables}
#   terraform apply{variables}
#
{adopting}
"""
ADOPTING = """\
# It takes over the lake that is running: everything is imported, nothing is made again. Code is uploaded once more.
# To make another lake of it: -var adopt=false"""
MAKING = """\
# It makes a lake. To take over one that is running, export it with --adopt."""
VIEWS = """\
# Views: their statements are saved queries (create_view_...). Run each once in Athena, when its tables are there.
"""


def text(made: Module, config: Config, where: Where, files: str, query_ids: Mapping[str, str] | None) -> str:
    """The module. ``files``: the folder of its files, from where the module is; ``query_ids``: of saved queries, by
    name, when a running lake is to be adopted."""
    variables = "" if where.account else " -var account_id=YOUR-ACCOUNT"
    adopting = MAKING if query_ids is None else ADOPTING
    parts = [HEADER.format(name=config.name, files=files, variables=variables, adopting=adopting)]
    if any(piece.remark for piece in made.pieces):
        parts[0] += VIEWS
    parts[0] += "".join(f"# {sentence}\n" for sentence in dict.fromkeys(made.left_out))
    parts += _settings(config, where, files, query_ids, made.provider)
    for piece in made.pieces:
        remark = f"# {piece.remark}\n" if piece.remark else ""
        parts.append(remark + hcl.block(f'resource "{piece.type}" "{piece.label}"', _placed(piece.body, where)))
    imports = [piece for piece in made.pieces if piece.import_id is not None or piece.lookup]
    parts.append("# What is running, by the ids that the provider's documentation gives.\n")
    parts += [_import(piece, where) for piece in imports]
    return "\n".join(parts)


def _settings(
    config: Config, where: Where, files: str, query_ids: Mapping[str, str] | None, provider: tuple[int, int]
) -> list[str]:
    account = {"default": where.account} if where.account else {}
    required = Block(aws=Expression(_object({"source": "hashicorp/aws", "version": f">= {provider[0]}.{provider[1]}"})))
    blocks: list[tuple[str, dict[str, Any]]] = [
        ("terraform", {"required_version": TERRAFORM, "required_providers": Block(required)}),
        (
            'variable "account_id"',
            {"description": "The account of the lake", "type": Expression("string"), **account},
        ),
        (
            'variable "region"',
            {
                "description": "The region of the lake",
                "type": Expression("string"),
                "default": where.region or config.region,
            },
        ),
        (
            'variable "adopt"',
            {
                "description": "Import what is running, instead of making it",
                "type": Expression("bool"),
                "default": query_ids is not None,
            },
        ),
        (
            'variable "query_ids"',
            {
                "description": "The ids of the saved queries that are running, by name",
                "type": Expression("map(string)"),
                "default": dict(query_ids or {}),
            },
        ),
        ("locals", {"files": Expression(f'"${{path.module}}/{files}"')}),
        (
            'provider "aws"',
            {
                "region": Expression("var.region"),
                "allowed_account_ids": [Expression("var.account_id")],
            },
        ),
    ]
    if not where.region:
        blocks.append(('data "aws_partition" "current"', {}))
    return [_empty(head) if not body else hcl.block(head, body) for head, body in blocks]


def _empty(head: str) -> str:
    return f"{head} {{}}\n"


def _object(pairs: Mapping[str, str]) -> str:
    width = max(map(len, pairs))
    inner = "\n".join(f"      {key.ljust(width)} = {hcl.string(value)}" for key, value in pairs.items())
    return f"{{\n{inner}\n    }}"


def _import(piece: Piece, where: Where) -> str:
    if piece.import_id is not None:
        found: Any = _placed(piece.import_id, where)
    else:
        found = Expression(f"var.query_ids[{hcl.string(piece.lookup)}]")
    chosen = Expression('var.adopt ? toset(["this"]) : toset([])')
    return hcl.block("import", {"for_each": chosen, "to": Expression(piece.address), "id": found})


def _placed(value: Any, where: Where) -> Any:
    """``value`` with variables where the account or the region is not known."""
    if isinstance(value, str):
        return hcl.Filled(value, lambda written: _with_variables(written, where))
    if isinstance(value, Json):
        return Json(_placed(value.value, where))
    if isinstance(value, Block):
        return Block({key: _placed(item, where) for key, item in value.items()})
    if isinstance(value, Mapping):
        return {key: _placed(item, where) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_placed(item, where) for item in value]
    return value


def _with_variables(written: str, where: Where) -> str:
    if not where.region:  # the partition follows from the region
        written = re.sub(r'^"arn:aws:', '"arn:${data.aws_partition.current.partition}:', written)
    alone = {f'"{ACCOUNT}"': "var.account_id", f'"{REGION}"': "var.region"}.get(written)
    return alone or written.replace(ACCOUNT, "${var.account_id}").replace(REGION, "${var.region}")
