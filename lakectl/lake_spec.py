"""The specification of a configured lake."""

from __future__ import annotations

from lakectl.config import Config
from lakectl.spec.model import Column, LakeSpec, SourceSpec


def spec_of(config: Config) -> LakeSpec:
    """The config's own, or one of what today's configuration says of its sources."""
    own: LakeSpec | None = getattr(config, "spec", None)
    if own is not None:
        return own
    last = list(config.sources)[-1]  # the one that the job loads
    sources = {
        name: SourceSpec(
            name,
            tuple(Column(column, kind) for column, kind in source.columns.items()),
            tuple(source.keys),
            starts_run=name == last,
        )
        for name, source in config.sources.items()
    }
    return LakeSpec(sources, config.schema_evolution)


def loaded_sources(config: Config) -> list[str]:
    """Sources with a silver table."""
    spec = spec_of(config)
    return [name for name, source in spec.sources.items() if source.starts_run or hasattr(config, "spec")]
