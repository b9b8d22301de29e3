"""For each condition in a policy of the lake: the page on which AWS promises that the key is in the request.

A condition on a key that AWS doesn't send is false: an Allow opens nothing, without a word. A Deny denies nothing, or,
with Null, everything.
"""

from __future__ import annotations

from lakectl.contract.sources import both, page

IAM = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"
GLOBAL_KEYS = page(f"{IAM}reference_policies_condition-keys.html")  # "Availability" of each key
# "aws:SourceAccount: the account in which the rule specified by aws:SourceArn exists"; "aws:SourceArn: the ARN of the
# rule that is sending the event".
EVENTBRIDGE_KEYS = page("https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html")
RULE_DEAD_LETTERS = page("https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html")
LAMBDA_FROM_SERVICES = page("https://docs.aws.amazon.com/lambda/latest/dg/permissions-function-services.html")
S3_TO_DESTINATIONS = page(
    "https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html"
)
S3_CONDITIONAL_WRITES = page("https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html")
S3_TLS = page("https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html")
SQS_TLS = page(
    "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-security-best-practices.html"
)
METRIC_NAMESPACES = page(
    "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/iam-cw-condition-keys-namespace.html"
)

# (who sends the request, the service whose policy it is, the key in lower case): its source. Who sends: a service
# principal; "*" for everybody; "role" for what a role does with its own policy.
PROMISED: dict[tuple[str, str, str], str] = {
    ("s3.amazonaws.com", "lambda", "aws:sourceaccount"): both(LAMBDA_FROM_SERVICES, S3_TO_DESTINATIONS),
    ("s3.amazonaws.com", "lambda", "aws:sourcearn"): both(LAMBDA_FROM_SERVICES, S3_TO_DESTINATIONS),
    ("events.amazonaws.com", "lambda", "aws:sourceaccount"): EVENTBRIDGE_KEYS,
    ("events.amazonaws.com", "lambda", "aws:sourcearn"): both(EVENTBRIDGE_KEYS, LAMBDA_FROM_SERVICES),
    ("events.amazonaws.com", "sqs", "aws:sourceaccount"): EVENTBRIDGE_KEYS,
    ("events.amazonaws.com", "sqs", "aws:sourcearn"): both(EVENTBRIDGE_KEYS, RULE_DEAD_LETTERS),
    ("*", "sqs", "aws:securetransport"): both(GLOBAL_KEYS, SQS_TLS),
    ("*", "s3", "aws:securetransport"): both(GLOBAL_KEYS, S3_TLS),
    ("*", "s3", "s3:if-none-match"): S3_CONDITIONAL_WRITES,
    ("*", "s3", "s3:objectcreationoperation"): S3_CONDITIONAL_WRITES,
    ("role", "cloudwatch", "cloudwatch:namespace"): METRIC_NAMESPACES,
}
