"""The condition keys that are known here: a policy that asks for another one can't be judged, and is refused by name.

IAM user guide, "AWS global condition context keys"; Service Authorization Reference, each service's page.
"""

from __future__ import annotations

# Borne by requests to this endpoint, some of them by some callers only.
GIVEN = {
    *("aws:currenttime", "aws:epochtime", "aws:securetransport", "aws:sourceip", "aws:useragent", "aws:referer"),
    *("aws:principalaccount", "aws:principalarn", "aws:principaltype", "aws:username", "aws:userid"),
    *("aws:principalisawsservice", "aws:principalservicename", "aws:viaawsservice", "aws:tokenissuetime"),
    *("aws:requestedregion", "aws:resourceaccount", "aws:sourcearn", "aws:sourceaccount", "aws:tagkeys"),
    *("aws:multifactorauthpresent",),
    *("cloudwatch:namespace", "dynamodb:enclosingoperation", "dynamodb:leadingkeys", "lambda:functionarn"),
    *("iam:associatedresourcearn", "iam:passedtoservice", "sts:externalid", "sts:rolesessionname"),
    *("s3:delimiter", "s3:max-keys", "s3:prefix", "s3:versionid", "s3:if-match", "s3:if-none-match"),
    *("s3:objectcreationoperation", "s3:x-amz-acl", "s3:x-amz-copy-source", "s3:x-amz-server-side-encryption"),
    *("s3:x-amz-storage-class",),
}
# Of what is not here, so that no request bears them: organizations, networks of one's own, other identity providers,
# devices for a second factor, keys of one's own, services that call on somebody's behalf.
ABSENT = {
    *("aws:principalorgid", "aws:principalorgpaths", "aws:resourceorgid", "aws:resourceorgpaths"),
    *("aws:sourceorgid", "aws:sourceorgpaths", "aws:sourcevpc", "aws:sourcevpce", "aws:sourcevpcarn"),
    *("aws:vpcsourceip", "aws:ec2instancesourcevpc", "aws:ec2instancesourceprivateipv4", "aws:federatedprovider"),
    *("aws:multifactorauthage", "aws:sourceidentity", "aws:calledvia", "aws:calledviafirst", "aws:calledvialast"),
    *("aws:principalservicenameslist", "ec2:sourceinstancearn", "sts:sourceidentity"),
    *("s3:x-amz-server-side-encryption-aws-kms-key-id", "s3:dataaccesspointarn", "s3:dataaccesspointaccount"),
}
TAGS = ("aws:principaltag/", "aws:requesttag/")


def known(key: str) -> bool:
    """Whether a request that does not bear ``key`` (lower case) would not bear it on AWS either."""
    return key in GIVEN or key in ABSENT or key.startswith(TAGS)
