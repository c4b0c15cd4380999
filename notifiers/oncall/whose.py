"""What receivers have of the people whom they reach: their time zone, and a limit of theirs."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from notifiers.oncall.people import User
from notifiers.receivers import Receiver
from notifiers.storms.settings import Person


def assigned(receivers: Mapping[str, Receiver], users: Iterable[User]) -> dict[str, Receiver]:
    """The receivers, each with the zone of those whose contact it is; UTC where they differ.

    What is the contact of one user alone shares that user's limit.
    """
    known = {user.name: user for user in users}
    of: dict[str, list[str]] = {name: [] for name in receivers}
    for user in known.values():
        for name in dict.fromkeys(contact.receiver for contact in user.contacts):
            of[name].append(user.name)
    persons = {
        user.name: Person(
            user.name,
            user.rate_limit,
            tuple(name for name in receivers if of[name] == [user.name]),
        )
        for user in known.values()
        if user.rate_limit is not None
    }
    found = {}
    for name, receiver in receivers.items():
        zones = {known[one].location for one in of[name]}
        found[name] = replace(
            receiver,
            location=zones.pop() if len(zones) == 1 else "UTC",
            person=persons.get(of[name][0]) if len(of[name]) == 1 else None,
        )
    return found
