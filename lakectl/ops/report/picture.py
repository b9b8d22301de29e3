"""How a file flows through the lake, and where each column comes from: read from the specification alone."""

from __future__ import annotations

from lakectl.ops.lake import Lake
from lakectl.ops.report.model import Origin, Picture, SourceBox
from lakectl.spec.model import LINEAGE, LakeSpec


def picture(lake: Lake) -> Picture:
    names, config = lake.names, lake.config
    boxes = tuple(
        SourceBox(
            name=source.name,
            file=source.file.format,
            loading=source.loading,
            starts_run=source.starts_run,
            lookups=tuple(dict.fromkeys(lookup.source for lookup in source.lookups)),
            table=source.silver_table,
            partition_by=tuple(map(str, source.partition_by)),
        )
        for source in config.spec.sources.values()
    )
    return Picture(
        sources=boxes,
        raw_bucket=names.raw_bucket,
        prefix=config.landing.prefix,
        log_function=names.log_function,
        run_log=names.run_log,
        landed_rule=names.orders_rule,
        daily_rule=names.daily_rule,
        schedule=config.triggers.schedule if config.triggers.schedule_enabled else "",
        start_function=names.start_function,
        job=names.glue_job,
        engine=f"Glue {config.glue.version}",
        silver_database=names.silver_database,
        silver_bucket=names.silver_bucket,
        workgroup=names.workgroup,
    )


def origins(spec: LakeSpec, name: str) -> list[Origin]:
    """Each column of a silver table, in order, but those that hold the lineage of a row."""
    source = spec.sources[name]
    found = {column.name: f"the file's column {column.header or column.name}" for column in source.columns}
    for lookup in source.lookups:
        on = ", ".join(lookup.on)
        found |= {ours: f"{lookup.source}.{theirs}, looked up by {on}" for theirs, ours in lookup.take}
    found |= {derived.name: f"derived: {derived.sql.text}" for derived in source.derive}
    types = spec.silver_columns(name)
    return [Origin(column, types[column], text) for column, text in found.items() if column not in LINEAGE]
