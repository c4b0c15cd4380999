"""Which alerts are asked for: one by its fingerprint, some by labels, those of an incident."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_FINGERPRINT = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Asked:
    """One of the three; `labels` are values that an alert must have, among others."""

    fingerprint: str = ""
    incident: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

    def wants(self, labels: Mapping[str, str]) -> bool:
        """Whether an alert with these labels is one that `labels` asks for."""
        return all(labels.get(name, "") == value for name, value in self.labels.items())


def asked(words: list[str]) -> Asked:
    """A fingerprint, an incident's id, or `name=value …`.

    Raises ValueError with a sentence for people.
    """
    if len(words) == 1 and "=" not in words[0]:
        word = words[0].strip()
        if not word:
            raise ValueError("an alert is wanted: a fingerprint, labels, or an incident's id")
        is_print = _FINGERPRINT.fullmatch(word) is not None
        return Asked(fingerprint=word, incident=word) if is_print else Asked(incident=word)
    labels: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise ValueError(f'"{word[:100]}" is no label: write name=value')
        labels[name.strip()] = value.strip().strip('"')
    if not labels:
        raise ValueError("an alert is wanted: a fingerprint, labels, or an incident's id")
    return Asked(labels=labels)
