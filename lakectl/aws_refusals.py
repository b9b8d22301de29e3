"""The way out of what AWS refuses: a permission, a policy that denies, a quota, a region.

Codes and words are those of the services' API references, and of the IAM user guide, "Troubleshoot access denied error
messages".
"""

from __future__ import annotations

import re
from collections.abc import Mapping

QUOTA_CODES = frozenset(
    ("LimitExceeded", "LimitExceededException", "TooManyBuckets", "ResourceNumberLimitExceededException")
    + ("CodeStorageExceededException", "ServiceQuotaExceededException", "ConcurrentRunsExceededException")
    + ("AccountLimitExceeded", "ResourceLimitExceededException", "QuotaExceeded")
    + ("PolicyLengthExceededException", "OverLimit")
)
# What reaches a quota -> the service code of Service Quotas.
QUOTAS_OF: Mapping[str, str] = {
    "CreateBucket": "s3",
    "CreateRole": "iam",
    "PutRolePolicy": "iam",
    "CreateFunction": "lambda",
    "UpdateFunctionCode": "lambda",
    "CreateTable": "dynamodb",
    "CreateDatabase": "glue",
    "CreateJob": "glue",
    "StartJobRun": "glue",
    "PutRule": "events",
    "PutTargets": "events",
    "CreateWorkGroup": "athena",
    "CreateNamedQuery": "athena",
    "StartQueryExecution": "athena",
    "CreateLogGroup": "logs",
}
ELSEWHERE_CODES = frozenset(
    ("PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "TemporaryRedirect")
)
DISABLED_CODES = frozenset(("OptInRequired", "RegionDisabledException"))
# A region that has to be enabled first answers so, too (AWS Account Management guide, "Enable or disable Regions").
UNKNOWN_KEY_CODES = frozenset(("InvalidClientTokenId", "UnrecognizedClientException"))
NOT_HERE = re.compile(
    r"not (?:yet )?(?:supported|available|enabled) in (?:this |the |your )?(?:current |selected |specified )?region"
    r"|region \S+ (?:is not supported|does not support)|not supported in [a-z]{2}(?:-[a-z]+)+-\d",
    re.IGNORECASE,
)
DENYING = re.compile(r"explicit deny in an? ([A-Za-z-]+(?: [a-z-]+)* policy|permissions boundary)")
OF_AN_ORGANIZATION = ("service control policy", "resource control policy")


def denied(message: str, permission: str) -> str:
    """What to do where access is denied. ``permission``: which one, as a noun phrase."""
    found = DENYING.search(message)
    if found is None:
        return f"ask for {permission}, or try another --profile"
    if found[1] in OF_AN_ORGANIZATION:
        return (
            f"a {found[1]} of the organization denies it, and no permission helps: ask its administrators, or try "
            "another account (--profile) or --region"
        )
    return f"its {found[1]} denies it, whatever else allows it: ask who wrote that, or try another --profile"


def way_out(operation: str, code: str, message: str) -> str | None:
    """What to do about an error that is about a quota or a region; None for another one."""
    if code in QUOTA_CODES:
        service = QUOTAS_OF.get(operation)
        listed = f"aws service-quotas list-service-quotas --service-code {service}" if service else "Service Quotas"
        where = " --region us-east-1" if service == "iam" else ""  # quotas of all regions are kept there
        return f"a quota of the account is used up: delete what is not needed, or raise it ({listed}{where})"
    if code in ELSEWHERE_CODES:
        return "it is in another region: name that one with --region, or choose another --name"
    if code in DISABLED_CODES:
        enable = "aws account enable-region --region-name REGION"
        return f"enable the region for the account ({enable}), or try another --region"
    if NOT_HERE.search(message):
        return "the region has no such feature: try another --region, or another value in config/lake.yaml"
    return None
