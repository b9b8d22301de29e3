"""The local Athena: Athena SQL, really executed on the Iceberg tables of the local Glue catalog and S3.

A statement goes ``statements`` (what is it?) → ``tables`` (which Glue tables does it name?) → ``analyze``
(would Athena accept it?) → ``translate`` (the same meaning in DuckDB's SQL) → ``session`` (DuckDB) →
``results`` (Athena's files in S3). ``service`` is Athena's HTTP API around it, with its own
state (``store``). Nothing here is imported before the first query: DuckDB, PyArrow, PyIceberg and
sqlglot together take about a second.
"""
