"""Inhibition rules as the configuration gives them; what they do is the router's."""

from dataclasses import dataclass

from notifiers.matcher_reader import read_matchers
from notifiers.matchers import Matcher, Mode, in_order, is_label_name
from notifiers.yaml_reader import Section


@dataclass(frozen=True, slots=True)
class InhibitRule:
    """An alert that `targets` match is muted while one fires that `sources` match.

    Both must have the same values under the labels of `equal`; a missing label is an empty one.
    """

    sources: tuple[Matcher, ...]
    targets: tuple[Matcher, ...]
    equal: frozenset[str] = frozenset()
    name: str = ""


def read_inhibit_rule(found: Section, mode: Mode) -> InhibitRule:
    """One entry of `inhibit_rules:`."""
    rule = InhibitRule(
        sources=in_order(read_matchers(found, mode, "source_")),
        targets=in_order(read_matchers(found, mode, "target_")),
        equal=_equal(found, mode),
        name=found.text("name") or "",
    )
    found.close()
    return rule


def _equal(found: Section, mode: Mode) -> frozenset[str]:
    names = set[str]()
    for name, node in found.texts("equal"):
        if not is_label_name(name, mode):
            found.problem("equal", f'invalid label name "{name}" in equal list', at=node)
        names.add(name)
    return frozenset(names)
