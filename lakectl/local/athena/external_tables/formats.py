"""Formats of external tables by their names in DDL and in CTAS: the classes that Glue keeps for them.

https://docs.aws.amazon.com/athena/latest/ug/create-table.html (STORED AS) and
https://docs.aws.amazon.com/athena/latest/ug/create-table-as.html (format)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_TEXT_IN = "org.apache.hadoop.mapred.TextInputFormat"
_TEXT_OUT = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
_QL = "org.apache.hadoop.hive.ql.io"


@dataclass(frozen=True)
class Format:
    """The Java classes of a format. ``codecs``: what it can be written with, the first by default."""

    input: str
    output: str
    serde: str
    codecs: tuple[str, ...] = ()

    def storage(self) -> dict[str, Any]:
        """The part of Glue's StorageDescriptor."""
        return {
            "InputFormat": self.input,
            "OutputFormat": self.output,
            "SerdeInfo": {"SerializationLibrary": self.serde, "Parameters": {}},
        }


FORMATS = {
    "PARQUET": Format(
        f"{_QL}.parquet.MapredParquetInputFormat",
        f"{_QL}.parquet.MapredParquetOutputFormat",
        f"{_QL}.parquet.serde.ParquetHiveSerDe",
        ("GZIP", "SNAPPY", "ZSTD", "NONE"),
    ),
    "ORC": Format(
        f"{_QL}.orc.OrcInputFormat",
        f"{_QL}.orc.OrcOutputFormat",
        f"{_QL}.orc.OrcSerde",
        ("ZLIB", "SNAPPY", "ZSTD", "LZ4", "NONE"),
    ),
    "AVRO": Format(
        f"{_QL}.avro.AvroContainerInputFormat",
        f"{_QL}.avro.AvroContainerOutputFormat",
        "org.apache.hadoop.hive.serde2.avro.AvroSerDe",
        ("GZIP", "DEFLATE", "SNAPPY", "NONE"),
    ),
    "JSON": Format(_TEXT_IN, _TEXT_OUT, "org.apache.hive.hcatalog.data.JsonSerDe", ("GZIP", "BZIP2", "NONE")),
    "TEXTFILE": Format(
        _TEXT_IN, _TEXT_OUT, "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe", ("GZIP", "BZIP2", "NONE")
    ),
}
BY_SERDE = {each.serde: name for name, each in FORMATS.items()}
OPENX = "org.openx.data.jsonserde.JsonSerDe"
BY_SERDE[OPENX] = "JSON"
BY_SERDE["org.apache.hadoop.hive.serde2.OpenCSVSerde"] = "CSV"
