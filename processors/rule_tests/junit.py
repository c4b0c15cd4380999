"""Verdicts as JUnit's XML, for continuous integration."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree


@dataclass(frozen=True, slots=True)
class Case:
    """One test and what failed in it."""

    name: str
    failures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Suite:
    """One file: its tests, or why it could not be used."""

    name: str
    cases: tuple[Case, ...]
    error: str = ""


def xml(suites: Sequence[Suite], at: str) -> str:
    """The report; `at` is a time as `2026-01-31T12:00:00`."""
    root = ElementTree.Element("testsuites")
    for suite in suites:
        failures = sum(len(case.failures) for case in suite.cases)
        element = ElementTree.SubElement(
            root,
            "testsuite",
            name=suite.name,
            tests=str(len(suite.cases)),
            failures=str(failures),
            errors=str(int(bool(suite.error))),
            skipped="0",
            timestamp=at,
        )
        for case in suite.cases:
            one = ElementTree.SubElement(element, "testcase", name=_clean(case.name))
            for failure in case.failures:
                ElementTree.SubElement(one, "failure").text = _clean(failure)
        if suite.error:
            one = ElementTree.SubElement(element, "testcase", name="unknown")
            ElementTree.SubElement(one, "error").text = _clean(suite.error)
    return ElementTree.tostring(root, encoding="unicode")


def _clean(text: str) -> str:
    """XML has no control characters, not even escaped ones."""
    return "".join(each if each >= " " or each in "\t\n\r" else "\ufffd" for each in text)
