"""Alerts in the checkpoint: a log, in which the newest word about an alert counts.

A step writes the alerts it touched together, so a thousand alerts are a few rows and not a
thousand, each at another place of the file. An entry `alerts/NUMBER`, a *bulk*, holds three lists:
whole alerts, only the ends of posted ones (most posts change nothing else), and the fingerprints of
those that were forgotten. The higher the number the newer; none is written twice.

The log is kept short from its old end alone. Once too much of it is outdated the oldest bulks are
dropped, and those alerts whose newest whole entry was there are written anew. Hence nothing can
come to light again, no earlier entry of an alert and none that was forgotten: what is older than
what is dropped is not there any more. An end needs no such care, for its alert's whole entry is
older or it is outdated itself.

Before there was a log each alert had a row, `alert/FINGERPRINT`, and its end another,
`life/FINGERPRINT`. They are older than any bulk, and the first step moves them into the log. Bulks
of then held alerts by fingerprint, each packed alone: they are read as long as they live.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ormsgpack

from notifiers.alert_book import UNIT, Alert, Restored
from notifiers.group import Group

PREFIX = "alerts"
ROWS, ENDS = "alert", "life"
KINDS = frozenset({PREFIX, ROWS, ENDS})
MOST = 128
"""Alerts of a bulk: few enough that the last living one does not keep much alive."""
FACTOR = 2
"""How much larger than what lives in it the log may grow: to keep it so, at most as much is written
anew as was outdated."""
SLACK = 1 << 16
"""Bytes that may be outdated besides: a small log is not worth the care."""
AT_ONCE = 256
"""Bulks that a step drops at most."""
_ROW = 64
"""Bytes of a row besides its content, about: many small ones are to be counted, too."""


@dataclass(slots=True)
class _Bulk:
    """Whose whole entries it held when it was written, and its bytes."""

    names: list[str]
    size: int


class AlertLog:
    """Reads and writes the log, and knows which part of it is outdated; see above."""

    def __init__(self) -> None:
        self._bulks: dict[int, _Bulk] = {}
        """By number, the oldest first."""
        self._next = 0
        self._size = 0
        self._living = 0
        """Of newest whole entries, as `Alert.weight`."""
        self._restored: dict[int, bytes] = {}
        self._rows: dict[str, bytes] = {}
        self._ends: dict[str, bytes] = {}

    def restore(self, kind: str, name: str, entry: bytes) -> None:
        """Take one entry of the checkpoint, of one of the three kinds."""
        if kind == PREFIX:
            self._restored[int(name)] = entry
        else:
            (self._rows if kind == ROWS else self._ends)[name] = entry

    def load(self) -> dict[str, Restored]:
        """The alerts of what was restored, by fingerprint, in its order."""
        restored, self._restored = self._restored, {}
        newest = {name: (Restored.of_entry(name, one), -1) for name, one in self._rows.items()}
        ends = {name: ormsgpack.unpackb(entry) for name, entry in self._ends.items()}
        for number in sorted(restored):
            whole, ended, gone = _unpacked(restored[number])
            for one in whole:
                newest[one.alert.fingerprint] = (one, number)
                ends.pop(one.alert.fingerprint, None)
            ends.update({name: life for name, *life in ended})
            for name in gone:
                newest.pop(name, None)
            self._add(number, _Bulk([], len(restored[number]) + _ROW))
        found, groups = {}, dict[tuple[str, ...], tuple[str, ...]]()
        for name in sorted(newest):
            one, number = newest[name]
            found[name], alert = one, one.alert
            # Most alerts are in the groups of many others: they share what says so.
            alert.groups = groups.setdefault(alert.groups, alert.groups)
            if name in ends:
                alert.expires_at, alert.timed_out, alert.updated_at = ends[name]
            if number >= 0:
                self._keep(alert, number)
        return found

    def forget(self, alert: Alert) -> None:
        """It is remembered no more; what the log says of it is outdated."""
        if alert.stored >= 0:
            self._living -= alert.size
            alert.stored = -1

    def written(
        self,
        alerts: Mapping[str, Alert],
        groups: Mapping[str, Group],
        touched: set[str],
        ended: set[str],
    ) -> dict[str, bytes | None]:
        """The entries for these alerts; those that are not among `alerts` were forgotten.

        Of those that are only `ended` the end alone is written. `groups` has all they are in.
        """
        entries: dict[str, bytes | None] = {}
        if self._rows or self._ends:
            touched = touched | self._rows.keys()
            entries |= self._without_rows()
        if not (touched or ended):
            return entries
        if self._size > FACTOR * self._living * UNIT + SLACK:
            touched = touched | self._shortened(alerts, len(touched) + len(ended), entries)
        names = sorted(touched | ended)
        for start in range(0, len(names), MOST):
            key = f"{PREFIX}/{self._next:012d}"
            entries[key] = self._bulk(alerts, groups, names[start : start + MOST], touched)
        return entries

    def _without_rows(self) -> dict[str, bytes | None]:
        rows, self._rows = self._rows, {}
        ends, self._ends = self._ends, {}
        return dict.fromkeys(
            [*(f"{ROWS}/{one}" for one in rows), *(f"{ENDS}/{one}" for one in ends)]
        )

    def _bulk(
        self,
        alerts: Mapping[str, Alert],
        groups: Mapping[str, Group],
        names: list[str],
        touched: set[str],
    ) -> bytes:
        whole, ended, gone, found = [], [], [], []
        for name in names:
            alert = alerts.get(name)
            if alert is None:
                gone.append(name)
            elif name in touched or alert.stored < 0:
                whole.append(alert.row([groups[one].members[name] for one in alert.groups]))
                found.append(alert)
            else:
                ended.append(alert.life())
        # All at once: packed one by one an alert costs twice as much.
        content = ormsgpack.packb([whole, ended, gone])
        number = self._next
        self._add(number, _Bulk([], len(content) + _ROW))
        for alert in found:
            if alert.stored >= 0:
                self.forget(alert)
            self._keep(alert, number)
        return content

    def _add(self, number: int, bulk: _Bulk) -> None:
        self._bulks[number] = bulk
        self._size += bulk.size
        self._next = number + 1

    def _keep(self, alert: Alert, number: int) -> None:
        self._bulks[number].names.append(alert.fingerprint)
        alert.stored, alert.size = number, alert.weight()
        self._living += alert.size

    def _shortened(
        self, alerts: Mapping[str, Alert], count: int, entries: dict[str, bytes | None]
    ) -> set[str]:
        """Drop the oldest bulks; the alerts that are to be written anew for it.

        Not many more than the step writes anyway, so no step takes long for it.
        """
        # Some more than it must, so that most steps drop nothing.
        excess = self._size - FACTOR * self._living * UNIT - SLACK // 2
        rescued: set[str] = set()
        dropped: list[int] = []
        for number, bulk in self._bulks.items():
            if excess <= 0 or len(rescued) > 2 * count or len(dropped) == AT_ONCE:
                break
            dropped.append(number)
            living = [one for one in map(alerts.get, bulk.names) if one and one.stored == number]
            excess -= bulk.size - sum(alert.size for alert in living) * UNIT
            for alert in living:
                self.forget(alert)
                rescued.add(alert.fingerprint)
        for number in dropped:
            self._size -= self._bulks.pop(number).size
            entries[f"{PREFIX}/{number:012d}"] = None
        return rescued


def _unpacked(bulk: bytes) -> tuple[list[Restored], list[Any], list[str]]:
    whole, ended, gone = ormsgpack.unpackb(bulk)
    if isinstance(whole, dict):
        # As older versions wrote it.
        return (
            [Restored.of_entry(name, entry) for name, entry in whole.items()],
            [(name, *ormsgpack.unpackb(entry)) for name, entry in ended.items()],
            gone,
        )
    return [Restored.of_row(row) for row in whole], ended, gone
