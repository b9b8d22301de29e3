"""Every physical name of a lake, derived in one place."""

from __future__ import annotations

from dataclasses import dataclass

from lakectl.config import Config
from lakectl.errors import UsageError

TAG_LAKE = "lakectl:lake"
TAG_REGION = "lakectl:region"
# Bahrain and UAE (S3 user guide, "Namespaces for general purpose buckets").
NO_ACCOUNT_NAMESPACE = ("me-south-1", "me-central-1")


@dataclass(frozen=True)
class Place:
    """Where a lake is: what the ARNs of its resources are made of."""

    account: str
    region: str

    @property
    def partition(self) -> str:
        if self.region.startswith("cn-"):
            return "aws-cn"
        return "aws-us-gov" if self.region.startswith("us-gov-") else "aws"

    @property
    def dns_suffix(self) -> str:
        """What the hosts of its services end in."""
        return "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"


@dataclass(frozen=True)
class Names:
    """Physical names and ARNs of the lake that ``config`` describes, in one account and region."""

    config: Config
    account: str
    region: str

    def _suffixed(self, name: str, separator: str = "-") -> str:
        if not self.config.suffix_names:
            return name
        suffix = self.config.name if separator == "-" else self.config.name.replace("-", "_")
        return f"{name}{separator}{suffix}"

    # S3
    def bucket(self, role: str) -> str:
        """The bucket that plays ``role``: raw, silver or tmp. S3 allows 3 to 63 characters."""
        name = str(getattr(self.config.buckets, role).name).replace("{name}", self.config.name) + self._bucket_suffix
        if not 3 <= len(name) <= 63:
            raise UsageError(f"bucket name {name!r} has {len(name)} characters; S3 allows 3 to 63", "shorten --name")
        if name.endswith("-an") and not self._bucket_suffix:
            raise UsageError(f"bucket name {name!r} ends with -an, which S3 keeps for names with an account's number")
        return name

    @property
    def _bucket_suffix(self) -> str:
        """What ends each name in the account's own namespace (S3 user guide, "Namespaces for general purpose
        buckets")."""
        if self.config.buckets.namespace == "global":
            return ""
        if self.region in NO_ACCOUNT_NAMESPACE:
            raise UsageError(
                f"{self.region} has no account-regional namespace of buckets", "set buckets.namespace: global"
            )
        return f"-{self.account}-{self.region}-an"

    @property
    def raw_bucket(self) -> str:
        return self.bucket("raw")

    @property
    def silver_bucket(self) -> str:
        return self.bucket("silver")

    @property
    def tmp_bucket(self) -> str:
        return self.bucket("tmp")

    @property
    def warehouse(self) -> str:
        return f"s3://{self.silver_bucket}/"

    @property
    def job_script_key(self) -> str:
        return f"jobs/{self.config.glue.job}.py"

    @property
    def maintenance_script_key(self) -> str:
        return f"jobs/{self.config.glue.maintenance_job}.py"

    @property
    def job_package_key(self) -> str:
        return "jobs/lake.zip"

    @property
    def job_spec_key(self) -> str:
        return "jobs/lake.json"

    @property
    def query_results(self) -> str:
        return f"s3://{self.tmp_bucket}/{self.config.athena.results_prefix}"

    # DynamoDB
    @property
    def run_log(self) -> str:
        return self._suffixed(self.config.run_log.table)

    # Lambda
    @property
    def log_function(self) -> str:
        return self._suffixed(self.config.functions.log_ingestion_run.name)

    @property
    def start_function(self) -> str:
        return self._suffixed(self.config.functions.start_glue_job.name)

    # SQS
    @property
    def dead_letter_queue(self) -> str:
        return self._suffixed(self.config.functions.dead_letter_queue)

    # IAM
    @property
    def log_role(self) -> str:
        return self._suffixed(self.config.functions.log_ingestion_run.role)

    @property
    def start_role(self) -> str:
        return self._suffixed(self.config.functions.start_glue_job.role)

    @property
    def glue_role(self) -> str:
        return self._suffixed(self.config.glue.role)

    @property
    def optimizer_role(self) -> str:
        return self._suffixed(self.config.maintenance.optimizer_role)

    # Glue and Athena. Database names take no hyphen (Athena, "Name databases, tables and columns").
    @property
    def bronze_database(self) -> str:
        return self._suffixed(self.config.glue.bronze_database, "_")

    @property
    def silver_database(self) -> str:
        return self._suffixed(self.config.glue.silver_database, "_")

    def bronze_table(self, source: str) -> str:
        return f"{source}_raw"

    @property
    def glue_job(self) -> str:
        return self._suffixed(self.config.glue.job)

    @property
    def maintenance_job(self) -> str:
        return self._suffixed(self.config.glue.maintenance_job)

    @property
    def glue_log_prefix(self) -> str:
        return self._glue_log_prefix(self.glue_job)

    @property
    def maintenance_log_prefix(self) -> str:
        return self._glue_log_prefix(self.maintenance_job)

    def _glue_log_prefix(self, job: str) -> str:
        # With suffixed names the job's name ends in the lake's name already.
        suffix = "" if self.config.suffix_names else f"-{self.config.name}"
        return f"/aws-glue/{job}{suffix}"

    @property
    def workgroup(self) -> str:
        return self._suffixed(self.config.athena.workgroup)

    # EventBridge
    @property
    def orders_rule(self) -> str:
        return self._suffixed(self.config.triggers.orders_rule)

    @property
    def drain_rule(self) -> str:
        return self._suffixed(self.config.triggers.drain_rule)

    @property
    def daily_rule(self) -> str:
        return self._suffixed(self.config.triggers.daily_rule)

    @property
    def rules(self) -> tuple[str, str, str]:
        """The rules whose target is the starter."""
        return self.orders_rule, self.drain_rule, self.daily_rule

    def lambda_log_group(self, function: str) -> str:
        return f"/aws/lambda/{function}"

    @property
    def place(self) -> Place:
        return Place(self.account, self.region)

    @property
    def tags(self) -> dict[str, str]:
        """The tags of everything that takes tags; :data:`TAG_LAKE` is the proof of ownership."""
        return {**self.config.tags, TAG_LAKE: self.config.name, TAG_REGION: self.region}
