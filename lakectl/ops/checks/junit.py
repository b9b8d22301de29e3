"""Checks as JUnit XML, which CI systems show."""

from __future__ import annotations

import re
from collections.abc import Iterable
from xml.etree import ElementTree

from lakectl.ops.checks.validate import Check

SAVED = "queries"  # the suite of the saved queries
# XML 1.0 has no way to write these.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def document(checks: Iterable[Check]) -> bytes:
    """A suite for each source and one for the saved queries; what could not be judged is ``skipped``."""
    suites: dict[str, list[Check]] = {}
    for check in checks:
        suites.setdefault(check.source or SAVED, []).append(check)
    root = ElementTree.Element("testsuites", _counts([check for suite in suites.values() for check in suite]))
    for name, suite in suites.items():
        element = ElementTree.SubElement(root, "testsuite", {"name": name, **_counts(suite)})
        for check in suite:
            attributes = {"classname": f"lakectl.{name}", "name": check.name, "time": f"{check.seconds:.3f}"}
            case = ElementTree.SubElement(element, "testcase", attributes)
            text = _NOT_XML.sub("\ufffd", check.detail)
            if check.passed is False:
                ElementTree.SubElement(case, "failure", {"message": text}).text = f"{check.title}: {text}"
            elif check.passed is None:
                ElementTree.SubElement(case, "skipped", {"message": text})
            else:
                ElementTree.SubElement(case, "system-out").text = text
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)


def _counts(checks: list[Check]) -> dict[str, str]:
    return {
        "tests": str(len(checks)),
        "failures": str(sum(check.passed is False for check in checks)),
        "skipped": str(sum(check.passed is None for check in checks)),
        "time": f"{sum(check.seconds for check in checks):.3f}",
    }
