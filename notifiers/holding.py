"""What keeps alerts from being told to a channel, by cause; and whether that is news.

A cause is a text: `silence/ID`, `alert/FINGERPRINT` (inhibition), `time/NAME` (the calendar),
`ack/INCIDENT`, `receiver/NAME` (it has no channels), and what other parts of the router add. An
alert can have several. What was told already is held by nothing: it waits for its repeat.
"""

from collections.abc import Mapping, Set

from schemas.deliveries import Held
from schemas.labels import derived_id

Hidden = Mapping[str, tuple[str, ...]]
"""The causes of each alert that is held."""
ROOM = 250_000
"""Bytes of a record for causes and the alerts they hold; a message has room for 1,000,000."""
LONGEST = 1_024
"""Characters of a cause in a record: names in a configuration have no limit."""
_MODULUS = 2**64


def held(
    hidden: Hidden, said: Set[str], cause: str, firing: Set[str]
) -> dict[str, tuple[str, ...]]:
    """The causes by alert: of those that are muted and not `said`, and of those that fire.

    `cause` is what keeps all that fires and is not muted from being told; "" is nothing.
    """
    found = {one: why for one, why in hidden.items() if one not in said}
    if cause:
        found.update(dict.fromkeys(firing, (cause,)))
    return found


def digest(causes: Hidden) -> str:
    """The same for the same alerts under the same causes, in whatever order; "" for none."""
    if not causes:
        return ""
    sums: dict[tuple[str, ...], int] = {}
    for one, why in causes.items():
        sums[why] = sums.get(why, 0) + int(one, 16)
    return derived_id(*(part for why in sorted(sums) for part in (*why, sums[why] % _MODULUS)))


def listed(causes: Hidden) -> tuple[tuple[Held, ...], int]:
    """By sets of causes, in order, as a record holds them; and how many alerts had no room."""
    alerts: dict[tuple[str, ...], list[str]] = {}
    for one, why in causes.items():
        alerts.setdefault(why, []).append(one)
    found, room, unnamed = [], ROOM, 0
    for why in sorted(alerts):
        texts = tuple(cause[:LONGEST] for cause in why)
        needed = sum(4 * len(text) + 5 for text in texts) + 20
        fit = max(0, min((room - needed) // 18, len(alerts[why])))
        unnamed += len(alerts[why]) - fit
        if fit:
            room -= needed + fit * 18
            found.append(Held(causes=texts, alerts=tuple(sorted(alerts[why])[:fit])))
    return tuple(found), unnamed
