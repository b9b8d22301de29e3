"""From a run's definition to what its process needs: the script, its libraries, its environment."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from lakectl.local import confinement, jars, spark_conf, spark_runtimes
from lakectl.local.class_archive import ClassArchive
from lakectl.local.confinement import Policy
from lakectl.local.context import LocalContext
from lakectl.local.iam import credentials, roles
from lakectl.local.java import find_java

SPARK_COMMANDS = ("glueetl", "gluestreaming")
PYTHON_COMMAND = "pythonshell"
LOG_GROUP_PREFIX = "/aws-glue/jobs"
SESSION_NAME = "GlueJobRunnerSession"  # as Glue names it
SPARE_SECONDS = 3600  # a run is begun before its clock, and ends after it
# What would silently not happen here is refused.
UNSUPPORTED_ARGUMENTS = ("--additional-python-modules", "--extra-files")
PYTHON_SETTINGS = {"PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}


class LaunchError(Exception):
    """The run can't start: its script or a library is not there, or an argument is wrong."""


@dataclass(frozen=True)
class RunSpec:
    """A job's definition merged with what StartJobRun gave. Times in minutes, capacity in DPU."""

    job_name: str
    region: str
    command_name: str
    script_location: str
    arguments: dict[str, str] = field(default_factory=dict)
    timeout_minutes: float = 480
    max_retries: int = 0
    max_concurrent_runs: int = 1
    max_capacity: float = 2.0
    glue_version: str = "5.1"
    worker_type: str | None = None
    number_of_workers: int | None = None
    execution_class: str = "STANDARD"
    security_configuration: str | None = None
    notification_property: dict[str, Any] | None = None
    role: str = ""  # ARN

    @property
    def log_group_prefix(self) -> str:
        """Groups are ``<prefix>/output`` and ``<prefix>/error``, as Glue 5 names them."""
        return self.arguments.get("--custom-logGroup-prefix") or LOG_GROUP_PREFIX


@dataclass(frozen=True)
class Launch:
    """``python`` arguments, environment, and what the process may reach.

    ``archive_partial`` is where the JVM writes its class archive.
    """

    arguments: list[str]
    environ: dict[str, str]
    policy: Policy
    archive: ClassArchive | None = None
    archive_partial: Path | None = None

    def settle_archive(self, accept: bool, broken: bool) -> None:
        """Take the archive that the run wrote, or drop it; ``broken``: a JVM that was given ours didn't start."""
        if self.archive is None:
            return
        if broken:
            self.archive.discard()
        if self.archive_partial is None:
            return
        if accept and self.archive_partial.exists():
            self.archive.accept(self.archive_partial)
        self.archive.release(self.archive_partial)


def merge_arguments(
    default: dict[str, str] | None, given: dict[str, str] | None, fixed: dict[str, str] | None
) -> dict[str, str]:
    """The job's defaults, replaced by the run's, replaced by the job's NonOverridableArguments."""
    return {**(default or {}), **(given or {}), **(fixed or {})}


def script_arguments(spec: RunSpec, job_run_id: str) -> list[str]:
    """What follows the script in ``sys.argv``: each argument as two items, then Glue's own two."""
    given = {key: value for key, value in spec.arguments.items() if key not in ("--JOB_NAME", "--JOB_RUN_ID")}
    own = {"--JOB_NAME": spec.job_name, "--JOB_RUN_ID": job_run_id}
    return [item for pair in (given | own).items() for item in pair]


def prepare(
    context: LocalContext,
    spec: RunSpec,
    job_run_id: str,
    work_dir: Path,
    flags: tuple[str, ...],
    *,
    may_write: bool = True,
) -> Launch:
    """Fetch the script and its libraries into ``work_dir``, and set up Spark for it.

    ``flags`` are the JVM's; ``may_write``: it may write the class archive if there is none.
    Raises LaunchError, or LakectlError when this machine lacks Java or the jars.
    """
    if spec.command_name not in (*SPARK_COMMANDS, PYTHON_COMMAND):
        raise LaunchError(f"The local Glue runs glueetl and pythonshell jobs, not {spec.command_name}")
    for name in UNSUPPORTED_ARGUMENTS:
        if spec.arguments.get(name):
            raise LaunchError(f"The local Glue does not support {name}")
    s3 = context.client("s3", spec.region)
    script = download(s3, spec.script_location, work_dir, spec.role)
    libraries = _download_all(s3, spec.arguments.get("--extra-py-files"), work_dir / "py", spec.role)
    folder = jars.ensure_jars()
    # A zip or a wheel is itself an entry of the path; a module's entry is its folder.
    python_path = [str(path.parent if path.suffix == ".py" else path) for path in libraries]
    python_path.append(str(folder / jars.PYTHON_FOLDER))
    runtime = _runtime(context, spec)
    if runtime.packages:
        python_path.append(str(runtime.packages))
    environ = run_environ(context, spec, work_dir) | {"PYTHONPATH": os.pathsep.join(dict.fromkeys(python_path))}
    arguments = [str(script), *script_arguments(spec, job_run_id)]
    launch = Launch(arguments, environ, confinement.policy(context.state_dir, read=[folder], write=[work_dir]))
    if spec.command_name == PYTHON_COMMAND:
        return launch
    extra_jars = tuple(_download_all(s3, spec.arguments.get("--extra-jars"), work_dir / "extra-jars", spec.role))
    return _spark_launch(context, spec, work_dir, launch, flags, extra_jars, may_write)


def run_environ(context: LocalContext, spec: RunSpec, work_dir: Path) -> dict[str, str]:
    """The environment of a run: which endpoint, whose credentials. A standby gets it when it gets its run."""
    return context.worker_environ(spec.region) | credentials.environ(assume_role(spec)) | _settings(work_dir)


def _settings(work_dir: Path) -> dict[str, str]:
    """Of every process: its work folder is its home, and where its temporary files are."""
    return {"HOME": str(work_dir), "TMPDIR": str(work_dir)} | PYTHON_SETTINGS


def assume_role(spec: RunSpec) -> credentials.Session:
    """Credentials of the job's role that outlive the run."""
    return credentials.SESSIONS.assume(spec.role, SESSION_NAME, spec.timeout_minutes * 60 + SPARE_SECONDS)


def prepare_standby(context: LocalContext, spec: RunSpec, work_dir: Path, flags: tuple[str, ...]) -> Launch | None:
    """What a process needs that waits for a run like ``spec``; None while jars or class archive are not there.

    Raises what ``prepare`` raises.
    """
    if not jars.is_complete(jars.jars_dir()):
        return None
    program = Path(__file__).with_name("glue_standby_child.py")
    # It has no credentials: they come with the run.
    secrets = dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"), "standby")
    environ = context.worker_environ(spec.region) | secrets | _settings(work_dir)
    policy = confinement.policy(context.state_dir, read=[jars.jars_dir()], write=[work_dir])
    launch = Launch([str(program)], environ, policy)
    launch = _spark_launch(context, spec, work_dir, launch, flags, (), may_write=False)
    return launch if launch.archive and launch.archive.options_to_use() else None


def standby_key(spec: RunSpec) -> tuple[str, ...] | None:
    """Runs with equal keys can use each other's JVM; None: nobody can start it before the run is there."""
    if spec.command_name not in SPARK_COMMANDS or spec.arguments.get("--extra-jars"):
        return None
    if not spark_runtimes.is_shipped(spec.glue_version):
        return None
    shared = [spec.arguments.get(name, "") for name in ("--datalake-formats", "--conf")]
    return (spec.region, spec.worker_type or spark_conf.DEFAULT_WORKER_TYPE, *shared)


def _spark_launch(
    context: LocalContext,
    spec: RunSpec,
    work_dir: Path,
    launch: Launch,
    flags: tuple[str, ...],
    extra_jars: tuple[Path, ...],
    may_write: bool,
) -> Launch:
    java = find_java()
    folder = jars.ensure_jars()
    iceberg = "iceberg" in spec.arguments.get("--datalake-formats", "").replace(" ", "").split(",")
    try:
        conf = spark_conf.parse_conf(spec.arguments.get("--conf", ""))
    except ValueError as error:
        raise LaunchError(str(error)) from error
    runtime = _runtime(context, spec)
    archive = partial = None
    if runtime.is_shipped and not extra_jars:
        archive = ClassArchive.of(java, folder, iceberg)
        use = archive.options_to_use()
        if not use and may_write:
            partial = work_dir / f"{work_dir.name}.partial"
            use = archive.options_to_write(partial)
            partial = partial if use else None
        flags += use
    run = spark_conf.SparkRun(
        work_dir=work_dir,
        jars_dir=folder,
        endpoint_url=context.endpoint_url,
        region=spec.region,
        worker_type=spec.worker_type or spark_conf.DEFAULT_WORKER_TYPE,
        iceberg=iceberg,
        conf=conf,
        java_options=flags,
        extra_jars=extra_jars,
        runtime=runtime,
    )
    environ = launch.environ | spark_conf.submit_environ(run, java.home)
    archives = [archive.path.parent] if archive else []
    given = [*runtime.jars, *([runtime.packages] if runtime.packages else [])]
    policy = confinement.policy(context.state_dir, read=[folder, java.home, *archives, *given], write=[work_dir])
    return Launch(launch.arguments, environ, policy, archive, partial)


def _runtime(context: LocalContext, spec: RunSpec) -> spark_runtimes.Runtime:
    try:
        return spark_runtimes.runtime_for(spec.glue_version, spark_runtimes.saved(context.state_dir))
    except ValueError as error:
        raise LaunchError(str(error)) from error


def _download_all(s3: Any, locations: str | None, folder: Path, role: str) -> list[Path]:
    """The files of a comma-separated list of S3 locations, in its order."""
    wanted = [location.strip() for location in (locations or "").split(",") if location.strip()]
    return [download(s3, location, folder, role) for location in wanted]


def download(s3: Any, location: str, folder: Path, role: str) -> Path:
    """One object that ``role`` may read, under its own file name in ``folder``.

    Raises LaunchError that names bucket and key.
    """
    parts = urlsplit(location)
    bucket, key = parts.netloc, parts.path.lstrip("/")
    if parts.scheme not in ("s3", "s3a") or not bucket or not key or key.endswith("/"):
        raise LaunchError(f"Not the location of an object in S3: {location or '(empty)'}")
    refusal = roles.refusal(role, SESSION_NAME, "s3:GetObject", f"arn:aws:s3:::{bucket}/{key}")
    if refusal:
        raise LaunchError(f"Error downloading from S3 for bucket: {bucket}, key: {key}. AccessDenied: {refusal}")
    path = folder / Path(key).name
    folder.mkdir(parents=True, exist_ok=True)
    try:
        path.write_bytes(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    except ClientError as error:
        reason = error.response["Error"]
        raise LaunchError(
            f"Error downloading from S3 for bucket: {bucket}, key: {key}. {reason['Code']}: {reason['Message']}"
        ) from error
    except BotoCoreError as error:
        raise LaunchError(f"Error downloading from S3 for bucket: {bucket}, key: {key}. {error}") from error
    return path
