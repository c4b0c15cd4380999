"""In which time zone a receiver's messages say times: that of the people whom it reaches."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from notifiers.oncall.people import User
from notifiers.receivers import Receiver


def located(receivers: Mapping[str, Receiver], users: Iterable[User]) -> dict[str, Receiver]:
    """The receivers, each with the zone of those whose contact it is; UTC where they differ."""
    zones: dict[str, set[str]] = {}
    for user in users:
        for contact in user.contacts:
            zones.setdefault(contact.receiver, set()).add(user.location)
    return {
        name: replace(one, location=next(iter(zones[name])))
        if len(zones.get(name, ())) == 1
        else one
        for name, one in receivers.items()
    }
