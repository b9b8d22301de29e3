"""Resources of services that not every target has: there they are not made, and `plan` says so."""

from __future__ import annotations

from typing import ClassVar

from lakectl.aws import Aws
from lakectl.engine.model import Resource, State


class OptionalResource(Resource):
    """``feature``: the service, by the name under which a target says that it lacks it."""

    feature: ClassVar[str]

    def awaits(self, aws: Aws) -> str:
        return aws.lacks(self.feature)

    def read(self, aws: Aws) -> State | None:
        return None if aws.lacks(self.feature) else self.live(aws)

    def live(self, aws: Aws) -> State | None:
        """What :meth:`read` gives where the service is."""
        raise NotImplementedError
