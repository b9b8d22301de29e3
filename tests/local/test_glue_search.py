"""SearchTables of Glue, which moto lacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lakectl.local.control import Endpoint


@pytest.fixture
def names(client: Callable[..., Any], endpoint: Endpoint) -> Any:  # noqa: ARG001
    glue = client("glue")
    glue.create_database(DatabaseInput={"Name": "searched"})
    for name, column in (("customer-link", "id"), ("orders", "customer_id"), ("xxlinkyy", "amount")):
        described = {"Description": "one of three", "StorageDescriptor": {"Columns": [{"Name": column, "Type": "int"}]}}
        glue.create_table(DatabaseName="searched", TableInput={"Name": name, **described})

    def search(**asked: Any) -> list[str]:
        filters = [{"Key": "DatabaseName", "Value": "searched"}, *asked.pop("Filters", [])]
        found = glue.search_tables(Filters=filters, SortCriteria=[{"FieldName": "Name", "Sort": "ASC"}], **asked)
        return [table["Name"] for table in found["TableList"]]

    yield search
    glue.delete_database(Name="searched")


def test_text_in_names_columns_and_descriptions(names: Any) -> None:
    assert names(SearchText="CUSTOMER") == ["customer-link", "orders"]
    assert names(SearchText='"one of three"') == ["customer-link", "orders", "xxlinkyy"]
    assert names(SearchText='"one of"') == []


def test_filters_compare_tokens(names: Any) -> None:
    assert names(Filters=[{"Key": "Name", "Value": "link"}]) == ["customer-link"]


def test_pages(names: Any, client: Callable[..., Any]) -> None:
    glue = client("glue")
    assert names(MaxResults=2) == ["customer-link", "orders"]
    first = glue.search_tables(SearchText="one of three", MaxResults=2)
    second = glue.search_tables(SearchText="one of three", MaxResults=2, NextToken=first["NextToken"])
    assert len(second["TableList"]) == 1
    assert "NextToken" not in second


def test_what_is_not_known_is_refused(names: Any, client: Callable[..., Any]) -> None:
    glue = client("glue")
    with pytest.raises(glue.exceptions.InvalidInputException, match="does not filter tables by CreateTime"):
        names(Filters=[{"Key": "CreateTime", "Value": "2025", "Comparator": "GREATER_THAN"}])
    with pytest.raises(glue.exceptions.InvalidInputException, match="NextToken"):
        names(NextToken="x")
