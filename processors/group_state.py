"""What a detector remembers of a rule group, in the checkpoint: a key for each shard of alerts.

A group of 10,000 alerts of which one changes writes a sixty-fourth of them. The head, with the last
instant, is written after everything else: a replay that meets it skips what it has seen.
"""

import json
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import ormsgpack

from processors.promql.labels import Labels
from processors.rules.group import Memory
from processors.rules.lifecycle import NONE, Alert, Alerts, State
from schemas.stage import StateChange

PREFIX = "group/"
DETECTION = "detection/"
"""What a detector has learned, by group and slot (rule and options), then by a key of its own."""
SHARDS = 64
REMEMBERED = 100_000
"""Alerts of which the shard is remembered."""
_HEAD = ""
_RECORDED = "recorded"
_ALERTS = "alerts"
_END: tuple[Labels | None, Alert | None] = (None, None)


def detection_key(group: str, slot: str) -> str:
    """Under which a detector's learning is kept."""
    return f"{group}\0{slot}"


@dataclass(frozen=True, slots=True)
class GroupState:
    """The group's memory, and the last instant (ms) it has seen: a replay skips up to it."""

    last: int = -1
    memory: Memory = field(default_factory=Memory)
    whole: bool = field(default=False, compare=False)
    """It comes from a checkpoint that held the group under one key, and goes over to many."""

    def only(self, rules: Collection[str]) -> "GroupState":
        """What it remembers of these rules."""
        memory = Memory(
            {key: alerts for key, alerts in self.memory.alerts.items() if key in rules},
            {key: sets for key, sets in self.memory.recorded.items() if key in rules},
            self.memory.detections,
        )
        return GroupState(self.last, memory, self.whole)

    def changes(self, group: str, before: "GroupState") -> list[StateChange]:
        """What differs from `before`, as the checkpoint has it; nothing where nothing does.

        Values and annotations count too: an alert ends with those of its last evaluation.
        """
        if before.whole:
            old = StateChange(PREFIX + group, None)
            return [*self.changes(group, GroupState()), self.head(group), old]
        found = [
            StateChange(_key(group, _RECORDED, rule), _packed(self.memory.recorded.get(rule)))
            for rule in _either(self.memory.recorded, before.memory.recorded)
            if self.memory.recorded.get(rule) != before.memory.recorded.get(rule)
        ]
        for rule in _either(self.memory.alerts, before.memory.alerts):
            now = self.memory.alerts.get(rule, NONE)
            then = before.memory.alerts.get(rule, NONE)
            if now is not then:
                found += _shards(group, rule, now, then)
        return [*found, self.head(group)] if found else []

    def head(self, group: str) -> StateChange:
        """That the group has seen its last instant."""
        return StateChange(_key(group, _HEAD), ormsgpack.packb(self.last))

    def gone(self, group: str) -> list[StateChange]:
        """Removes everything that the checkpoint has of the group."""
        emptied = GroupState(self.last).changes(group, self)
        kept = [change for change in emptied if change.value is None]
        return [*kept, StateChange(_key(group, _HEAD), None)]


class Restored:
    """Groups as they come back from the checkpoint, key by key."""

    def __init__(self) -> None:
        self._whole: dict[str, GroupState] = {}
        self._last: dict[str, int] = {}
        self._alerts: dict[str, dict[str, dict[Labels, Alert]]] = {}
        self._recorded: dict[str, dict[str, tuple[Labels, ...]]] = {}

    def add(self, key: str, value: bytes) -> None:
        """Take one entry whose key begins with `PREFIX`."""
        name = key.removeprefix(PREFIX)
        if not name.startswith('["'):
            self._whole[name] = _read_whole(value)
            return
        group, part, *rest = json.loads(name)
        if part == _HEAD:
            self._last[group] = ormsgpack.unpackb(value)
            return
        entries = ormsgpack.unpackb(zlib.decompress(value))
        if part == _RECORDED:
            sets = tuple(_labels(labels) for labels in entries)
            self._recorded.setdefault(group, {})[rest[0]] = sets
        else:
            alerts = self._alerts.setdefault(group, {}).setdefault(rest[0], {})
            alerts.update(_read(entry) for entry in entries)

    def states(self) -> dict[str, GroupState]:
        """The groups by name."""
        names = self._last.keys() | self._alerts.keys() | self._recorded.keys()
        return self._whole | {
            name: GroupState(
                self._last.get(name, -1),
                Memory(
                    {
                        rule: dict(sorted(alerts.items()))
                        for rule, alerts in self._alerts.get(name, {}).items()
                    },
                    self._recorded.get(name, {}),
                ),
            )
            for name in names
        }


def _key(group: str, part: str, *rest: str | int) -> str:
    return PREFIX + json.dumps([group, part, *rest], ensure_ascii=False)


def _either(now: Mapping[str, object], before: Mapping[str, object]) -> Iterable[str]:
    return sorted(now.keys() | before.keys())


def _shards(group: str, rule: str, now: Alerts, before: Alerts) -> list[StateChange]:
    """The shards in which some alert is new, other than it was, or gone."""
    touched = {_shard(labels) for labels in _differing(now, before)}
    entries: dict[int, list[object]] = {shard: [] for shard in touched}
    for labels, alert in now.items():
        shard = _shard(labels)
        if shard in touched:
            entries[shard].append(_alert(labels, alert))
    return [
        StateChange(_key(group, _ALERTS, rule, shard), _packed(entries[shard] or None))
        for shard in sorted(touched)
    ]


def _differing(now: Alerts, before: Alerts) -> Iterator[Labels]:
    """The alerts that are new, other than they were, or gone; whatever the order of either."""
    # Both are in label order as a rule, and most alerts the very objects they were: walked in step
    # those need neither a look-up nor a comparison.
    passed: list[Labels] = []
    walk = iter(before.items())
    there, known = next(walk, _END)
    for labels, alert in now.items():
        if labels is not there and labels != there:
            earlier = before.get(labels)
            if earlier is None:
                yield labels
                continue
            while there is not None and labels != there:
                passed.append(there)
                there, known = next(walk, _END)
            known = earlier
        if known is not alert and known != alert:
            yield labels
        there, known = next(walk, _END)
    if there is not None:
        passed.append(there)
    passed += (labels for labels, _ in walk)
    yield from (labels for labels in passed if labels not in now)


@lru_cache(maxsize=REMEMBERED)
def _shard(labels: Labels) -> int:
    return zlib.crc32(repr(labels).encode("utf-8", "backslashreplace")) % SHARDS


def _packed(entries: object | None) -> bytes | None:
    return None if entries is None else zlib.compress(ormsgpack.packb(entries), 1)


def _alert(labels: Labels, alert: Alert) -> list[object]:
    return [
        labels,
        str(alert.state),
        alert.active_at,
        alert.value,
        alert.annotations,
        alert.fired_at,
        alert.keep_firing_since,
    ]


def _read(entry: list[object]) -> tuple[Labels, Alert]:
    labels, state, active_at, value, notes, fired_at, keep = entry
    alert = Alert(
        State(str(state)),
        active_at,  # type: ignore[arg-type]  # plain data that `_alert` wrote
        value,  # type: ignore[arg-type]
        _labels(notes),
        fired_at,  # type: ignore[arg-type]
        keep,  # type: ignore[arg-type]
    )
    return _labels(labels), alert


def _read_whole(value: bytes) -> GroupState:
    raw = ormsgpack.unpackb(zlib.decompress(value))
    alerts = {key: dict(_read(each) for each in listed) for key, listed in raw["alerts"].items()}
    recorded = {
        key: tuple(_labels(labels) for labels in sets) for key, sets in raw["recorded"].items()
    }
    return GroupState(raw["last"], Memory(alerts, recorded), True)


def _labels(pairs: object) -> Labels:
    return tuple((name, value) for name, value in pairs)  # type: ignore[attr-defined]
