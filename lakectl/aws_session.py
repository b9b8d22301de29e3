"""botocore's sessions as lakectl uses them: quick to make, and apart from the shell's settings where that is asked."""

from __future__ import annotations

import gzip
import json
import os
import re
from datetime import datetime
from pathlib import Path
from typing import Any

from botocore.loaders import JSONFileLoader
from botocore.session import Session
from botocore.utils import parse_timestamp

ISO_8601 = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z")

# botocore's settings (name -> key of the config file, environment variable, default, type) without file and variable.
_FILES = ("config_file", "credentials_file")
ISOLATED = {
    name: (None, None, os.devnull if name in _FILES else default, kind)
    for name, (_, _, default, kind) in Session.SESSION_VARIABLES.items()
}


def new_session(profile: str | None = None, *, isolated: bool = False) -> Any:
    """A botocore session. ``isolated``: from the AWS settings of the shell and of ``~/.aws``, which are about another
    AWS."""
    session = Session(session_vars=ISOLATED if isolated else None)
    if profile:
        session.set_config_variable("profile", profile)
    loader = session.get_component("data_loader")
    loader.file_loader = MODELS

    def services(_: str) -> list[str]:
        # botocore makes sure that there is a model in each of the 400, twice, which costs more than loading ours.
        folders = [Path(path) for path in loader.search_paths]
        return [entry.name for folder in folders if folder.is_dir() for entry in folder.iterdir()]

    loader.list_available_services = services
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_moment)
    return session


class Models(JSONFileLoader):
    """botocore's models as plain dicts, each read once for all sessions of a process.

    botocore makes OrderedDicts of them, from before every dict kept its order: that is half of the time of reading.
    """

    def __init__(self) -> None:
        self._read: dict[str, Any] = {}

    def load_file(self, file_path: str) -> Any:
        """``file_path``: without its ending. None if there is no such file."""
        if file_path not in self._read:
            for ending, opened in ((".json", open), (".json.gz", gzip.open)):
                if os.path.isfile(file_path + ending):  # noqa: PTH113 - asked hundreds of times
                    with opened(file_path + ending, "rb") as file:
                        self._read[file_path] = json.loads(file.read())
                    break
        return self._read.get(file_path)


MODELS = Models()


def _moment(value: Any) -> datetime:
    """As botocore reads it. ISO 8601 by the standard library: half of a listing's cost was reading its times."""
    if isinstance(value, str) and ISO_8601.fullmatch(value):
        return datetime.fromisoformat(value)
    return parse_timestamp(value)
