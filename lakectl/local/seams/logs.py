"""CloudWatch Logs: the tags of a log group go with it.

Wrapped: ``LogsBackend.delete_log_group``. moto keeps them, and a later group of that name bears them again.
"""

from __future__ import annotations

from collections.abc import Callable

from moto.logs.models import LogsBackend

from lakectl.local.context import LocalContext


def install(context: LocalContext) -> None:  # noqa: ARG001 - all seams are installed alike
    LogsBackend.delete_log_group = _with_tags(LogsBackend.delete_log_group)


def _with_tags(original: Callable[[LogsBackend, str], None]) -> Callable[[LogsBackend, str], None]:
    def delete_log_group(self: LogsBackend, log_group_name: str) -> None:
        group = self.groups.get(log_group_name)
        original(self, log_group_name)
        if group is not None:
            self.tagger.delete_all_tags_for_resource(group.arn)

    return delete_log_group
