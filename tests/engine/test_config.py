"""The configuration file: precedence, and errors that say where and what."""

from __future__ import annotations

from pathlib import Path

import pytest

from lakectl import config, project
from lakectl.errors import UsageError


def load(tmp_path: Path, text: str, **overrides: str) -> config.Config:
    path = tmp_path / "lake.yaml"
    path.write_text(text)
    return config.load(path, overrides, environ={})


def test_the_shipped_file_holds_exactly_the_defaults() -> None:
    shipped = config.load(project.shipped_root() / "config/lake.yaml", environ={})
    assert shipped == config.Config(views=["daily_sales"])  # a project of one's own has none of the tutorial's


def test_flags_win_over_environment_over_file_over_defaults(tmp_path: Path) -> None:
    path = tmp_path / "lake.yaml"
    path.write_text("name: from-file\nregion: eu-north-1\n")
    environ = {"LAKECTL_NAME": "from-env", "AWS_REGION": "us-east-1", "LAKECTL_REGION": "eu-west-3"}
    loaded = config.load(path, {"name": "from-flag"}, environ)
    assert (loaded.name, loaded.region) == ("from-flag", "eu-west-3")
    assert config.load(path, {}, environ).name == "from-env"
    assert config.load(path, {}, {}).name == "from-file"
    assert config.load(path, {}, {}).target == "local"


def test_the_local_target_takes_nothing_that_the_shell_says_of_aws(tmp_path: Path) -> None:
    path = tmp_path / "lake.yaml"
    path.write_text("region: eu-north-1\n")
    environ = {"AWS_REGION": "us-east-1", "AWS_PROFILE": "nobody", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
    local = config.load(path, {}, environ)
    assert (local.region, local.profile, local.endpoint_url) == ("eu-north-1", None, None)
    for chosen in ({"LAKECTL_TARGET": "aws"}, {}):
        aws = config.load(path, {} if chosen else {"target": "aws"}, environ | chosen)
        assert (aws.region, aws.profile, aws.endpoint_url) == ("us-east-1", "nobody", "http://127.0.0.1:9")
    path.write_text("region: eu-north-1\ntarget: aws\n")
    assert config.load(path, {}, environ).region == "us-east-1"


def test_a_part_of_a_section_keeps_the_other_defaults_of_it(tmp_path: Path) -> None:
    loaded = load(tmp_path, "buckets:\n  raw: {name: 'my-raw-{name}'}\nfunctions:\n  start_glue_job: {timeout: 60}\n")
    assert loaded.buckets.raw.versioning is True
    assert loaded.functions.start_glue_job.name == "start-glue-retail_bronze_to_silver"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("# c\nnme: x", 2, "nme: unknown key; did you mean 'name'?"),
        ("glue:\n  workers: many", 2, "glue.workers: 'many' is not allowed; input should be a valid integer"),
        ("name: x\nspec: {}", 2, "spec: unknown key; known here: name, target"),
        (
            "buckets:\n  raw: {name: My_Lake}",
            2,
            "buckets.raw.name: 'My_Lake' is not allowed; expected lower-case letters, digits, '.' and '-'",
        ),
        (
            "functions:\n  start_glue_job: {name: 'start job'}",
            2,
            "functions.start_glue_job.name: 'start job' is not allowed; expected letters, digits, '_', '.' and '-', at",
        ),
        ("target: gcp", 1, "target: 'gcp' is not allowed; expected 'local' or 'aws'"),
        ("triggers:\n  schedule: cron(1 2 3)", 2, "expected cron(min hour day month weekday year)"),
        ("a: [", 1, "not valid YAML"),
        ("- x", 1, "expected keys and values, found a list"),
        ("athena:\n  bytes_scanned_cutoff: 5", 2, "greater than or equal to 10000000"),
        (
            "sources:\n  orders: {keys: [x], columns: {a: bigint}}",
            2,
            "sources.orders.keys: 'x' is not a column of orders; columns: a",
        ),
        ("glue:\n\n  version: 4.0", 3, "glue.version: 4.0 is not allowed"),
    ],
)
def test_an_error_names_file_line_value_and_what_is_allowed(tmp_path: Path, text: str, line: int, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        load(tmp_path, text)
    assert caught.value.message.startswith(f"{tmp_path}/lake.yaml:{line}: ")
    assert says in caught.value.message
    assert "\n" not in caught.value.message


def test_an_error_from_a_flag_or_the_environment_names_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--region: region: 'mars' is not allowed; expected an AWS region"):
        load(tmp_path, "", region="mars")
    (tmp_path / "lake.yaml").write_text("")
    with pytest.raises(UsageError, match="LAKECTL_NAME: name: 'No!' is not allowed"):
        config.load(tmp_path / "lake.yaml", environ={"LAKECTL_NAME": "No!"})


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no config file at"):
        config.load(tmp_path / "none.yaml", environ={})
