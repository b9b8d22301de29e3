"""The desired lake: specification → the list of resources, in the tutorial's steps. Reads files, never AWS.

Everything that asks what a lake consists of (`plan`, `explain`, `status`, `down`, the documentation) walks this list.
"""

from __future__ import annotations

from lakectl.engine.model import Resource
from lakectl.lake import care, catalog, compute, storage, triggers, views
from lakectl.naming import Names
from lakectl.project import Project

# The subcommands that make resources, in the tutorial's order.
STEPS = (
    "create-buckets",
    "create-table",
    "create-roles",
    "deploy-lambdas",
    "wire-notifications",
    "create-databases",
    "create-workgroup",
    "create-glue-job",
    "schedule",
)


def resources(names: Names, project: Project) -> list[Resource]:
    """Every resource of the lake."""
    return [
        *storage.buckets(names),
        storage.run_log(names),
        *compute.roles(names),
        *compute.functions(names, project),
        *triggers.notifications(names),
        *catalog.databases(names),
        *catalog.workgroup(names, project),
        *views.views(names, project),
        *compute.glue_jobs(names, project),
        *care.optimizers(names),
        *triggers.schedule(names),
        *care.alerts(names),
    ]
