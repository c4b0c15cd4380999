"""`users:` of a routing file.

users:
  - name: ada
    email: ada@example.org          # how a calendar names her
    time_zone: Europe/Berlin
    rate_limit: {messages: 10, per: 5m}     # over all of ada's own receivers together
    contacts:                       # receivers; all that hold are used
      - ada-mail
      - {receiver: ada-sms, severities: [critical], during: [nights]}
"""

from collections.abc import Collection

import yaml

from notifiers.matchers import Mode
from notifiers.oncall.people import Contact, Intervals, User
from notifiers.oncall.reader import located
from notifiers.problem import did_you_mean
from notifiers.storms.limit_reader import read_rate_limit
from notifiers.yaml_reader import Section, is_null, section


def read_users(
    root: Section,
    receivers: Collection[str],
    intervals: Intervals,
    mode: Mode = Mode.FALLBACK,
) -> dict[str, User]:
    """All users by name; what is wrong with them is noted there."""
    users: dict[str, User] = {}
    lines: dict[str, int] = {}
    for found in root.sections("users"):
        user = _user(found, receivers, intervals, mode)
        if not user.name:
            found.problem("name", "missing name of the user")
        elif user.name in users:
            hint = f"it stands already in line {lines[user.name]}"
            found.problem("name", f'user "{user.name}" is not unique', hint)
        lines.setdefault(user.name, found.line("name"))
        users.setdefault(user.name, user)
    return users


def _user(found: Section, receivers: Collection[str], intervals: Intervals, mode: Mode) -> User:
    name = found.text("name") or ""
    contacts = tuple(
        contact
        for number, node in enumerate(found.nodes("contacts"))
        if (contact := _contact(found, number, node, receivers, intervals)) is not None
    )
    if not contacts and not found.nodes("contacts"):
        hint = "contacts: [RECEIVER], a name of `receivers`"
        found.problem("contacts", "a user without contacts cannot be reached", hint)
    location = found.parsed("time_zone", located) or "UTC"
    email = found.text("email") or ""
    limit = read_rate_limit(found, mode, None)
    found.close()
    return User(name, contacts, location, email, limit)


def _contact(
    user: Section,
    number: int,
    node: yaml.Node,
    receivers: Collection[str],
    intervals: Intervals,
) -> Contact | None:
    if isinstance(node, yaml.ScalarNode) and not is_null(node):
        name = str(node.value)
        if name not in receivers:
            hint = did_you_mean(name, receivers)
            user.problem("contacts", f'undefined receiver "{name}" in contacts', hint, at=node)
        return Contact(name)
    found = section(user.reading, node, f"{user.where('contacts')}[{number}]")
    if found is None:
        return None
    name = found.text("receiver") or ""
    if not name:
        found.problem("receiver", "a contact needs a receiver")
    elif name not in receivers:
        hint = did_you_mean(name, receivers)
        found.problem("receiver", f'undefined receiver "{name}" in contacts', hint)
    severities = frozenset(text for text, _ in found.texts("severities"))
    during = read_intervals(found, "during", intervals)
    found.close()
    return Contact(name, severities, during)


def read_intervals(found: Section, key: str, intervals: Intervals) -> tuple[str, ...]:
    """Names of `time_intervals`; one that is not defined is a problem."""
    texts = found.texts(key)
    for text, node in texts:
        if text not in intervals:
            hint = did_you_mean(text, intervals)
            found.problem(key, f'undefined time interval "{text}"', hint, at=node)
    return tuple(text for text, _ in texts)
