"""The account that the session reaches: credentials, clock, region, and what stands there in the lake's way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from lakectl.aws import code_of, explain
from lakectl.errors import LakectlError
from lakectl.findings import Finding, ok, problem, unchecked
from lakectl.ops import provision
from lakectl.ops.doctor import network, simulation
from lakectl.ops.lake import Lake
from lakectl.ops.provision import lake_formation

SERVICES = ("s3", "dynamodb", "iam", "lambda", "events", "sqs", "glue", "athena", "logs", "sts")
EVERYWHERE = frozenset(("iam",))  # one endpoint for all regions of a partition
# ResponseParserError: an endpoint that does not know an operation answers with a page of its own.
FAILURES = (ClientError, BotoCoreError, ResponseParserError, LakectlError)
AFTER = ("region", "names", "Glue version", "Lake Formation", "permissions")  # what needs an identity


def findings(lake: Lake, also: Mapping[str, tuple[str, ...]] | None = None) -> Iterator[Finding]:
    """In the order of what depends on what. ``also``: actions beside those of ``up`` and ``down``, by kind of resource.

    Needs for each check the permission that its line names if it is denied."""
    sts = lake.client("sts")
    yield network.proxies(sts.meta.endpoint_url)
    try:
        identity = sts.get_caller_identity()
    except (ClientError, BotoCoreError, ResponseParserError) as error:
        found = explain(error)
        yield problem("credentials", found.message, found.hint)
        headers = getattr(error, "response", {}).get("ResponseMetadata", {}).get("HTTPHeaders")
        if headers:  # a wrong clock is a reason for a refused signature
            yield network.clock(headers, datetime.now(UTC))
        for check in AFTER if headers else ("clock", *AFTER):
            yield unchecked(check, "needs working credentials, see above")
        return
    yield ok("credentials", f"{identity['Arn']} in account {identity['Account']}")
    yield network.clock(identity["ResponseMetadata"]["HTTPHeaders"], datetime.now(UTC))
    checks: dict[str, Callable[[], Iterator[Finding]]] = {
        "region": lambda: iter([_region(lake)]),
        "names": lambda: iter([_names(lake)]),
        "Glue version": lambda: iter([_glue_version(lake)]),
        "Lake Formation": lambda: _lake_formation(lake),
        "permissions": lambda: simulation.findings(lake, identity["Arn"], also),
    }
    for check, function in checks.items():
        try:
            yield from function()
        except FAILURES as error:
            found = explain(error)
            yield unchecked(check, found.message, found.hint)


def _region(lake: Lake) -> Finding:
    if lake.aws.endpoint_url:
        return ok("region", f"{lake.aws.region}, at {lake.aws.endpoint_url}")
    session, name = lake.aws.session, lake.names.place.partition
    return region(
        lake.aws.region,
        {service: session.get_available_regions(service, name) for service in SERVICES if service not in EVERYWHERE},
    )


def region(name: str, available: dict[str, list[str]]) -> Finding:
    """``available``: service -> the regions that have it, as botocore's data say."""
    lacking = [service for service, regions in available.items() if name not in regions]
    if lacking:
        text = f"{name} has no {', '.join(lacking)}, by what this boto3 knows"
        return problem("region", text, "lakectl doctor --region eu-west-1; or: pip install --upgrade boto3")
    return ok("region", f"{name} has all {len(SERVICES)} services")


def _names(lake: Lake) -> Finding:
    foreign = [step.resource.id for step in provision.plan(lake).foreign]
    if foreign:
        text = f"not tagged as part of lake {lake.config.name!r}, so `up` refuses: {', '.join(foreign)}"
        return problem("names", text, "lakectl up --adopt; or choose other names: lakectl up --name NAME")
    return ok("names", f"nothing of another lake has the names of lake {lake.config.name!r}")


def _glue_version(lake: Lake) -> Finding:
    try:
        job: dict[str, Any] = lake.client("glue").get_job(JobName=lake.names.glue_job)["Job"]
    except ClientError as error:
        if code_of(error) != "EntityNotFoundException":
            raise
        job = {}
    return glue_version(lake.config.glue.version, job.get("GlueVersion"), lake.aws.region)


def glue_version(wanted: str, live: str | None, region: str) -> Finding:
    """``live``: the version of the job that is there, if any."""
    if live is None:
        why = f"{wanted} is wanted; Glue has no call that lists the versions of a region, and no job is there yet"
        return unchecked("Glue version", why, "lakectl up")
    if live != wanted:
        return problem("Glue version", f"the job has {live}, the configuration {wanted}", "lakectl up")
    return ok("Glue version", f"{live}, taken by Glue in {region}")


def _lake_formation(lake: Lake) -> Iterator[Finding]:
    missing = lake_formation.missing_grants(lake)
    for grant in missing:
        text = f"IAM alone does not decide here, and the job's role lacks {', '.join(grant.permissions)}"
        yield problem("Lake Formation", f"{text} on {next(iter(grant.resource))}", grant.command)
    if not missing:
        yield ok("Lake Formation", "the job's role lacks no grant")
