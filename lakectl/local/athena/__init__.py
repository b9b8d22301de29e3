"""The local Athena: Athena SQL, really executed on the Iceberg tables of the local Glue catalog and S3.

A statement goes ``statements`` (what is it?) → ``tables`` (which Glue tables does it name?) → ``analyze``
(would Athena accept it?) → ``translate`` (the same meaning in DuckDB's SQL) → ``session`` (DuckDB) →
``results`` (Athena's files in S3). ``api`` is Athena's HTTP API around it, ``lakectl.local.seams.athena``
puts that in moto's place. Nothing here is imported before the first query: DuckDB, PyArrow, PyIceberg and
sqlglot together take about a second.
"""
