"""`icalendar:` of a layer: the name of a file, and in what travels the calendar itself.

A router reads no files, so whoever reads the routing file from its folder puts the calendars' text
in the place of their names (`with_calendars`); lines stay where they are.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import yaml

from notifiers.oncall.events import CalendarTurns
from notifiers.oncall.people import User
from notifiers.yaml_reader import Section

KEY = "icalendar"
BEGINS = "BEGIN:VCALENDAR"
MOST_BYTES = 1_000_000
_SHORT = {"\n": "\\n", "\r": "\\r"}


def read_icalendar(
    found: Section, location: str, users: Mapping[str, User] | None
) -> CalendarTurns:
    """The shifts of a layer that has them from a calendar; nobody's if it cannot be read."""
    text = found.text(KEY) or ""
    for key in ("users", "rotation", "start"):
        if key in found.items:
            found.problem(key, f"a layer with {KEY} has it from there")
            found.asked.add(key)
    if not text.lstrip("\ufeff").startswith(BEGINS):
        hint = "name a file beside the routing file, of at most 1,000,000 bytes"
        found.problem(KEY, f'no calendar can be read from "{text[:200]}"', hint)
        return CalendarTurns(())
    # Only who has a calendar needs the library.
    from notifiers.oncall.icalendar_reader import NotCalendar, known_as, read_calendar

    names = None
    if users is not None:
        names = known_as({one.name: one.email for one in users.values()})
    try:
        return read_calendar(text.lstrip("\ufeff"), location, names)
    except NotCalendar as fault:
        found.problem(KEY, str(fault))
        return CalendarTurns(())


def with_calendars(text: str, folder: Path) -> str:
    """The routing file with the calendars that it names; a file that cannot be read stays a name.

    `folder` is what names are relative to. Text that is no YAML stays as it is.
    """
    if KEY not in text:
        return text
    try:
        root = yaml.compose(text, yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError, ValueError):
        return text
    named = sorted(_named(root), key=lambda node: node.start_mark.index, reverse=True)
    for node in named:
        if (calendar := _calendar(folder / str(node.value))) is not None:
            before, after = text[: node.start_mark.index], text[node.end_mark.index :]
            text = f'{before}"{"".join(map(_escaped, calendar))}"{after}'
    return text


def _named(root: yaml.Node | None) -> Iterator[yaml.ScalarNode]:
    """The names of files, each once; calendars that are there already are none."""
    seen: set[int] = set()
    for schedule in _items(_child(root, "schedules")):
        for layer in _items(_child(schedule, "layers")):
            node = _child(layer, KEY)
            if not isinstance(node, yaml.ScalarNode) or node.start_mark.index in seen:
                continue
            seen.add(node.start_mark.index)
            if node.value and not str(node.value).startswith(BEGINS):
                yield node


def _escaped(character: str) -> str:
    """As it stands in YAML's double quotes, whatever it is."""
    if " " <= character <= "~" and character not in '"\\':
        return character
    return _SHORT.get(character) or f"\\U{ord(character):08x}"


def _calendar(file: Path) -> str | None:
    try:
        if file.stat().st_size > MOST_BYTES:
            return None
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError, ValueError):
        return None
    return text if text.lstrip("\ufeff").startswith(BEGINS) else None


def _items(node: yaml.Node | None) -> list[yaml.Node]:
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _child(node: yaml.Node | None, name: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for key, value in node.value if key.value == name), None)
