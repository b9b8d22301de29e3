"""External tables: files under a prefix of S3, as a Glue entry describes them.

``source`` is a table as a query sees it; ``partitions`` and ``projection`` find its files; a module for each SerDe
reads them. https://docs.aws.amazon.com/athena/latest/ug/supported-serdes.html
"""
