"""HCL as `terraform fmt` writes it. What is expected here is what Terraform 1.11.4 leaves unchanged."""

from __future__ import annotations

import io

import hcl2
import pytest

from lakectl.engine.forms import Block, Expression, Json
from lakectl.ops.export import hcl

EXPECTED = """\
resource "kind" "label" {
  name        = "a"
  description = "b"
  tags = {
    "with:colon" = "1"
    plain        = "2"
  }
  on    = true
  many  = 3
  empty = {}
  none  = []
  one   = ["x"]
  two = [
    "x",
    "y",
  ]
  from = aws_thing.other.id
  policy = jsonencode({
    Statement = [
      {
        Sid    = "A"
        Action = ["s3:*"]
      },
    ]
  })
  query = chomp(<<EOT
SELECT 1
  FROM "t"
EOT
  )

  rule {
    id = "r"

    filter {
      prefix = ""
    }
  }

  rule {
    id = "s"
  }

  depends_on = [aws_thing.other]
}
"""


def test_a_block_is_laid_out_as_terraform_fmt_does() -> None:
    body = {
        "name": "a",
        "description": "b",
        "tags": {"with:colon": "1", "plain": "2"},
        "on": True,
        "many": 3,
        "empty": {},
        "none": [],
        "one": ["x"],
        "two": ["x", "y"],
        "from": Expression("aws_thing.other.id"),
        "policy": Json({"Statement": [{"Sid": "A", "Action": ["s3:*"]}]}),
        "query": 'SELECT 1\n  FROM "t"',
        "rule": [Block(id="r", filter=Block(prefix="")), Block(id="s")],
        "depends_on": [Expression("aws_thing.other")],
    }
    written = hcl.block('resource "kind" "label"', body)
    assert written == EXPECTED
    assert hcl2.load(io.StringIO(written))["resource"]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ('say "a"\\', r'"say \"a\"\\"'),
        ("${x} %{y} $x", '"$${x} %%{y} $x"'),
        ("a\tb", r'"a\tb"'),
        ("a\r\nb", r'"a\r\nb"'),
        ("ends\n", r'"ends\n"'),
        ("a\nEOT\nb", r'"a\nEOT\nb"'),
        ("ü", '"ü"'),
    ],
)
def test_texts_are_quoted(text: str, written: str) -> None:
    assert hcl.attribute("a", text) == f"a = {written}\n"


def test_a_heredoc_has_no_escapes_but_those_of_templates() -> None:
    assert hcl.attribute("a", "x\\n\n${y}") == "a = chomp(<<EOT\nx\\n\n$${y}\nEOT\n)\n"
