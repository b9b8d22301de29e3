"""The lake's configuration: ``config/lake.yaml`` → frozen :class:`Config`.

Precedence: flags > environment > file > defaults. Every error is one
:class:`~lakectl.errors.UsageError` that names file, line, key, value and what is allowed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    InstanceOf,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from lakectl import config_patterns, glue_versions
from lakectl.config_errors import usage_error
from lakectl.errors import UsageError
from lakectl.project import Project, shipped_root
from lakectl.spec import parsing, yaml_items
from lakectl.spec.model import LakeSpec, SourceSpec

Days = Annotated[int, Field(ge=1, le=3653)]
# CloudWatch accepts these periods only (PutRetentionPolicy, API reference).
RetentionDays = Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557]
Prefix = Annotated[str, Field(pattern=config_patterns.PREFIX)]
GlueName = Annotated[str, Field(pattern=config_patterns.GLUE_NAME)]
ResourceName = Annotated[str, Field(pattern=config_patterns.RESOURCE)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Bucket(_Section):
    name: str = Field(pattern=config_patterns.BUCKET)
    versioning: bool = False


class RawBucket(Bucket):
    name: str = Field(default="org-demo-lake-raw-{name}", pattern=config_patterns.BUCKET)
    versioning: bool = True


class SilverBucket(Bucket):
    name: str = Field(default="org-demo-lake-silver-{name}", pattern=config_patterns.BUCKET)


class TmpBucket(Bucket):
    name: str = Field(default="org-demo-lake-tmp-{name}", pattern=config_patterns.BUCKET)


class Buckets(_Section):
    namespace: Literal["global", "account-regional"] = "global"
    raw: RawBucket = RawBucket()
    silver: SilverBucket = SilverBucket()
    tmp: TmpBucket = TmpBucket()
    abort_unfinished_uploads_after_days: Days = 7


class Landing(_Section):
    prefix: Prefix = "retail/"
    notifications: Literal["single", "per-source"] = "single"
    enforce_immutable: bool = False


class RunLog(_Section):
    table: Annotated[str, Field(pattern=config_patterns.TABLE)] = "ingestion_runs"
    point_in_time_recovery: bool = True


class Function(_Section):
    name: ResourceName
    role: ResourceName
    runtime: Literal["python3.12", "python3.13", "python3.14"] = "python3.13"
    timeout: int = Field(default=30, ge=1, le=900)
    memory: int = Field(default=256, ge=128, le=10240)


class LogIngestionRun(Function):
    name: ResourceName = "log-ingestion-run"
    role: ResourceName = "lambda-log-ingestion-run-role"


class StartGlueJob(Function):
    name: ResourceName = "start-glue-retail_bronze_to_silver"
    role: ResourceName = "start-glue-role"


class Functions(_Section):
    log_ingestion_run: LogIngestionRun = LogIngestionRun()
    start_glue_job: StartGlueJob = StartGlueJob()
    dead_letter_queue: Annotated[str, Field(pattern=config_patterns.QUEUE)] = "lakectl-failed-events"
    log_retention_days: RetentionDays = 14


class Glue(_Section):
    bronze_database: GlueName = "retail_bronze"
    silver_database: GlueName = "retail_silver"
    # A range of Athena's partition projection; folders outside it are not seen in the bronze tables.
    bronze_dates: str = Field(default="2020-01-01,NOW+1YEARS", pattern=config_patterns.DATE_RANGE)
    job: ResourceName = "retail_bronze_to_silver"
    maintenance_job: ResourceName = "retail_maintenance"
    role: ResourceName = "retail-glue-role"
    version: str = "5.1"
    worker_type: str = "G.1X"
    workers: int = Field(default=2, ge=2, le=299)
    timeout_minutes: int = Field(default=60, ge=1, le=10080)
    max_concurrent_runs: int = Field(default=1, ge=1, le=1000)
    log_retention_days: RetentionDays = 14
    # US dollars, where it is not the usual price; `run-transform` says what a run costs.
    price_per_dpu_hour: float | None = Field(default=None, ge=0)

    @field_validator("version")
    @classmethod
    def _jobs_run_on_it(cls, value: str) -> str:
        glue_versions.check_version(value)
        return value

    @field_validator("worker_type")
    @classmethod
    def _version_has_it(cls, value: str, info: ValidationInfo) -> str:
        if "version" in info.data:  # else that is the error
            glue_versions.check_worker(info.data["version"], value)
        return value

    @property
    def capabilities(self) -> glue_versions.GlueVersion:
        """The record of the version."""
        return glue_versions.VERSIONS[self.version]

    @property
    def dpu_per_worker(self) -> float:
        return glue_versions.DPU_PER_WORKER[self.worker_type]

    @property
    def usd_per_dpu_hour(self) -> float:
        return self.usd_of(self.version)

    def usd_of(self, version: str) -> float:
        """A DPU-hour of a run on this version, which for `auto` is the one that Glue has chosen."""
        if self.price_per_dpu_hour is not None:
            return self.price_per_dpu_hour
        return glue_versions.VERSIONS.get(version, self.capabilities).usd_per_dpu_hour


class Maintenance(_Section):
    keep_snapshots_days: Days = 7
    keep_snapshots: int = Field(default=10, ge=1, le=100_000)
    # Iceberg refuses less than a day: files of a commit in flight are orphans until it ends.
    orphan_files_older_than_days: Annotated[int, Field(ge=2, le=3653)] = 3
    target_file_size_mb: int = Field(default=128, ge=1, le=2048)
    min_input_files: int = Field(default=5, ge=2, le=1000)
    # Glue's table optimizers do it by themselves, with these settings.
    optimizers: bool = False
    optimizer_role: ResourceName = "retail-optimizer-role"

    def job_settings(self) -> dict[str, int]:
        """What the maintenance job takes as ``--SETTINGS``."""
        return self.model_dump(exclude={"optimizers", "optimizer_role"})


class Alerts(_Section):
    alarms: bool = False
    budget_usd: float | None = Field(default=None, ge=0.01)
    notify: Annotated[str, Field(pattern=config_patterns.NOTIFY)] | None = None

    @model_validator(mode="after")
    def _told(self) -> Alerts:
        if self.budget_usd is not None and self.notify is None:
            raise ValueError("a budget tells somebody: set alerts.notify to an address or the ARN of an SNS topic")
        return self

    @property
    def topic(self) -> str:
        """The SNS topic that alarms tell; they can tell no address."""
        return self.notify if self.notify and self.notify.startswith("arn:") else ""


class Athena(_Section):
    workgroup: Annotated[str, Field(pattern=config_patterns.WORKGROUP)] = "retail-wg"
    engine_version: Literal["Athena engine version 3", "AUTO"] = "Athena engine version 3"
    results_prefix: Prefix = "athena/"
    managed_results: bool = False
    # Athena's own minimum is 10 MB (WorkGroupConfiguration, API reference).
    bytes_scanned_cutoff: int = Field(default=5 * 1024**3, ge=10_000_000)
    ask_above_bytes: int = Field(default=1024**3, ge=0)
    expire_results_after_days: Days = 30


class Triggers(_Section):
    orders_rule: ResourceName = "on-orders-landed"
    drain_rule: ResourceName = "on-transform-ended"
    daily_rule: ResourceName = "run-glue-daily"
    schedule: str = Field(default="cron(15 1 * * ? *)", pattern=config_patterns.SCHEDULE)
    schedule_enabled: bool = True


class LocalSpark(_Section):
    jars: list[Annotated[str, Field(pattern=config_patterns.FILE)]] = []
    packages: Annotated[str, Field(pattern=config_patterns.FILE)] | None = None


class Local(_Section):
    port: int | None = Field(default=None, ge=1024, le=65535)
    stop_after_idle_minutes: int | None = Field(default=240, ge=1)
    # What runs jobs of another Glue version than 5.1.
    spark: LocalSpark = LocalSpark()


def default_spec() -> LakeSpec:
    """The tutorial's specification: that of the shipped configuration."""
    return _spec_of(yaml_items.load("", "the defaults"))


@cache
def _shipped_sources() -> yaml_items.Item:
    return yaml_items.read(shipped_root() / "config/lake.yaml").mapping()["sources"]


def _spec_of(document: yaml_items.Item) -> LakeSpec:
    return parsing.parse_lake(document, _shipped_sources)


class Config(_Section):
    """A validated lake configuration. See ``config/lake.yaml`` for what each value means.

    ``spec`` is made of the keys ``sources``, ``schema_evolution`` and ``checks``.
    """

    name: Annotated[str, Field(pattern=config_patterns.LAKE)] = "demo"
    target: Literal["local", "aws"] = "local"
    region: Annotated[str, Field(pattern=config_patterns.REGION)] = "eu-west-1"
    profile: str | None = None
    endpoint_url: Annotated[str, Field(pattern=config_patterns.ENDPOINT)] | None = None
    suffix_names: bool = False
    tags: dict[str, str] = {}
    buckets: Buckets = Buckets()
    landing: Landing = Landing()
    spec: InstanceOf[LakeSpec] = Field(default_factory=default_spec)
    run_log: RunLog = RunLog()
    functions: Functions = Functions()
    glue: Glue = Glue()
    athena: Athena = Athena()
    views: list[GlueName] = []
    maintenance: Maintenance = Maintenance()
    alerts: Alerts = Alerts()
    triggers: Triggers = Triggers()
    local: Local = Local()

    @model_validator(mode="before")
    @classmethod
    def _plain_specification(cls, data: Any) -> Any:
        """The three keys as plain values, when no file is read."""
        written = {key: data[key] for key in parsing.KEYS if key in data} if isinstance(data, dict) else {}
        if not written:
            return data
        spec = _spec_of(yaml_items.load(yaml.safe_dump(written, sort_keys=False), "the configuration"))
        return {**{key: value for key, value in data.items() if key not in written}, "spec": spec}

    @property
    def sources(self) -> Mapping[str, SourceSpec]:
        return self.spec.sources

    @property
    def schema_evolution(self) -> str:
        return self.spec.schema_evolution


# Environment variable → config key, first one set wins.
ENVIRONMENT: dict[str, tuple[str, ...]] = {
    "name": ("LAKECTL_NAME",),
    "target": ("LAKECTL_TARGET",),
    "region": ("LAKECTL_REGION", "AWS_REGION", "AWS_DEFAULT_REGION"),
    "profile": ("AWS_PROFILE",),
    "endpoint_url": ("AWS_ENDPOINT_URL",),
}


OF_LAKECTL = "LAKECTL_"


def load(path: Path, overrides: Mapping[str, Any] | None = None, environ: Mapping[str, str] = os.environ) -> Config:
    """Read, merge and validate the configuration.

    ``overrides`` holds the flags that were given (keys of the top level; ``None`` = not given). The local target takes
    ``LAKECTL_…`` only from ``environ``: what the shell says of AWS is about another AWS.
    Raises :class:`UsageError` with file and line for a missing file, bad YAML, an unknown key,
    a wrong type or a value that is not allowed, and a flag that says nothing of the local target.
    """
    document = yaml_items.read(path)
    keys = (*(name for name in Config.model_fields if name != "spec"), *parsing.KEYS)
    data = {key: item.value for key, item in document.known(keys).items() if key not in parsing.KEYS}
    data["spec"] = _spec_of(document)
    flags = {key: value for key, value in (overrides or {}).items() if value is not None}
    settings = given(flags, environ, data.get("target"))
    data |= {key: value for key, (value, _) in settings.items()}
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        origin = {key: source for key, (_, source) in settings.items()}
        raise usage_error(error, Config, path, document.node, origin) from None
    if config.target == "local":
        for key in ("profile", "endpoint_url"):
            if flags.get(key):
                flag = "--" + key.replace("_", "-")
                raise UsageError(f"{flag} has no meaning on the local target", f"add --target aws, or drop {flag}")
    return config


def given(flags: Mapping[str, Any], environ: Mapping[str, str], in_file: Any = None) -> dict[str, tuple[Any, str]]:
    """Key -> (value, the flag or the variable that it comes from). ``in_file``: the target that the file names."""
    found = {}
    for key, names in ENVIRONMENT.items():
        name = next((n for n in names if environ.get(n)), None)
        if name:
            found[key] = (environ[name], name)
    found |= {key: (value, "--" + key.replace("_", "-")) for key, value in flags.items()}
    target = found.get("target", (in_file or "local", ""))[0]
    if target == "local":
        return {key: (value, name) for key, (value, name) in found.items() if name.startswith(("--", OF_LAKECTL))}
    return found


def load_for(project: Project, overrides: Mapping[str, Any] | None = None) -> Config:
    """The configuration of ``project`` (see :func:`load`)."""
    return load(project.config_file, overrides)
