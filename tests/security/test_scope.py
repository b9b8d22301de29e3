"""The audit's own rules: nothing is left out without a reason, and no excuse outlives its cause."""

from __future__ import annotations

from pathlib import Path

import pytest
from scope import Answer, Finding, judge, load

OPEN = Finding("s3_bucket_public", "arn:aws:s3:::lake-raw", "public")
EXCUSE = {"check": "s3_bucket_*", "resource": "*-tmp", "reason": "because"}


def test_every_entry_of_the_list_has_a_reason() -> None:
    assert set(load()) == {"prowler", "parliament"}


def test_an_entry_without_a_reason_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list.yaml"
    path.write_text("prowler: {findings: [{check: s3_bucket_public}]}\n")
    with pytest.raises(ValueError, match="has no reason"):
        load(path)


def test_a_finding_that_nothing_excuses_counts() -> None:
    verdict = judge(Answer("prowler", 1, 1, (OPEN,)), {})
    assert verdict.in_scope == (OPEN,)
    assert not verdict.ok


def test_an_excuse_holds_for_its_resources_only() -> None:
    tmp = Finding("s3_bucket_public", "arn:aws:s3:::lake-tmp", "public")
    verdict = judge(Answer("prowler", 1, 2, (OPEN, tmp)), {"findings": [EXCUSE]})
    assert verdict.in_scope == (OPEN,)


def test_an_excuse_without_a_cause_is_an_error() -> None:
    verdict = judge(Answer("prowler", 1, 1, ()), {"findings": [EXCUSE]})
    assert verdict.stale == ("s3_bucket_*",)
    assert not verdict.ok


def test_a_question_that_failed_is_an_error_unless_the_list_says_why() -> None:
    answer = Answer("prowler", 1, 1, (), ("glue_service: ClientError SearchTables",))
    assert not judge(answer, {}).ok
    assert judge(answer, {"errors": [{"error": "glue_service*SearchTables", "reason": "because"}]}).ok
