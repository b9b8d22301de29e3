"""What Athena is told of a source's landed files."""

from __future__ import annotations

from lakectl.lake.bronze import columns_of, layout_of
from lakectl.spec.model import Column, FileFormat, SourceSpec


def test_descriptions_reach_the_catalog() -> None:
    columns = (Column("id", "bigint", description="who"), Column("name", "string"))
    layout = layout_of(SourceSpec("zones", columns, description="Zones of the city"))
    assert (layout.description, layout.comments) == ("Zones of the city", {"id": "who"})


def test_a_column_of_parquet_has_the_name_that_the_file_has() -> None:
    columns = (Column("id", "bigint", header="Zone Id"), Column("fee", "double", header="FEE", description="in euro"))
    source = SourceSpec("zones", columns, file=FileFormat("parquet"))
    assert layout_of(source).columns == {"fee": "double"}  # Athena takes no column that is called "zone id"
    assert columns_of(source) == {"fee": ("fee", "double")}
    text = SourceSpec("zones", columns, file=FileFormat("jsonl"))
    assert layout_of(text).parameters["mapping.id"] == "Zone Id"
    assert "mapping.fee" not in layout_of(text).parameters
    assert columns_of(text) == {"id": ("id", "string"), "fee": ("fee", "string")}
