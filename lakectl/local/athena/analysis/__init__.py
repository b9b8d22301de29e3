"""What a query means: names resolved, types inferred as Trino does, and the SQL by which DuckDB computes the same."""
