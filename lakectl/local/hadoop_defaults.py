"""Hadoop's default settings in few words.

Hadoop parses its ``core-default.xml``, ``yarn-default.xml`` and ``mapred-default.xml`` for each Configuration that
is not a copy of another, and Iceberg makes one for each Parquet file that it writes to S3: 10 ms each, of which half
goes by reading descriptions. A jar with the same properties without them, found first, is what is read instead.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from xml.etree import ElementTree

JAR = "hadoop-defaults.jar"
SOURCE = "hadoop-client-api-*.jar"


def write_jar(source: Path, target: Path) -> None:
    """``target``: the ``*-default.xml`` files of the jar ``source``, with name, value and final of each property."""
    with zipfile.ZipFile(source) as jar, zipfile.ZipFile(target, "w") as out:
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
