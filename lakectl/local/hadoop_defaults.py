"""Hadoop's default settings in few words.

Hadoop parses its ``core-default.xml``, ``yarn-default.xml`` and ``mapred-default.xml`` for each Configuration that
is not a copy of another, and looks for the files of a site in every jar. Iceberg makes one for each Parquet file that
it writes to S3: 10 ms each, most of which goes by reading descriptions and looking for what no run has. A jar with
the same properties and with empty files for the site's, found first, is what is read instead.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from xml.etree import ElementTree

JAR = "hadoop-defaults.jar"
SOURCE = "hadoop-client-api-*.jar"
# What Hadoop looks for besides; a run that brings some in a jar of its own has that first on its class path.
ABSENT = (
    *("core-site.xml", "hdfs-default.xml", "hdfs-site.xml", "hdfs-rbf-default.xml", "hdfs-rbf-site.xml"),
    *("mapred-site.xml", "yarn-site.xml"),
)


def write_jar(source: Path, target: Path) -> None:
    """``target``: the ``*-default.xml`` files of the jar ``source``, with name, value and final of each property, and
    ABSENT."""
    with zipfile.ZipFile(source) as jar, zipfile.ZipFile(target, "w") as out:
        for name in sorted({*ABSENT} - {*jar.namelist()}):
            out.writestr(name, "<configuration/>")
        for name in jar.namelist():
            if name.endswith("-default.xml") and "/" not in name:
                out.writestr(name, _without_descriptions(jar.read(name)))


def _without_descriptions(text: bytes) -> bytes:
    short = ElementTree.Element("configuration")
    for found in ElementTree.fromstring(text).iter("property"):  # noqa: S314 - Spark's own file
        kept = ElementTree.SubElement(short, "property")
        kept.extend(part for part in found if part.tag != "description")
    for element in short.iter():
        element.tail = None
        if len(element):
            element.text = None
    return ElementTree.tostring(short)
