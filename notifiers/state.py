"""All that the router remembers, in memory and in its checkpoint, and the timers over it."""

from collections import Counter
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush

import ormsgpack

from notifiers.alert_book import Alert, unpacked
from notifiers.checkpoint import Checkpoint
from notifiers.config import Config, read
from notifiers.group import Group, Line, unpacked_group, unpacked_line
from notifiers.route_tree import Route
from schemas.stage import Output, StateChange

Timer = tuple[int, str, str]
"""When, which group, and which line of it; without a line it is the group's flush."""


@dataclass(slots=True)
class PlanState:
    """The plan in force and the pieces of the next."""

    number: int = 0
    digest: str = ""
    content: bytes = b""
    config: Config | None = None
    routes: dict[str, Route] = field(default_factory=dict)
    next: tuple[int, str, int] = (0, "", 0)
    """Number, digest and count of pieces of the plan that is arriving."""
    pieces: dict[int, bytes] = field(default_factory=dict)

    def use(self, config: Config) -> None:
        """Put a configuration into force."""
        self.config = config
        self.routes = {route.id: route for route in config.route.walk()}


@dataclass(slots=True)
class State:
    """The router's memory; what a step touched is in the `touched` sets until it is written."""

    checkpoint: Checkpoint = field(default_factory=Checkpoint)
    now: int = 0
    plan: PlanState = field(default_factory=PlanState)
    alerts: dict[str, Alert] = field(default_factory=dict)
    by_labels: dict[tuple[tuple[str, str], ...], Alert] = field(default_factory=dict)
    """A cache: the same label set, in the order it came, to its alert."""
    groups: dict[str, Group] = field(default_factory=dict)
    sent: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Outstanding deliveries: id to group and line."""
    timers: list[Timer] = field(default_factory=list)
    idle: list[tuple[int, str]] = field(default_factory=list)
    touched_alerts: set[str] = field(default_factory=set)
    touched_groups: set[str] = field(default_factory=set)
    touched_lines: set[tuple[str, str]] = field(default_factory=set)
    touched_plan: set[str] = field(default_factory=set)
    outputs: list[Output] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def load(self) -> None:
        """Rebuild memory from what was restored."""
        entries = self.checkpoint.load()
        self.now = self.checkpoint.now
        for key, entry in entries.items():
            kind, _, rest = key.partition("/")
            if kind == "plan":
                self._load_plan(rest, entry)
            elif kind == "group":
                self.groups[rest] = unpacked_group(rest, entry)
            elif kind == "alert":
                self.alerts[rest] = unpacked(rest, entry)
        for key, entry in entries.items():
            kind, _, rest = key.partition("/")
            if kind == "outbox":
                group_id, _, line_id = rest.partition("/")
                self._load_line(group_id, line_id, unpacked_line(entry))
        for alert in self.alerts.values():
            for group_id, revision in alert.groups.items():
                self.groups[group_id].members[alert.fingerprint] = revision
            if alert.idle_since is not None:
                self.idle.append((alert.idle_since, alert.fingerprint))
            if (shown := alert.shown) is not None:
                self.spell(alert, tuple(shown.labels.items()))
        self.timers += [(group.due, group.id, "") for group in self.groups.values()]
        heapify(self.timers)
        heapify(self.idle)

    def spell(self, alert: Alert, spelling: tuple[tuple[str, str], ...]) -> None:
        """Find this alert faster by its labels in this order; a few orders are enough."""
        if len(alert.spellings) < 4:
            alert.spellings.append(spelling)
            self.by_labels[spelling] = alert

    def _load_plan(self, name: str, entry: bytes) -> None:
        plan = self.plan
        if name == "next":
            number, digest, count, pieces = ormsgpack.unpackb(
                entry, option=ormsgpack.OPT_NON_STR_KEYS
            )
            plan.next, plan.pieces = (number, digest, count), pieces
            return
        plan.number, plan.digest, plan.content = ormsgpack.unpackb(entry)
        config, _ = read(plan.content.decode(errors="replace"), "plan", bare=True)
        if config is not None:
            plan.use(config)

    def _load_line(self, group_id: str, line_id: str, line: Line) -> None:
        self.groups[group_id].lines[line_id] = line
        if line.outstanding is not None:
            self.sent[line.outstanding.id] = (group_id, line_id)
            self.timers.append((line.outstanding.wake, group_id, line_id))

    def written(self, seen: int) -> list[StateChange]:
        """What the step changed, for the checkpoint; from here on nothing is touched."""
        entries: dict[str, bytes | None] = {}
        for name in sorted(self.touched_plan):
            entries[f"plan/{name}"] = self._plan_entry(name)
        for fingerprint in sorted(self.touched_alerts):
            alert = self.alerts.get(fingerprint)
            entries[f"alert/{fingerprint}"] = None if alert is None else alert.packed()
        for group_id in sorted(self.touched_groups):
            group = self.groups.get(group_id)
            entries[f"group/{group_id}"] = None if group is None else group.packed()
        for group_id, line_id in sorted(self.touched_lines):
            group = self.groups.get(group_id)
            line = None if group is None else group.lines.get(line_id)
            entries[f"outbox/{group_id}/{line_id}"] = None if line is None else line.packed()
        for touched in (
            self.touched_plan,
            self.touched_alerts,
            self.touched_groups,
            self.touched_lines,
        ):
            touched.clear()
        return self.checkpoint.changes(entries, seen, self.now)

    def _plan_entry(self, name: str) -> bytes | None:
        plan = self.plan
        if name == "current":
            return ormsgpack.packb([plan.number, plan.digest, plan.content])
        if not plan.pieces:
            return None
        return ormsgpack.packb([*plan.next, plan.pieces], option=ormsgpack.OPT_NON_STR_KEYS)

    def wake(self, at: int, group_id: str, line_id: str = "") -> None:
        """Set a timer; the group or line says whether it still holds."""
        heappush(self.timers, (at, group_id, line_id))

    def next_timer(self) -> Timer | None:
        """The earliest timer that still holds."""
        while self.timers:
            due, group_id, line_id = self.timers[0]
            group = self.groups.get(group_id)
            if group is not None and self._holds(group, due, line_id):
                return self.timers[0]
            heappop(self.timers)
        return None

    @staticmethod
    def _holds(group: Group, due: int, line_id: str) -> bool:
        if not line_id:
            return group.due == due
        line = group.lines.get(line_id)
        return line is not None and line.outstanding is not None and line.outstanding.wake == due
