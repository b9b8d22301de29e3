"""`lakectl export`: both forms of any lake, checked by tools that nobody here wrote."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hcl2
import pytest
import yaml
from cfnlint.api import ManualArgs, lint_all
from cfnlint.api import lint as lint_one
from program_process import run_program
from ride_files import PROJECT as RIDES

from lakectl import config, lake, project
from lakectl.engine.model import Resource
from lakectl.local.control import Endpoint
from lakectl.ops import export as ops
from lakectl.ops.export import Where, hcl, writing

RETAIL = project.shipped_root() / "config/lake.yaml"
FORMS = ("cloudformation", "terraform")
EVERYWHERE = Where()
IN_FRANKFURT = Where("111122223333", "eu-central-1")


class Loader(yaml.SafeLoader):
    """YAML 1.2's booleans, as CloudFormation reads them: `on` is a text."""


def exported(config_file: Path, form: str, where: Where = EVERYWHERE, **settings: Any) -> writing.Exported:
    found = config.load(config_file, {}, {})
    changed = config.Config.model_validate({**found.model_dump(), "spec": found.spec, **settings})
    return writing.export(changed, project.find(str(config_file)), form, where, "lake-files")


def resources(config_file: Path) -> list[Resource]:
    return ops.resources(config.load(config_file, {}, {}), project.find(str(config_file)), IN_FRANKFURT)


@pytest.fixture(scope="module", params=[RETAIL, RIDES / "config/lake.yaml"], ids=["retail", "rides"])
def config_file(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


def lint(template: str, region: str = "") -> list[str]:
    """The errors and warnings of cfn-lint, which knows the schema of each resource type, where there is one (default:
    in all regions)."""
    all_found = lint_one(template, ManualArgs(regions=[region])) if region else lint_all(template)
    found = [match for match in all_found if match.rule.severity in ("error", "warning")]
    return [f"{match.rule.id} {match.message}" for match in found]


def test_cfn_lint_has_nothing_to_say(config_file: Path) -> None:
    where = EVERYWHERE if config_file == RETAIL else IN_FRANKFURT
    assert lint(exported(config_file, "cloudformation", where).text) == []


def test_cfn_lint_would_say_something() -> None:
    wrong = {"Resources": {"A": {"Type": "AWS::Logs::LogGroup", "Properties": {"Retention": 14}}}}
    assert [each[:5] for each in lint(json.dumps(wrong))] == ["E3002"]


def test_terraform_is_valid_hcl_with_an_import_for_each_resource(config_file: Path) -> None:
    found = hcl2.load(io.StringIO(exported(config_file, "terraform").text))
    made = {f"{kind}.{label}" for block in found["resource"] for kind, label in addresses(block)}
    imported = [plain(block["to"]) for block in found["import"]]
    views = {address for address in made if ".create_view_" in address}
    assert Counter(imported) == Counter(made - views)
    assert len(made) > 50


def addresses(block: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for kind, labels in block.items():
        for label in labels:
            if not label.startswith("__"):
                yield plain(kind), plain(label)


def plain(value: Any) -> str:
    """Versions of hcl2 leave the quotation marks, or ``${`` around an expression."""
    return str(value).strip('"').removeprefix("${").removesuffix("}").strip('"')


@pytest.mark.parametrize("form", FORMS)
def test_every_resource_is_in_it(config_file: Path, form: str) -> None:
    """What `plan` walks. Files of the bucket are beside a template, a notification is part of its bucket."""
    found = resources(config_file)
    made = ops.template(found) if form == "cloudformation" else ops.module(found)
    elsewhere = {"s3-object", "s3-notification"} if form == "cloudformation" else set()
    assert {each.id for each in found if each.kind not in elsewhere} == set(made.parts)
    objects = {each.name.partition("/")[2] for each in found if each.kind == "s3-object"}
    assert objects <= {file.path for file in made.files}


def test_a_notification_waits_for_the_permission_and_is_the_buckets() -> None:
    made = ops.template(resources(RETAIL))
    (bucket, _) = made.parts["s3-bucket/org-demo-lake-raw-demo"]
    wanted = made.resources[bucket]
    assert set(made.parts["lambda-permission/log-ingestion-run"]) <= set(wanted["DependsOn"])
    (rule,) = wanted["Properties"]["NotificationConfiguration"]["LambdaConfigurations"]
    assert rule["Function"] == "arn:aws:lambda:eu-central-1:111122223333:function:log-ingestion-run"
    assert bucket not in wanted["DependsOn"]


def test_there_is_a_notification_for_each_source_where_that_is_wanted() -> None:
    settings = {"landing": {"notifications": "per-source"}}
    template = yaml.load(exported(RETAIL, "cloudformation", **settings).text, Loader)  # noqa: S506 - a SafeLoader
    bucket = template["Resources"]["S3BucketOrgDemoLakeRawDemo"]["Properties"]
    rules = bucket["NotificationConfiguration"]["LambdaConfigurations"]
    prefixes = [rule["Filter"]["S3Key"]["Rules"][0]["Value"] for rule in rules]
    assert prefixes == ["retail/customers/", "retail/products/", "retail/orders/", "retail/_smoke/"]
    module = exported(RETAIL, "terraform", **settings).text
    assert module.count("filter_prefix ") == len(prefixes)


def test_what_comes_before_is_referred_to() -> None:
    """As people write it; what is referred to need not be waited for once more."""
    found = resources(RETAIL)
    function = ops.template(found).resources["LambdaFunctionLogIngestionRun"]
    assert function["Properties"]["Role"] == {"Fn::GetAtt": ["IamRoleLambdaLogIngestionRunRole", "Arn"]}
    assert "IamRoleLambdaLogIngestionRunRole" not in function["DependsOn"]
    text = exported(RETAIL, "terraform").text
    assert "role             = aws_iam_role.lambda_log_ingestion_run_role.arn\n" in text
    assert "function_name  = aws_lambda_function.log_ingestion_run.function_name\n" in text


def test_data_outlives_the_stack() -> None:
    made = ops.template(resources(RETAIL))
    kept = {each["Type"] for each in made.resources.values() if each.get("DeletionPolicy") == "Retain"}
    assert kept == {"AWS::S3::Bucket", "AWS::S3::BucketPolicy", "AWS::DynamoDB::Table"}


@pytest.mark.parametrize("form", FORMS)
def test_account_and_region_are_pseudo_parameters_unless_they_are_given(config_file: Path, form: str) -> None:
    anywhere = exported(config_file, form).text
    assert "«" not in anywhere
    assert "arn:aws:" not in anywhere
    there = exported(config_file, form, IN_FRANKFURT).text
    assert "arn:aws:dynamodb:eu-central-1:111122223333:table/" in there
    for word in ("AWS::AccountId", "AWS::Region", "AWS::Partition", "var.account_id}", "var.region}", "aws_partition"):
        assert word not in there


def test_a_dollar_sign_of_ours_stays_one() -> None:
    """`${ingest_date}` is Athena's: neither CloudFormation nor Terraform may look for it."""
    template = yaml.load(exported(RETAIL, "cloudformation").text, Loader)  # noqa: S506 - a SafeLoader
    table = template["Resources"]["GlueTableRetailBronzeOrdersRaw"]["Properties"]["TableInput"]
    plain_text = "s3://org-demo-lake-raw-demo/retail/orders/ingest_date=${ingest_date}/"
    assert table["Parameters"]["storage.location.template"] == plain_text
    assert 'ingest_date=$${ingest_date}/"' in exported(RETAIL, "terraform").text


def test_queries_stay_as_they_are() -> None:
    """To the byte, since another text would be a change of each query when a lake is adopted."""
    found = [each for each in resources(RETAIL) if each.kind == "athena-named-query"]
    template = yaml.load(exported(RETAIL, "cloudformation").text, Loader)  # noqa: S506 - a SafeLoader
    written = {
        each["Properties"]["Name"]: each["Properties"]["QueryString"]
        for each in template["Resources"].values()
        if each["Type"] == "AWS::Athena::NamedQuery"
    }
    assert {each.query_name: each.sql for each in found}.items() <= written.items()  # type: ignore[attr-defined]
    assert len(found) == 15
    text = exported(RETAIL, "terraform").text
    assert all(f"\n{each.sql}\nEOT\n" in text for each in found if "\n" in each.sql)  # type: ignore[attr-defined]


def test_views_are_statements_to_run_once() -> None:
    template = yaml.load(exported(RETAIL, "cloudformation").text, Loader)  # noqa: S506 - a SafeLoader
    view = template["Resources"]["AthenaViewRetailSilverDailySales"]["Properties"]
    assert view["Name"] == "create_view_daily_sales"
    assert view["QueryString"].startswith('CREATE OR REPLACE VIEW "retail_silver"."daily_sales" AS\nSELECT')
    assert "Run it once" in view["Description"]


ODD_TAGS = {"Owner": 'Ann "the $" O\'Hara ${x} %{y}', "cost:centre": "ü"}


def test_tags_are_carried_whatever_is_in_them() -> None:
    template = yaml.load(exported(RETAIL, "cloudformation", tags=ODD_TAGS).text, Loader)  # noqa: S506 - a SafeLoader
    tags = template["Resources"]["DynamodbTableIngestionRuns"]["Properties"]["Tags"]
    assert [{"Key": key, "Value": value} for key, value in ODD_TAGS.items()] == tags[:2]
    terraform = exported(RETAIL, "terraform", tags=ODD_TAGS).text
    assert hcl.attribute("Owner", ODD_TAGS["Owner"]).split(" = ")[1] in terraform


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("settings", "holds"),
    [
        ({"suffix_names": True, "name": "another-one"}, "retail_silver_another_one"),
        ({"landing": {"enforce_immutable": True}}, "lakectl-immutable"),
        ({"triggers": {"schedule_enabled": False}}, "DISABLED"),
        ({"functions": {"log_retention_days": 545}}, "545"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_settings_are_carried(form: str, settings: dict[str, Any], holds: str) -> None:
    assert holds not in exported(RETAIL, form).text
    assert holds in exported(RETAIL, form, **settings).text


CHOICES: dict[str, Any] = {
    "alerts": {"alarms": True, "budget_usd": 20, "notify": "ann@example.com"},
    "athena": {"managed_results": True},
    "buckets": {"namespace": "account-regional"},
    "maintenance": {"optimizers": True},
}


def test_choices_are_carried_or_said_to_be_left_out() -> None:
    template = exported(RETAIL, "cloudformation", IN_FRANKFURT, **CHOICES).text
    assert lint(template, "eu-central-1") == []  # in some regions CloudFormation has no budgets
    kinds = Counter(each["Type"] for each in yaml.load(template, Loader)["Resources"].values())  # noqa: S506 - safe
    assert (kinds["AWS::CloudWatch::Alarm"], kinds["AWS::Budgets::Budget"]) == (3, 1)
    assert "BucketNamespace: account-regional" in template
    assert "ManagedQueryResultsConfiguration" in template
    module = exported(RETAIL, "terraform", IN_FRANKFURT, **CHOICES).text
    hcl2.load(io.StringIO(module))
    for words in ("aws_cloudwatch_metric_alarm", "aws_budgets_budget", 'bucket_namespace = "account-regional"'):
        assert words in module
    for text in (template, module):
        assert "# Glue's optimizers of the silver tables are not in it" in text


def test_the_provider_is_as_new_as_what_is_used_of_it() -> None:
    assert 'version = ">= 5.62"' in exported(RETAIL, "terraform").text
    assert 'version = ">= 6.37"' in exported(RETAIL, "terraform", buckets=CHOICES["buckets"]).text


def test_a_resource_without_a_form_is_refused_by_name() -> None:
    class Strange(Resource):
        kind = "strange-thing"
        why = "To be refused."
        desired = read = create = update = destroy = lambda *_: None  # type: ignore[assignment]

    with pytest.raises(Exception, match="strange-thing x has no CloudFormation form"):
        ops.template([Strange("x", step="s")])
    with pytest.raises(Exception, match="strange-thing x has no Terraform form"):
        ops.module([Strange("x", step="s")])


def test_every_kind_of_the_lake_says_both_forms_itself() -> None:
    """In its own file, as all else that is known of it."""
    for kind in {type(each) for each in lake.resources(ops_names(), project.find())}:
        assert {"cloudformation", "terraform"} <= vars(kind).keys(), kind.kind


def ops_names() -> Any:
    from lakectl.naming import Names

    return Names(config.load(RETAIL, {}, {}), "111122223333", "eu-west-1")


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run_program("export", *arguments, cwd=folder)


def test_the_template_is_printed_without_a_running_lake(tmp_path: Path) -> None:
    done = run(tmp_path, "--format", "cloudformation")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == exported(RETAIL, "cloudformation").text
    assert list(tmp_path.iterdir()) == []
    as_json = json.loads(run(tmp_path, "--format", "terraform", "--json", "--region", "eu-central-1").stdout)
    assert as_json["template"] == exported(RETAIL, "terraform", Where("", "eu-central-1")).text


def test_out_writes_the_template_and_its_files_beside_it(tmp_path: Path) -> None:
    done = run(tmp_path, "--format", "terraform", "--out", "infra/lake.tf", "--account", "111122223333")
    assert done.returncode == 0, done.stderr
    assert '"${path.module}/lake-files"' in (tmp_path / "infra/lake.tf").read_text()
    home = tmp_path / "infra/lake-files"
    files = {path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()}
    assert {"jobs/lake.zip", "jobs/lake.json", "functions/log-ingestion-run.zip"} <= files
    elsewhere = run(tmp_path, "--format", "terraform", "--out", "infra/lake.tf", "--files", "code")
    assert elsewhere.returncode == 0, elsewhere.stderr
    assert '"${path.module}/../code"' in (tmp_path / "infra/lake.tf").read_text()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "Missing option '--format'"),
        (("--format", "pulumi"), "'pulumi' is not one of"),
        (("--format", "terraform", "--account", "12"), "'12' is no account id: that has 12 digits"),
        (("--format", "cloudformation", "--adopt"), "--adopt is for Terraform alone"),
        (("--format", "terraform", "--out", "there"), "can't write there: it is a folder"),
        (("--format", "terraform", "--region", "nowhere"), "region"),
    ],
)
def test_bad_input_is_one_line(tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    (tmp_path / "there").mkdir()
    done = run(tmp_path, *arguments)
    assert done.returncode == 64
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_what_is_not_running_can_not_be_adopted(endpoint: Endpoint, tmp_path: Path) -> None:  # noqa: ARG001
    (tmp_path / "lake.yaml").write_text("name: nowhere\nsuffix_names: true\n")
    shutil.copytree(project.shipped_root() / "queries", tmp_path / "queries")
    done = run(tmp_path, "-c", "lake.yaml", "--format", "terraform", "--adopt", "--out", "x.tf")
    assert done.returncode == 1
    assert "saved query 01_peek is not there, so it can't be adopted" in done.stderr
    assert not (tmp_path / "x.tf").exists()
