"""lakectl/local/gate/names.json, made of botocore's models: `PYTHONPATH=tests python -m pages.service_names`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import botocore.session

from lakectl.local import gate

PAGE = Path(gate.__file__).parent / "names.json"


def page() -> str:
    """Signing name → each service of that name: botocore's name, full name, target prefix, protocol."""
    found: dict[str, list[list[str]]] = {}
    loader = botocore.session.get_session().get_component("data_loader")
    for name in loader.list_available_services("service-2"):
        about: dict[str, Any] = loader.load_service_model(name, "service-2")["metadata"]
        signing = about.get("signingName") or about["endpointPrefix"]
        row = [name, about["serviceFullName"], about.get("targetPrefix", ""), about["protocol"]]
        found.setdefault(signing.lower(), []).append(row)
    lines = (f" {json.dumps(signing)}: {json.dumps(rows)}" for signing, rows in sorted(found.items()))
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
