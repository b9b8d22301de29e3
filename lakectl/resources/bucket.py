"""An S3 bucket with its settings. Policy statements and lifecycle rules of ours bear ``lakectl-`` ids;
foreign ones beside them are kept (both puts replace everything, so they are read, merged and written)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from lakectl.aws import Aws, code_of
from lakectl.engine.forms import Block, Json, Module, Template, at, tag_list
from lakectl.engine.model import Change, Data, Resource, State
from lakectl.engine.retry import Reason, until_ready
from lakectl.errors import LakectlError
from lakectl.naming import Place
from lakectl.resources import lifecycle_rule
from lakectl.resources.emptying import KEYS_FAILED, empty
from lakectl.resources.policy_document import comparable_statements, statements

# S3 answers OperationAborted while a bucket of that name is still being deleted or configured.
BUCKET_BUSY = (Reason("S3 to finish deleting or changing the bucket of that name", ("OperationAborted",)),)
# A bucket that was made a moment ago is not known everywhere (hashicorp/terraform-provider-aws, bucket_policy.go and
# its neighbours try each setting again on NoSuchBucket).
BUCKET_NEW = (Reason("the new bucket to be known everywhere in S3", ("NoSuchBucket",)),)
# A write that was under way, or not yet reached by the policy that denies it, lands while the bucket is emptied.
BUCKET_FILLED = (Reason("the last writes to the bucket, to delete them too", ("BucketNotEmpty",)),)
OBJECTS_FAILED = (Reason("S3 to delete all of the objects", KEYS_FAILED),)
# Another `up` puts the same folder marker at this moment (S3 user guide, "Conditional writes": to be tried again).
MARKER_BUSY = (Reason("another write of the folder marker to end", ("ConditionalRequestConflict",)),)

OURS = "lakectl-"
DENY_WRITES = f"{OURS}deny-writes"
BLOCK_ALL = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}
# What a bucket is set to that was made a moment ago: nothing need be read back.
NEW_BUCKET: Mapping[str, Any] = {
    "object_ownership": "BucketOwnerEnforced",
    "versioning": "Suspended",
    "policy": {},
    "lifecycle": {},
    "prefixes": [],
}


class Bucket(Resource):
    """``lifecycle`` maps a rule id (``lakectl-…``) to the rest of the rule; ``prefixes`` are folder markers;
    ``namespace`` is ``global`` or ``account-regional``, in which nobody else can have the name."""

    kind = "s3-bucket"
    why = "Buckets: private, encrypted, TLS only. Versions are kept where data must survive a mistake."
    data = Data.HELD
    idle_cost = "what it holds, old versions too, by the gigabyte and month"
    arn_format = "arn:{partition}:s3:::{name}"
    reads = ("s3:GetObject",)
    # AbortMultipartUpload: Iceberg's S3FileIO, when it fails in the middle of a file too large for one PutObject.
    writes = ("s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload")
    exists_codes = frozenset(("BucketAlreadyOwnedByYou",))
    tagging: ClassVar = {"CreateBucket": "s3:TagResource"}
    comparable: ClassVar = {"policy": comparable_statements}
    # What the field is when AWS has no configuration of it.
    ABSENT_CODES: ClassVar[frozenset[str]] = frozenset(
        (
            "NoSuchPublicAccessBlockConfiguration",
            "ServerSideEncryptionConfigurationNotFoundError",
            "OwnershipControlsNotFoundError",
            "NoSuchBucketPolicy",
            "NoSuchLifecycleConfiguration",
            "NoSuchTagSet",
        )
    )

    def __init__(
        self,
        name: str,
        *,
        step: str,
        tags: Mapping[str, str],
        place: Place,
        namespace: str = "global",
        versioning: bool = False,
        lifecycle: Mapping[str, Mapping[str, Any]] | None = None,
        prefixes: tuple[str, ...] = (),
        immutable_prefix: str = "",
    ) -> None:
        super().__init__(name, step=step, tags=tags, place=place)
        self.account = place.account
        self.namespace = namespace
        self.versioning = versioning
        self.lifecycle = {key: dict(rule) for key, rule in (lifecycle or {}).items()}
        self.prefixes = prefixes
        self.immutable_prefix = immutable_prefix

    def desired(self) -> Mapping[str, Any]:
        return {
            "public_access_block": BLOCK_ALL,
            "encryption": "AES256",
            "object_ownership": "BucketOwnerEnforced",
            "versioning": "Enabled" if self.versioning else "Suspended",
            "policy": {statement["Sid"]: statement for statement in self._policy()},
            "lifecycle": self.lifecycle,
            "prefixes": list(self.prefixes),
        }

    def _policy(self) -> list[dict[str, Any]]:
        return [self._tls_only(), *([self._immutable()] if self.immutable_prefix else [])]

    def _immutable(self) -> dict[str, Any]:
        """No put without If-None-Match. The parts of a large upload can't bear it, its completion can
        (S3 user guide, "Enforce conditional writes on Amazon S3 buckets")."""
        return {
            "Sid": f"{OURS}immutable",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:PutObject",
            "Resource": f"{self.arn}/{self.immutable_prefix}*",
            "Condition": {"Null": {"s3:if-none-match": "true"}, "Bool": {"s3:ObjectCreationOperation": "true"}},
        }

    def _deny_writes(self) -> dict[str, Any]:
        """No new objects or versions, whoever asks; deleting goes on."""
        return {
            "Sid": DENY_WRITES,
            "Effect": "Deny",
            "Principal": "*",
            "Action": ["s3:PutObject", "s3:ReplicateObject"],
            "Resource": f"{self.arn}/*",
        }

    def _tls_only(self) -> dict[str, Any]:
        return {
            "Sid": f"{OURS}tls-only",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [self.arn, f"{self.arn}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }

    def read(self, aws: Aws) -> State | None:
        s3 = aws.client("s3")
        owner = {"Bucket": self.name, "ExpectedBucketOwner": self.account}
        try:
            s3.head_bucket(**owner)
        except ClientError as error:
            if code_of(error) in ("404", "NoSuchBucket"):
                return None
            if code_of(error) == "403":
                raise LakectlError(
                    f"bucket {self.name} belongs to another account, or you may not see it",
                    "bucket names are global: choose another lake name with --name",
                ) from error
            raise
        calls: dict[str, Callable[[], Any]] = {
            "public_access_block": lambda: s3.get_public_access_block(**owner)["PublicAccessBlockConfiguration"],
            "encryption": lambda: s3.get_bucket_encryption(**owner)["ServerSideEncryptionConfiguration"]["Rules"][0][
                "ApplyServerSideEncryptionByDefault"
            ]["SSEAlgorithm"],
            "object_ownership": lambda: s3.get_bucket_ownership_controls(**owner)["OwnershipControls"]["Rules"][0][
                "ObjectOwnership"
            ],
            "versioning": lambda: self._versioning(s3.get_bucket_versioning(**owner)),
            "policy": lambda: self._ours(self._statements(aws)),
            "lifecycle": lambda: self._ours(self._rules(aws)),
            "prefixes": lambda: [prefix for prefix in self.prefixes if self._has(aws, prefix)],
            "tags": lambda: {tag["Key"]: tag["Value"] for tag in s3.get_bucket_tagging(**owner)["TagSet"]},
        }
        try:
            fields = {field: self._or_none(call) for field, call in calls.items()}
        except ClientError as error:
            # HeadBucket may still find a bucket that is deleted; its settings don't.
            if code_of(error) == "NoSuchBucket":
                return None
            raise
        tags = fields.pop("tags") or {}
        return State(fields, tags)

    @staticmethod
    def _ours(named: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in named.items() if name.startswith(OURS)}

    def _or_none(self, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except ClientError as error:
            if code_of(error) in self.ABSENT_CODES:
                return None
            raise

    def _foreign(self, read: Callable[[Aws], Mapping[str, Any]], aws: Aws) -> dict[str, Any]:
        """What ``read`` gives that is not ours; nothing where the bucket is not there, or not seen yet."""
        try:
            return {name: value for name, value in read(aws).items() if not name.startswith(OURS)}
        except ClientError as error:
            if code_of(error) == "NoSuchBucket":
                return {}
            raise

    @staticmethod
    def _versioning(answer: Mapping[str, Any]) -> str:
        # A bucket that never had versioning has no status; to us that is the same as Suspended.
        return str(answer.get("Status", "Suspended"))

    def _statements(self, aws: Aws) -> dict[str, dict[str, Any]]:
        """All policy statements by Sid (``#n`` for those without)."""
        document = self._or_none(lambda: aws.client("s3").get_bucket_policy(Bucket=self.name)["Policy"])
        return {statement.get("Sid") or f"#{n}": statement for n, statement in enumerate(statements(document))}

    def _rules(self, aws: Aws) -> dict[str, dict[str, Any]]:
        """All lifecycle rules by id, without the id."""
        rules = self._or_none(lambda: aws.client("s3").get_bucket_lifecycle_configuration(Bucket=self.name)["Rules"])
        return {rule["ID"]: {k: v for k, v in rule.items() if k != "ID"} for rule in rules or []}

    def _has(self, aws: Aws, key: str) -> bool:
        try:
            aws.client("s3").head_object(Bucket=self.name, Key=key)
        except ClientError as error:
            if code_of(error) in ("404", "NoSuchKey"):
                return False
            raise
        return True

    def create(self, aws: Aws) -> None:
        s3 = aws.client("s3")
        configuration: dict[str, Any] = {"Tags": [{"Key": k, "Value": v} for k, v in self.tags.items()]}
        if aws.region != "us-east-1":  # us-east-1 is the one region that takes no LocationConstraint
            configuration["LocationConstraint"] = aws.region
        try:
            until_ready(
                lambda: s3.create_bucket(
                    Bucket=self.name,
                    CreateBucketConfiguration=configuration,
                    ObjectOwnership="BucketOwnerEnforced",
                    # Not for the usual namespace: other S3s, and older ones, don't know the header.
                    **({} if self.namespace == "global" else {"BucketNamespace": self.namespace}),
                ),
                BUCKET_BUSY,
            )
        except ClientError as error:
            if code_of(error) == "BucketAlreadyExists":
                raise LakectlError(
                    f"somebody else owns the bucket name {self.name}",
                    "bucket names are global: set buckets.namespace: account-regional, or choose another --name",
                ) from error
            raise
        self._put(aws, self.diff(State(NEW_BUCKET, self.tags)), BUCKET_BUSY + BUCKET_NEW)

    def update(self, aws: Aws, changes: tuple[Change, ...]) -> None:
        self._put(aws, changes, BUCKET_BUSY)

    def _put(self, aws: Aws, changes: tuple[Change, ...], reasons: tuple[Reason, ...]) -> None:
        s3 = aws.client("s3")
        owner = {"Bucket": self.name, "ExpectedBucketOwner": self.account}
        writers: dict[str, Callable[[], Any]] = {
            "public_access_block": lambda: s3.put_public_access_block(
                PublicAccessBlockConfiguration=BLOCK_ALL, **owner
            ),
            "encryption": lambda: s3.put_bucket_encryption(
                ServerSideEncryptionConfiguration={
                    "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
                },
                **owner,
            ),
            "object_ownership": lambda: s3.put_bucket_ownership_controls(
                OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}, **owner
            ),
            "versioning": lambda: s3.put_bucket_versioning(
                VersioningConfiguration={"Status": self.desired()["versioning"]}, **owner
            ),
            "policy": lambda: self.put_policy(aws),
            "lifecycle": lambda: self._put_lifecycle(aws, owner),
            "prefixes": lambda: self._put_prefixes(aws),
            "tags": lambda: self._put_tags(aws, owner),
        }
        for change in changes:
            until_ready(writers[change.field], reasons + MARKER_BUSY)

    def visible(self, aws: Aws) -> bool:
        """The lifecycle rules, which S3 shows last: Terraform waits until ten reads in a row agree."""
        try:
            return not self.lifecycle or self._ours(self._rules(aws)) == self.lifecycle
        except ClientError as error:
            if code_of(error) == "NoSuchBucket":
                return False
            raise

    def _put_prefixes(self, aws: Aws) -> None:
        for prefix in self.prefixes:
            try:
                aws.client("s3").put_object(
                    Bucket=self.name, Key=prefix, IfNoneMatch="*", ExpectedBucketOwner=self.account
                )
            except ClientError as error:
                # It was there already: the answer of the first try was lost, or another `up` was faster.
                if code_of(error) != "PreconditionFailed":
                    raise

    def denies_writes(self, aws: Aws) -> bool:
        """Whether the statement of ``put_policy(deny_writes=True)`` is there. Raises ``NoSuchBucket`` as AWS does."""
        try:
            policy = aws.client("s3").get_bucket_policy(Bucket=self.name, ExpectedBucketOwner=self.account)["Policy"]
        except ClientError as error:
            if code_of(error) == "NoSuchBucketPolicy":
                return False
            raise
        return any(each.get("Sid") == DENY_WRITES for each in statements(policy))

    def put_policy(self, aws: Aws, deny_writes: bool = False) -> None:
        """Put our statements to what we want, with or without the one that denies all writes; keep the others."""
        ours = [*self._policy(), *([self._deny_writes()] if deny_writes else [])]
        foreign = self._foreign(self._statements, aws)
        document = {"Version": "2012-10-17", "Statement": [*foreign.values(), *ours]}
        aws.client("s3").put_bucket_policy(
            Bucket=self.name, Policy=json.dumps(document), ExpectedBucketOwner=self.account
        )

    def _put_lifecycle(self, aws: Aws, owner: Mapping[str, str]) -> None:
        foreign = self._foreign(self._rules, aws)
        rules = [{"ID": key, **rule} for key, rule in {**foreign, **self.lifecycle}.items()]
        aws.client("s3").put_bucket_lifecycle_configuration(LifecycleConfiguration={"Rules": rules}, **owner)

    def _put_tags(self, aws: Aws, owner: Mapping[str, str]) -> None:
        s3 = aws.client("s3")
        answer = self._or_none(lambda: s3.get_bucket_tagging(**owner)["TagSet"])
        tags = {**{tag["Key"]: tag["Value"] for tag in answer or []}, **self.tags}
        s3.put_bucket_tagging(Tagging={"TagSet": [{"Key": k, "Value": v} for k, v in tags.items()]}, **owner)

    def destroy(self, aws: Aws) -> None:
        """Remove every version, delete marker and unfinished upload, then the bucket."""
        s3 = aws.client("s3")

        def delete() -> None:
            empty(aws, self.name)
            s3.delete_bucket(Bucket=self.name, ExpectedBucketOwner=self.account)

        try:
            until_ready(delete, BUCKET_BUSY + BUCKET_FILLED + OBJECTS_FAILED)
        except ClientError as error:
            if code_of(error) != "NoSuchBucket":
                raise

    def cloudformation(self, template: Template, needs: tuple[str, ...]) -> None:
        """The folder markers are left out: a template holds no objects, and only people look at them."""
        versioning = {"VersioningConfiguration": {"Status": "Enabled"}} if self.versioning else {}
        rules = [{"Id": key, **lifecycle_rule.cloudformation(rule)} for key, rule in self.lifecycle.items()]
        bucket = template.add(
            self.id,
            "AWS::S3::Bucket",
            {
                "BucketName": self.name,
                **({} if self.namespace == "global" else {"BucketNamespace": self.namespace}),
                "PublicAccessBlockConfiguration": BLOCK_ALL,
                "BucketEncryption": {
                    "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
                },
                "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
                **versioning,
                "LifecycleConfiguration": {"Rules": rules},
                "Tags": tag_list(self.tags),
            },
            needs=needs,
            keep=True,
        )
        template.add(
            self.id,
            "AWS::S3::BucketPolicy",
            {"Bucket": {"Ref": bucket}, "PolicyDocument": {"Version": "2012-10-17", "Statement": self._policy()}},
            part="policy",
            keep=True,
        )

    def terraform(self, module: Module, needs: tuple[str, ...]) -> None:
        def add(kind: str, body: Mapping[str, Any]) -> None:
            settings = {"bucket": at(bucket, "bucket"), **body}
            module.add(self.id, f"aws_s3_bucket_{kind}", self.name, settings, import_id=self.name)

        namespace = {} if self.namespace == "global" else {"bucket_namespace": self.namespace}
        if namespace:
            module.since(6, 37)  # hashicorp/terraform-provider-aws#46917
        bucket = module.add(
            self.id,
            "aws_s3_bucket",
            self.name,
            {"bucket": self.name, **namespace, "tags": self.tags},
            import_id=self.name,
            needs=needs,
        )
        add(
            "public_access_block",
            {
                "block_public_acls": True,
                "ignore_public_acls": True,
                "block_public_policy": True,
                "restrict_public_buckets": True,
            },
        )
        by_default = Block(apply_server_side_encryption_by_default=Block(sse_algorithm="AES256"))
        add("server_side_encryption_configuration", {"rule": by_default})
        add("ownership_controls", {"rule": Block(object_ownership="BucketOwnerEnforced")})
        if self.versioning:
            add("versioning", {"versioning_configuration": Block(status="Enabled")})
        add("policy", {"policy": Json({"Version": "2012-10-17", "Statement": self._policy()})})
        rules = [Block(id=key, **lifecycle_rule.terraform(rule)) for key, rule in self.lifecycle.items()]
        add("lifecycle_configuration", {"rule": rules})
        for prefix in self.prefixes:
            module.add(
                self.id,
                "aws_s3_object",
                f"{self.name}_{prefix}",
                {"bucket": at(bucket, "bucket"), "key": prefix},
                import_id=f"{self.name}/{prefix}",
            )
