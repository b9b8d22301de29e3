"""Iceberg on Spark 4.1 for tests: no package holds a runtime jar for it, so one for Spark 3.5 is adapted.

Spark 4 moved the classes that are no Spark Connect clients to ``org.apache.spark.sql.classic``. The jar for Scala 2.13
runs on it once these names are rewritten in the constant pools of Iceberg's classes. What needs Iceberg's SQL
extensions does not: ``CALL``, partition fields and write orders in DDL. The extensions are left out, and so is what
Spark 4 has under the same name.

This is no Iceberg that anybody released: it shows whether our code runs on Spark 4, and is never shipped.
"""

from __future__ import annotations

import re
import struct
import tempfile
import zipfile
from pathlib import Path

import pyspark

from lakectl.local import jars
from lakectl.local.spark_runtimes import Runtime

SOURCE = jars.Wheel(
    "snowpark-connect-deps-iceberg",
    "1.0.2",
    "912c9650f275fb317928747472912a6f27d80a4498792bbdd5dcf91ac9934ab7",
    84_835_121,
    (("iceberg-spark-runtime-3.5_2.13-1.10.2.jar", jars.ICEBERG_FOLDER),),
)
_MOVED = (
    "SparkSession",
    "RuntimeConfig",
    "Dataset",
    "DataFrameReader",
    "DataFrameWriter",
    "RelationalGroupedDataset",
    "SQLContext",
)
_NAME = re.compile(rb"org/apache/spark/sql/(" + "|".join(_MOVED).encode() + rb")(?=[;$]|\Z)")
_EXTENSIONS = "org/apache/iceberg/spark/extensions/"
_REWRITTEN = ("org/apache/iceberg/", "org/apache/spark/")
_SHADED = "org/apache/iceberg/shaded/"
CONF = {"spark.sql.ansi.enabled": "true"}  # as on Glue 6.0
# Bytes after the tag of each kind of constant (Java Virtual Machine Specification, 4.4); 1 is Utf8.
_SIZES = {3: 4, 4: 4, 5: 8, 6: 8, 7: 2, 8: 2, 9: 4, 10: 4, 11: 4, 12: 4, 15: 3, 16: 2, 17: 4, 18: 4, 19: 2, 20: 2}
_UTF8, _TWO_PLACES, _FIRST = 1, (5, 6), 10


def runtime() -> Runtime:
    """Spark 4.1 as the Python path has it, with the adapted jar."""
    return Runtime((iceberg_jar(Path(pyspark.__file__).parents[1]),), None, 4)


def iceberg_jar(packages: Path) -> Path:
    """The adapted jar for the Spark 4 in a folder of packages; made once, in the user's cache. It bears the name of the
    jar that Glue 6.0 has, by which the local target knows it."""
    folder = jars.ensure_jars(wheels=(SOURCE,))
    target = folder.with_name(f"{folder.name}-for-spark-4.1") / "iceberg-spark-runtime-4.1_2.13-1.11.0.jar"
    if not target.exists():
        target.parent.mkdir(exist_ok=True)
        (jar,) = (folder / jars.ICEBERG_FOLDER).glob("*.jar")
        with tempfile.TemporaryDirectory(dir=target.parent) as temporary:
            adapt(jar, Path(temporary, target.name), packages)
            Path(temporary, target.name).rename(target)
    return target


def adapt(source: Path, target: Path, packages: Path) -> None:
    """``target``: the jar ``source`` for the Spark in ``packages``."""
    theirs = _names_in_spark(packages)
    with zipfile.ZipFile(source) as jar, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out:
        for name in jar.namelist():
            if name.startswith(_EXTENSIONS) or name in theirs or name in out.NameToInfo:
                continue
            data = jar.read(name)
            is_ours = name.endswith(".class") and name.startswith(_REWRITTEN) and not name.startswith(_SHADED)
            out.writestr(name, renamed(data) if is_ours else data)


def _names_in_spark(packages: Path) -> set[str]:
    jars_of_spark = (packages / "pyspark/jars").glob("spark-*.jar")
    return {name for path in jars_of_spark for name in zipfile.ZipFile(path).namelist() if name.endswith(".class")}


def renamed(data: bytes) -> bytes:
    """A class file with the moved classes under their new names."""
    (count,) = struct.unpack_from(">H", data, 8)
    out, at, place = [data[:_FIRST]], _FIRST, 1
    while place < count:
        tag = data[at]
        if tag == _UTF8:
            end = at + 3 + struct.unpack_from(">H", data, at + 1)[0]
            text = _NAME.sub(rb"org/apache/spark/sql/classic/\1", data[at + 3 : end])
            out.append(struct.pack(">BH", tag, len(text)) + text)
        else:
            end = at + 1 + _SIZES[tag]
            out.append(data[at:end])
        at, place = end, place + (2 if tag in _TWO_PLACES else 1)
    return b"".join([*out, data[at:]])
