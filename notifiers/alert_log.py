"""Alerts in the checkpoint: a log, in which the newest word about an alert counts.

A step writes the alerts it touched together, so a thousand alerts are a few rows and not a
thousand, each at another place of the file. An entry `alerts/NUMBER`, a *bulk*, holds three parts:
whole alerts by fingerprint, only the ends of posted ones (most posts change nothing else), and
those that were forgotten. The higher the number the newer; none is written twice.

The log is kept short from its old end alone. Once too much of it is outdated the oldest bulks are
dropped, and those alerts whose newest whole entry was there are written anew. Hence nothing can
come to light again, no earlier entry of an alert and none that was forgotten: what is older than
what is dropped is not there any more. An end needs no such care, for its alert's whole entry is
older or it is outdated itself.

Before there was a log each alert had a row, `alert/FINGERPRINT`, and its end another,
`life/FINGERPRINT`. They are older than any bulk, and the first step moves them into the log.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import ormsgpack

from notifiers.alert_book import Alert, unpacked

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
        """Bytes of newest whole entries."""
        self._restored: dict[int, bytes] = {}
        self._rows: dict[str, bytes] = {}
        self._ends: dict[str, bytes] = {}

    def restore(self, kind: str, name: str, entry: bytes) -> None:
        """Take one entry of the checkpoint, of one of the three kinds."""
        if kind == PREFIX:
            self._restored[int(name)] = entry
        else:
            (self._rows if kind == ROWS else self._ends)[name] = entry

    def load(self) -> dict[str, Alert]:
        """The alerts of what was restored, by fingerprint, in its order."""
        restored, self._restored = self._restored, {}
        newest = {name: (entry, -1) for name, entry in self._rows.items()}
        ends = dict(self._ends)
        for number in sorted(restored):
            whole, ended, gone = ormsgpack.unpackb(restored[number])
            newest.update({name: (entry, number) for name, entry in whole.items()})
            for name in ends.keys() & whole.keys():
                del ends[name]
            ends.update(ended)
            for name in gone:
                newest.pop(name, None)
            self._add(number, _Bulk([], len(restored[number]) + _ROW))
        alerts = {}
        for name in sorted(newest):
            entry, number = newest[name]
            alert = alerts[name] = unpacked(name, entry)
            if name in ends:
                alert.restore_life(ends[name])
            if number >= 0:
                self._keep(alert, number, len(entry))
        return alerts

    def forget(self, alert: Alert) -> None:
        """It is remembered no more; what the log says of it is outdated."""
        if alert.stored >= 0:
            self._living -= alert.size
            alert.stored = -1

    def written(
        self, alerts: Mapping[str, Alert], touched: set[str], ended: set[str]
    ) -> dict[str, bytes | None]:
        """The entries for these alerts; those that are not among `alerts` were forgotten.

        Of those that are only `ended` the end alone is written.
        """
        entries: dict[str, bytes | None] = {}
        if self._rows or self._ends:
            touched = touched | self._rows.keys()
            entries |= self._without_rows()
        if not (touched or ended):
            return entries
        if self._size > FACTOR * self._living + SLACK:
            touched = touched | self._shortened(alerts, len(touched) + len(ended), entries)
        names = sorted(touched | ended)
        for start in range(0, len(names), MOST):
            key = f"{PREFIX}/{self._next:012d}"
            entries[key] = self._bulk(alerts, names[start : start + MOST], touched)
        return entries

    def _without_rows(self) -> dict[str, bytes | None]:
        rows, self._rows = self._rows, {}
        ends, self._ends = self._ends, {}
        return dict.fromkeys(
            [*(f"{ROWS}/{one}" for one in rows), *(f"{ENDS}/{one}" for one in ends)]
        )

    def _bulk(self, alerts: Mapping[str, Alert], names: list[str], touched: set[str]) -> bytes:
        whole: dict[str, bytes] = {}
        ended: dict[str, bytes] = {}
        gone, found = [], []
        for name in names:
            alert = alerts.get(name)
            if alert is None:
                gone.append(name)
            elif name in touched or alert.stored < 0:
                whole[name] = alert.packed()
                found.append(alert)
            else:
                ended[name] = alert.packed_life()
        content = ormsgpack.packb([whole, ended, gone])
        number = self._next
        self._add(number, _Bulk([], len(content) + _ROW))
        for alert in found:
            self.forget(alert)
            self._keep(alert, number, len(whole[alert.fingerprint]))
        return content

    def _add(self, number: int, bulk: _Bulk) -> None:
        self._bulks[number] = bulk
        self._size += bulk.size
        self._next = number + 1

    def _keep(self, alert: Alert, number: int, size: int) -> None:
        self._bulks[number].names.append(alert.fingerprint)
        alert.stored, alert.size = number, size
        self._living += size

    def _shortened(
        self, alerts: Mapping[str, Alert], count: int, entries: dict[str, bytes | None]
    ) -> set[str]:
        """Drop the oldest bulks; the alerts that are to be written anew for it.

        Not many more than the step writes anyway, so no step takes long for it.
        """
        # Some more than it must, so that most steps drop nothing.
        excess = self._size - FACTOR * self._living - SLACK // 2
        rescued: set[str] = set()
        dropped: list[int] = []
        for number, bulk in self._bulks.items():
            if excess <= 0 or len(rescued) > 2 * count or len(dropped) == AT_ONCE:
                break
            dropped.append(number)
            living = [one for one in map(alerts.get, bulk.names) if one and one.stored == number]
            excess -= bulk.size - sum(alert.size for alert in living)
            for alert in living:
                self.forget(alert)
                rescued.add(alert.fingerprint)
        for number in dropped:
            self._size -= self._bulks.pop(number).size
            entries[f"{PREFIX}/{number:012d}"] = None
        return rescued
