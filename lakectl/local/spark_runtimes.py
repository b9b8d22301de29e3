"""Which Spark and Iceberg a run of a Glue version gets on this machine.

Glue 5.1's come with lakectl. Another version runs with what ``local.spark`` of the configuration points to: the jars of
Iceberg's own release for its Spark, and a PySpark where the minor version is another. A version is never run with
something else in its place.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lakectl.glue_versions import AUTO, VERSIONS, GlueVersion
from lakectl.local import jars

SHIPPED = "5.1"
SETTINGS = "spark.json"  # in the server's folder: what the last command's configuration says of Spark
FEATURE = "Glue "  # before a version, in what is asked of a target
_RUNTIME_JAR = re.compile(r"iceberg-spark-runtime-(\d+\.\d+)_(\d+\.\d+)-(\d+\.\d+)\.[\w.-]+\.jar")
# Hadoop 3.4, which Spark 4 has, writes these of its defaults with units; hadoop-aws 3.3 reads plain numbers.
HADOOP_3_4 = {
    "spark.hadoop.fs.s3a.threads.keepalivetime": "60",
    "spark.hadoop.fs.s3a.connection.establish.timeout": "30000",
    "spark.hadoop.fs.s3a.connection.timeout": "200000",
    "spark.hadoop.fs.s3a.multipart.purge.age": "86400",
    "spark.hadoop.fs.s3a.connection.request.timeout": "0",
}


@dataclass(frozen=True)
class Settings:
    """``local.spark``: absolute paths of jars, and of a folder with PySpark (``pip install --target``) or ""."""

    jars: tuple[str, ...] = ()
    packages: str = ""


@dataclass(frozen=True)
class Runtime:
    """What a run gets in place of what is shipped: ``jars`` first on the class path, ``packages`` on Python's path,
    ``conf`` among Spark's defaults. ``spark_major``: 3 or 4."""

    jars: tuple[Path, ...] = ()
    packages: Path | None = None
    spark_major: int = 3

    @property
    def is_shipped(self) -> bool:
        return not self.jars

    @property
    def conf(self) -> dict[str, str]:
        return HADOOP_3_4 if self.spark_major > 3 else {}


SHIPPED_RUNTIME = Runtime()


def save(settings: Settings, folder: Path) -> None:
    """Keep what a server whose folder is ``folder`` runs its next jobs with."""
    text = json.dumps({"jars": settings.jars, "packages": settings.packages})
    path = folder / SETTINGS
    if settings == saved(folder):
        return
    with tempfile.NamedTemporaryFile("w", dir=folder, prefix=SETTINGS, delete=False) as draft:
        draft.write(text)
    os.replace(draft.name, path)  # noqa: PTH105 - of a name


def saved(folder: Path) -> Settings:
    """What :func:`save` kept; the defaults before that."""
    try:
        record = json.loads((folder / SETTINGS).read_text())
    except FileNotFoundError:
        return Settings()
    return Settings(tuple(record["jars"]), record["packages"])


def lacks(feature: str, settings: Settings) -> str:
    """Why jobs of the Glue version that ``feature`` names run on AWS only, and what would change that; "": they run."""
    version = feature.removeprefix(FEATURE)
    if not feature.startswith(FEATURE) or version not in VERSIONS:
        return ""
    missing = _missing(version, settings)
    return f"Glue {version} runs on AWS only: this machine lacks {' and '.join(missing)}" if missing else ""


def is_shipped(version: str) -> bool:
    """Whether runs of a Glue version get what comes with lakectl."""
    return version in (SHIPPED, AUTO) or version not in VERSIONS or version < "5"


def runtime_for(version: str, settings: Settings) -> Runtime:
    """What a run of a Glue version gets.

    Raises ``ValueError`` with the sentence of :func:`lacks`.
    """
    if is_shipped(version):
        return SHIPPED_RUNTIME
    why = lacks(f"{FEATURE}{version}", settings)
    if why:
        raise ValueError(why)
    record = VERSIONS[version]
    packages = Path(settings.packages) if settings.packages and not _is_installed(record) else None
    return Runtime(tuple(map(Path, settings.jars)), packages, int(record.spark.partition(".")[0]))


def _missing(version: str, settings: Settings) -> list[str]:
    if is_shipped(version):
        return []
    record, missing = VERSIONS[version], []
    if not any(_fits(path, record) for path in settings.jars):
        name = f"iceberg-spark-runtime-{_minor(record.spark)}_{_minor(record.scala)}-{record.iceberg}.jar"
        missing.append(f"{name} (org.apache.iceberg, Maven Central; name it in local.spark.jars)")
    if not _is_installed(record) and not _has(settings.packages, record):
        missing.append(f"pyspark (pip install --target DIR pyspark=={record.spark}; name DIR in local.spark.packages)")
    return missing


def _fits(path: str, record: GlueVersion) -> bool:
    found = _RUNTIME_JAR.fullmatch(Path(path).name)
    wanted = (_minor(record.spark), _minor(record.scala), _minor(record.iceberg))
    return found is not None and found.groups() == wanted and Path(path).is_file()


def _is_installed(record: GlueVersion) -> bool:
    return _minor(importlib.metadata.version("pyspark")) == _minor(record.spark)


def _has(folder: str, record: GlueVersion) -> bool:
    return bool(folder) and any(_minor(found) == _minor(record.spark) for found in _versions_in(folder))


def _versions_in(folder: str) -> Iterable[str]:
    return [each.version for each in importlib.metadata.distributions(name="pyspark", path=[folder])]


def _minor(version: str) -> str:
    """3.5.6 -> 3.5."""
    return ".".join(version.split(".")[:2])


def class_path(runtime: Runtime, jars_dir: Path, iceberg: bool) -> list[str]:
    """Entries of Spark's extra class path."""
    shared = jars_dir / jars.SPARK_FOLDER
    if runtime.is_shipped:
        return [str(shared / "*"), *([str(jars_dir / jars.ICEBERG_FOLDER / "*")] if iceberg else [])]
    own = [str(path) for path in runtime.jars] if iceberg else []
    # Not Hadoop's defaults of another Spark, which a wildcard would bring.
    return own + [str(path) for path in sorted(shared.glob("*.jar")) if path.name != jars.DEFAULTS_JAR]
