"""An opened lake: config, project files, AWS and the resources it should have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lakectl import lake as definition
from lakectl.aws import Aws, connect
from lakectl.config import Config
from lakectl.core.landing import LandingZone
from lakectl.engine.model import Resource
from lakectl.naming import Names
from lakectl.project import Project


@dataclass(frozen=True)
class Lake:
    """What every operation works on."""

    config: Config
    project: Project
    aws: Aws

    @cached_property
    def names(self) -> Names:
        return Names(self.config, self.aws.account, self.aws.region)

    @cached_property
    def resources(self) -> list[Resource]:
        return definition.resources(self.names, self.project)

    @property
    def zone(self) -> LandingZone:
        """Where files land and which of them are loaded, as the functions and the job see it."""
        return LandingZone(self.config.landing.prefix, self.config.spec.sources)

    def client(self, service: str) -> Any:
        return self.aws.client(service)


def open_lake(project: Project, config: Config, progress: Callable[[str], None] | None = None) -> Lake:
    """Connect to the config's target. Raises what :func:`lakectl.aws.connect` raises."""
    return Lake(config, project, connect(config, progress))
