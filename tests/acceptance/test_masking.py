"""Evidence holds no account, key, name, folder: whatever AWS and the machine say."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from acceptance import scanning

from lakectl.ops.acceptance.masking import Mask, of_this_machine

KEYS = SimpleNamespace(access_key="LOCALKEY", secret_key="s3cr3t/Key+x", token="tok-en=")
CALLER = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Builders_0f/anna.ek@example.org"


@pytest.fixture
def mask(tmp_path: Path) -> Mask:
    return of_this_machine("acceptance-0a1b2c3d", CALLER, ["sandbox-anna"], KEYS, tmp_path)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("account 111122223333.", "account <account>."),
        ("arn:aws:iam::111122223333:role/team/Builders", "arn:aws:iam::<account>:role/<name>"),
        (
            "arn:aws:iam::111122223333:role/retail-glue-role-acceptance-0a1b2c3d",
            "arn:aws:iam::<account>:role/retail-glue-role-<lake>",
        ),
        ("arn:aws-cn:iam::111122223333:user/team/anna", "arn:aws-cn:iam::<account>:user/<name>"),
        (f"User: {CALLER} is not authorized", "User: arn:aws:sts::<account>:assumed-role/<name> is not authorized"),
        ("arn:aws:sqs:eu-west-1:111122223333:q", "arn:aws:sqs:eu-west-1:<account>:q"),
        ("https://sqs.eu-west-1.amazonaws.com/111122223333/q", "https://sqs.eu-west-1.amazonaws.com/<account>/q"),
        ("org-demo-raw-111122223333-eu-west-1-an", "org-demo-raw-<account>-eu-west-1-an"),
        ("bronze_acceptance_0a1b2c3d and acceptance-0a1b2c3d", "bronze_<lake> and <lake>"),
        ("key AKIAIOSFODNN7EXAMPLE of AIDACKCEVSQ6C2EXAMPLE", "key <key> of <key>"),
        ("LOCALKEY s3cr3t/Key+x tok-en=", "<key> <key> <key>"),
        ("profile sandbox-anna, anna.ek@example.org", "profile <name>, <name>"),
        ("can't read /home/anna/lake/orders.csv: no", "can't read <folder>: no"),
        ("in (/srv/x-1/orders.csv) and '/Users/anna'", "in (<folder>) and '<folder>'"),
        # What tells nothing stays: paths of AWS, keys of objects, snapshot ids, times.
        ("/aws/lambda/f, /aws-glue/jobs/x", "/aws/lambda/f, /aws-glue/jobs/x"),
        ("s3://b/retail/orders/ingest_date=2026-12-01/orders.csv", "s3://b/retail/orders/ingest_date=2026-12-01/orders.csv"),
        ("snapshot 4871234567890123456 at 20261201T101112Z", "snapshot 4871234567890123456 at 20261201T101112Z"),
    ],
)  # fmt: skip
def test_what_is_nobody_elses_business_is_masked(mask: Mask, text: str, shown: str) -> None:
    assert mask.text(text) == shown
    assert scanning.found(mask.text(text), vars(KEYS).values()) == []


def test_keys_values_and_what_is_no_text(mask: Mask, tmp_path: Path) -> None:
    data = {"arn:aws:s3:::x-111122223333": [tmp_path / "a", 3, 1.5, None, True, ("111122223333",)]}
    assert mask.data(data) == {"arn:aws:s3:::x-<account>": ["<folder>/a", 3, 1.5, None, True, ["<account>"]]}


def test_short_names_are_not_looked_for() -> None:
    assert Mask(names=["an", "ek"]).text("an answer of ek") == "an answer of ek"


@pytest.mark.parametrize(
    "text",
    [
        "of 111122223333 here",
        "arn:aws:sqs:eu-west-1:1234:q",
        "AKIAIOSFODNN7EXAMPLE",
        "arn:aws:iam::<account>:user/anna",
        "in /home/anna/x",
        str(Path.cwd()),
        "secret",
    ],
)
def test_the_scan_finds_what_is_not_masked(text: str) -> None:
    assert scanning.found(f"before {text} after", ["secret"])
