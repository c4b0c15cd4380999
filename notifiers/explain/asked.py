"""Which alerts are asked for: one by its fingerprint, some by name or labels, an incident's."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_FINGERPRINT = re.compile(r"[0-9a-f]{16}")
_INCIDENT = re.compile(r"[0-9a-fA-F]{4,24}")
"""An incident's id, or its beginning: what else stands alone is an alert's name."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One of the three; `labels` are values that an alert must have, among others."""

    fingerprint: str = ""
    incident: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

    def wants(self, labels: Mapping[str, str]) -> bool:
        """Whether an alert with these labels is one that `labels` asks for."""
        return all(labels.get(name, "") == value for name, value in self.labels.items())


def fingerprint_of(word: str) -> str:
    """The word, if it has the form of an alert's fingerprint; else nothing."""
    return word if _FINGERPRINT.fullmatch(word) else ""


def asked(words: list[str]) -> Asked:
    """A fingerprint, an incident's id, or `name=value …`; a first word without `=` is the name.

    Raises ValueError with a sentence for people.
    """
    first = words[0].strip() if words else ""
    if len(words) == 1 and _INCIDENT.fullmatch(first):
        return Asked(fingerprint=fingerprint_of(first), incident=first)
    if not first:
        raise ValueError("an alert is wanted: a fingerprint, labels, or an incident's id")
    labels: dict[str, str] = {}
    if "=" not in first:
        labels["alertname"], words = first, words[1:]
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise ValueError(f'"{word[:100]}" is no label: write name=value')
        labels[name.strip()] = value.strip().strip('"')
    return Asked(labels=labels)
