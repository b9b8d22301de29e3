"""What Spark and Athena find data by: databases, bronze tables, the workgroup and its saved queries."""

from __future__ import annotations

from lakectl import saved_queries
from lakectl.engine.model import Resource
from lakectl.lake.bronze import layout_of
from lakectl.naming import Names
from lakectl.project import Project
from lakectl.resources.bucket import Bucket
from lakectl.resources.database import Database
from lakectl.resources.glue_table import LandedTable
from lakectl.resources.workgroup import NamedQuery, Workgroup


def databases(names: Names) -> list[Resource]:
    described = (
        (names.bronze_database, "Landed files as they came"),
        (names.silver_database, "Typed and enriched Iceberg tables"),
    )
    made: list[Resource] = [
        Database(
            name,
            step="create-databases",
            tags=names.tags,
            place=names.place,
            description=description,
            needs=(),
        )
        for name, description in described
    ]
    return made + bronze_tables(names)


def bronze_tables(names: Names) -> list[Resource]:
    """A table for each source."""
    config = names.config
    database = names.bronze_database
    return [
        LandedTable(
            database,
            names.bronze_table(name),
            step="create-databases",
            tags=names.tags,
            place=names.place,
            location=f"s3://{names.raw_bucket}/{config.landing.prefix}{name}/",
            layout=layout_of(source),
            dates=config.glue.bronze_dates,
            needs=(Database.id_of(database),),
        )
        for name, source in config.spec.sources.items()
    ]


def workgroup(names: Names, project: Project) -> list[Resource]:
    config = names.config.athena
    group = Workgroup(
        names.workgroup,
        step="create-workgroup",
        tags=names.tags,
        place=names.place,
        output="" if config.managed_results else names.query_results,
        engine_version=config.engine_version,
        bytes_cutoff=config.bytes_scanned_cutoff,
        description=f"Queries of the lake {names.config.name}",
        needs=(Bucket.id_of(names.tmp_bucket),),
    )
    queries = [
        NamedQuery(
            query.name,
            step="create-workgroup",
            workgroup=names.workgroup,
            database=names.silver_database,
            sql=query.sql,
            description=query.title,
        )
        for query in saved_queries.load(project, names)
    ]
    return [group, *queries]
