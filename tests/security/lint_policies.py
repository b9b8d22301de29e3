"""Run by the linter's own Python: policies in (JSON, name → document), findings out (JSON)."""

from __future__ import annotations

import json
import sys
import warnings

warnings.simplefilter("ignore")  # parliament's import of pkg_resources

import parliament  # noqa: E402


def main() -> None:
    """Writes ``{"checks": n, "findings": [{"check", "resource", "detail"}]}``."""
    findings = []
    for name, document in json.load(sys.stdin).items():
        policy = parliament.analyze_policy_string(json.dumps(document), name, include_community_auditors=True)
        for finding in policy.findings:
            findings.append({"check": finding.issue, "resource": name, "detail": f"{finding.detail}"})
    json.dump({"checks": len(parliament.config), "findings": findings}, sys.stdout)


if __name__ == "__main__":
    main()
