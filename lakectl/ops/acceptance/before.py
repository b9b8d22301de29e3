"""Before anything is made: permissions, quotas, and what it will cost at most."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from lakectl import prices
from lakectl.aws import explain
from lakectl.errors import AccessError, LakectlError
from lakectl.findings import Finding, Level, ok, problem, unchecked
from lakectl.ops.acceptance.actions import ALSO
from lakectl.ops.acceptance.model import Seen, StepFailed, Trial
from lakectl.ops.checks.model import counted
from lakectl.ops.doctor import account
from lakectl.ops.lake import Lake

DENYING = ("credentials", "permissions")
MOST_RUNS = 10  # the story starts six; each landing could start one more
MOST_QUERIES = 400
REQUESTS_USD = 0.25  # thousands of requests of S3, DynamoDB, Lambda, and what is stored for an hour: rounded up
# Service Quotas: a quota's code, its name, and how much of it one acceptance takes at once.
GLUE_DPUS = ("L-08F3B322", "Max task DPUs per account")
GLUE_RUNS = ("L-5E4153CA", "Max concurrent job runs per account")
RUNS_AT_ONCE = 2  # a transform and a maintenance run
FUNCTIONS_AT_ONCE = 4
ROLES = 3


@dataclass(frozen=True)
class AtMost:
    """US dollars, and the sentence that says how they are reckoned."""

    usd: float
    why: str


def caller(lake: Lake) -> str:
    """The ARN of whose credentials they are. Raises as :attr:`lakectl.aws.Aws.account`."""
    try:
        return str(lake.client("sts").get_caller_identity()["Arn"])
    except (ClientError, BotoCoreError) as error:
        raise explain(error) from error


def permissions(trial: Trial) -> Seen:
    """As `lakectl doctor`, with what the story calls beside `up` and `down`."""
    return _judged(account.findings(trial.lake, ALSO))


def quotas(trial: Trial) -> Seen:
    """The quotas that a new account may run into. What can't be looked up is said, and is no failure."""
    return _judged(_quotas(trial.lake))


def at_most(lake: Lake) -> AtMost:
    """The bound that the lake's own settings are: a run ends after its timeout, a query at its cutoff."""
    glue, athena = lake.config.glue, lake.config.athena
    run = glue.workers * glue.dpu_per_worker * glue.timeout_minutes / 60 * glue.usd_per_dpu_hour
    query = athena.bytes_scanned_cutoff / 1e12 * prices.ATHENA_TB
    why = (
        f"{MOST_RUNS} runs of at most {glue.timeout_minutes} minutes ({glue.workers} x {glue.worker_type}), "
        f"{MOST_QUERIES} queries of at most {athena.bytes_scanned_cutoff / 1e6:,.0f} MB, requests"
    )
    return AtMost(round(MOST_RUNS * run + MOST_QUERIES * query + REQUESTS_USD, 2), why)


def _judged(found: Iterable[Finding]) -> Seen:
    """Raises for the first problem, with how it is mended."""
    findings = list(found)
    checks = [asdict(each) for each in findings]
    for each in findings:
        if each.level is Level.PROBLEM:
            failure: LakectlError = StepFailed(f"{each.check}: {each.text}", each.command, {"checks": checks})
            failure.exit_code = AccessError.exit_code if each.check in DENYING else failure.exit_code
            raise failure
    count = sum(each.level is Level.OK for each in findings)
    open_ = [each.check for each in findings if each.level is Level.UNCHECKED]
    rest = f"; not checked: {', '.join(open_)}" if open_ else ""
    return Seen(f"{counted(count, 'check')}{rest}", {"checks": checks})


def _quotas(lake: Lake) -> Iterator[Finding]:
    dpus = lake.config.glue.workers * lake.config.glue.dpu_per_worker * RUNS_AT_ONCE
    checks = {
        "Lambda concurrency": lambda: _concurrency(lake),
        "IAM roles": lambda: _roles(lake),
        GLUE_DPUS[1]: lambda: _glue(lake, GLUE_DPUS, dpus),
        GLUE_RUNS[1]: lambda: _glue(lake, GLUE_RUNS, RUNS_AT_ONCE),
    }
    for name, check in checks.items():
        try:
            yield check()
        except (ClientError, BotoCoreError, ResponseParserError) as error:
            found = explain(error)
            yield unchecked(name, found.message.splitlines()[0], found.hint)


def _concurrency(lake: Lake) -> Finding:
    limits = lake.client("lambda").get_account_settings()["AccountLimit"]
    free = limits["UnreservedConcurrentExecutions"]
    where = f"{free:,} of {limits['ConcurrentExecutions']:,} executions at once are not reserved"
    if free < FUNCTIONS_AT_ONCE:
        return _too_small("Lambda concurrency", f"{where}, {FUNCTIONS_AT_ONCE} are needed", "lambda", "L-B99A9384", 10)
    return ok("Lambda concurrency", where)


def _roles(lake: Lake) -> Finding:
    summary = lake.client("iam").get_account_summary()["SummaryMap"]
    there, most = summary["Roles"], summary["RolesQuota"]
    text = f"{there:,} of {most:,} roles are there"
    if there + ROLES > most:
        return _too_small("IAM roles", f"{text}, {ROLES} more are needed", "iam", "L-FE177D64", most + ROLES)
    return ok("IAM roles", text)


def _glue(lake: Lake, quota: tuple[str, str], needed: float) -> Finding:
    code, name = quota
    answer = lake.client("service-quotas").get_service_quota(ServiceCode="glue", QuotaCode=code)
    value = answer["Quota"]["Value"]
    if value < needed:
        return _too_small(name, f"the account has {value:g}, {needed:g} are needed", "glue", code, needed)
    return ok(name, f"{value:g}")


def _too_small(check: str, text: str, service: str, code: str, wanted: float) -> Finding:
    command = (
        f"aws service-quotas request-service-quota-increase --service-code {service} --quota-code {code} "
        f"--desired-value {wanted:g}"
    )
    return problem(check, text, command)
