"""The jar that is read in place of Hadoop's own default settings."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pyspark
import pytest

from lakectl.local import hadoop_defaults


def settings_of(jar: Path) -> dict[str, list[tuple[str | None, ...]]]:
    """File -> (name, value, final) of each property, in order."""
    found = {}
    with zipfile.ZipFile(jar) as archive:
        for name in archive.namelist():
            if name.endswith("-default.xml") and "/" not in name:
                properties = ElementTree.fromstring(archive.read(name)).iter("property")  # noqa: S314
                found[name] = [
                    tuple(one.findtext(tag) for tag in ("name", "value", "final", "source")) for one in properties
                ]
    return found


@pytest.mark.shipped_spark
def test_it_has_the_properties_of_hadoops_own_jar(tmp_path: Path) -> None:
    (source,) = Path(pyspark.__file__).parent.glob(f"jars/{hadoop_defaults.SOURCE}")
    hadoop_defaults.write_jar(source, tmp_path / "ours.jar")
    ours, theirs = settings_of(tmp_path / "ours.jar"), settings_of(source)
    assert {name: found for name, found in ours.items() if found} == theirs
    assert len(ours["core-default.xml"]) > 300
    assert (tmp_path / "ours.jar").stat().st_size < 130_000


@pytest.mark.shipped_spark
def test_a_run_reads_it_and_knows_what_hadoop_knows(spark: Any) -> None:
    settings = spark._jvm.org.apache.hadoop.conf.Configuration()
    asked_for = settings.getClass().getDeclaredField("defaultResources")
    asked_for.setAccessible(True)
    for name in {"yarn-default.xml", *asked_for.get(None)}:
        assert f"/{hadoop_defaults.JAR}!/" in settings.getResource(name).toString()
    assert settings.get("io.file.buffer.size") == "4096"
    assert settings.get("fs.s3a.connection.maximum") == "96"
