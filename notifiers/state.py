"""All that the router remembers, in memory and in its checkpoint, and the timers over it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from heapq import heapify, heappop, heappush
from typing import NamedTuple

import ormsgpack

from notifiers.alert_book import Alert
from notifiers.alert_log import KINDS, AlertLog
from notifiers.book import Book
from notifiers.checkpoint import Checkpoint
from notifiers.config import Config, read
from notifiers.drills.drill import DrillBook
from notifiers.drills.resend_book import ResendBook
from notifiers.fallback.book import FallbackBook
from notifiers.fingerprints import fingerprints
from notifiers.group import Group, Line, unpacked_group, unpacked_line
from notifiers.heartbeats.book import HeartbeatBook
from notifiers.heartbeats.switch_book import SwitchBook
from notifiers.incidents.book import IncidentBook
from notifiers.inhibition import Inhibitor
from notifiers.notices.book import NoticeBook
from notifiers.oncall.book import OverrideBook
from notifiers.route_tree import Route
from notifiers.route_ways import ways
from notifiers.silences import SilenceBook, unpacked_silence
from notifiers.storms.families import Families, began
from notifiers.storms.flap_book import FlapBook
from notifiers.storms.limit_book import LimitBook
from notifiers.storms.parent_book import ParentBook
from notifiers.storms.settings import Dependency
from notifiers.windows.book import WindowBook
from notifiers.windows.reminders import ReminderBook
from schemas.alerts import AlertState
from schemas.deliveries import Why
from schemas.pairs import Finder, finder
from schemas.stage import Output, StateChange

Timer = tuple[int, str, str]
"""When, which group, and which line of it; without a line it is the group's flush.

Without a group it is the end of a posted alert, by its fingerprint.
"""


class Way(NamedTuple):
    """A route that labels lead to, and the group there: its labels and its id."""

    route: Route
    pairs: tuple[tuple[str, str], ...]
    group_id: str


class Ways(NamedTuple):
    """Where labels lead, and the ids of the groups there, which all alerts on these ways share."""

    all: tuple[Way, ...]
    group_ids: tuple[str, ...]


@dataclass(slots=True)
class PlanState:
    """The plan in force and the pieces of the next."""

    number: int = 0
    digest: str = ""
    content: bytes = b""
    home: bool = True
    """Whether heartbeats are waited for on this partition: pings come to one alone."""
    config: Config | None = None
    routes: dict[str, Route] = field(default_factory=dict)
    ways: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The matchers on the way from the root to each route."""
    looks_at: tuple[Finder, ...] | None = None
    """Find the labels by which alerts are routed and grouped; None if it is all of them."""
    found: dict[tuple[bytes | None, ...], Ways] = field(default_factory=dict)
    """A cache: where values of those labels lead."""
    next: tuple[int, str, int] = (0, "", 0)
    """Number, digest and count of pieces of the plan that is arriving."""
    pieces: dict[int, bytes] = field(default_factory=dict)

    def use(self, config: Config) -> None:
        """Put a configuration into force."""
        self.config = config
        self.routes = {route.id: route for route in config.route.walk()}
        self.ways = ways(config.route)
        looks_at = config.route.looks_at()
        self.looks_at = None if looks_at is None else tuple(finder(name) for name in looks_at)
        self.found = {}

    def location_of(self, receiver: str) -> str:
        """The time zone in which this receiver's messages say times."""
        known = None if self.config is None else self.config.receivers.get(receiver)
        return "UTC" if known is None else known.location


@dataclass(slots=True)
class State:
    """The router's memory; what a step touched is in the `touched` sets until it is written."""

    checkpoint: Checkpoint = field(default_factory=Checkpoint)
    now: int = 0
    plan: PlanState = field(default_factory=PlanState)
    alerts: dict[str, Alert] = field(default_factory=dict)
    by_labels: dict[bytes, Alert] = field(default_factory=dict)
    """The same by packed labels."""
    alert_log: AlertLog = field(default_factory=AlertLog)
    groups: dict[str, Group] = field(default_factory=dict)
    sent: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Outstanding deliveries: id to group and line."""
    timers: list[Timer] = field(default_factory=list)
    idle: list[tuple[int, str]] = field(default_factory=list)
    silences: SilenceBook = field(default_factory=SilenceBook)
    inhibitor: Inhibitor = field(default_factory=Inhibitor)
    held: dict[str, set[str]] = field(default_factory=dict)
    """Groups that wait, by what they wait for (only with `suppression: tocsin`)."""
    incidents: IncidentBook = field(default_factory=IncidentBook)
    overrides: OverrideBook = field(default_factory=OverrideBook)
    notices: NoticeBook = field(default_factory=NoticeBook)
    windows: WindowBook = field(default_factory=WindowBook)
    fallbacks: FallbackBook = field(default_factory=FallbackBook)
    reminders: ReminderBook = field(default_factory=ReminderBook)
    limits: LimitBook = field(default_factory=LimitBook)
    families: Families = field(default_factory=Families)
    parents: ParentBook = field(default_factory=ParentBook)
    flaps: FlapBook = field(default_factory=FlapBook)
    heartbeats: HeartbeatBook = field(default_factory=HeartbeatBook)
    switch: SwitchBook = field(default_factory=SwitchBook)
    drills: DrillBook = field(default_factory=DrillBook)
    resends: ResendBook = field(default_factory=ResendBook)
    external_url: str = ""
    touched_silences: set[str] = field(default_factory=set)
    touched_lives: set[str] = field(default_factory=set)
    touched_alerts: set[str] = field(default_factory=set)
    touched_groups: set[str] = field(default_factory=set)
    touched_lines: set[tuple[str, str]] = field(default_factory=set)
    touched_plan: set[str] = field(default_factory=set)
    outputs: list[Output] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    books: tuple[Book, ...] = field(init=False)
    """Memory under prefixes of its own; alarms at one instant ring in this order."""

    def __post_init__(self) -> None:
        self.books = (
            self.incidents,
            self.incidents.timelines,
            self.overrides,
            self.notices,
            self.windows,
            self.reminders,
            self.limits,
            self.parents,
            self.flaps,
            self.fallbacks,
            *(self.heartbeats, self.switch, self.drills, self.resends),
        )

    def load(self) -> None:
        """Rebuild memory from what was restored."""
        entries = [(*key.partition("/"), entry) for key, entry in self.checkpoint.load().items()]
        self.now = self.checkpoint.now
        books = {book.prefix: book for book in self.books}
        for kind, _, rest, entry in entries:
            if kind == "plan":
                self._load_plan(rest, entry)
            elif kind == "group":
                self.groups[rest] = unpacked_group(rest, entry)
            elif kind in KINDS:
                self.alert_log.restore(kind, rest, entry)
            elif kind == "silence":
                self.silences.put(unpacked_silence(rest, entry))
            elif (book := books.get(kind)) is not None:
                book.load(rest, entry)
        for kind, _, rest, entry in entries:
            if kind == "outbox":
                group_id, _, line_id = rest.partition("/")
                self._load_line(group_id, line_id, unpacked_line(entry))
        for restored in self.alert_log.load().values():
            self._connect(*restored)
        for group in self.groups.values():
            self.timers.append((group.due, group.id, ""))
            for cause in group.held:
                self.held.setdefault(cause, set()).add(group.id)
        self.incidents.find_adrift(self.groups)
        self.inhibit()
        heapify(self.timers)
        heapify(self.idle)

    def _connect(self, alert: Alert, revisions: list[int]) -> None:
        self.alerts[alert.fingerprint] = alert
        for group_id, revision in zip(alert.groups, revisions, strict=True):
            group = self.groups[group_id]
            group.members[alert.fingerprint] = revision
            # An alert that came or changed writes its own entry alone.
            group.revision = max(group.revision, revision)
        if alert.expires_at is not None:
            alert.armed = alert.expires_at
            self.timers.append((alert.expires_at, "", alert.fingerprint))
        if alert.idle_since is not None:
            self.idle.append((alert.idle_since, alert.fingerprint))
        if alert.shown is not None:
            self.by_labels[alert.packed_labels] = alert

    def inhibit(self) -> None:
        """Work out anew which alerts mute or explain others, by the rules in force."""
        config = self.plan.config
        self._relate(() if config is None else config.dependencies)
        self.inhibitor = Inhibitor(() if config is None else config.inhibit_rules)
        if config is None or not config.inhibit_rules:
            return
        for alert in self.alerts.values():
            if alert.fires and alert.level is not None:
                self.inhibitor.fires(alert.fingerprint, alert.level.labels)

    def _relate(self, rules: tuple[Dependency, ...]) -> None:
        self.families = Families(rules)
        for alert in self.alerts.values() if rules else ():
            over = self.parents.known.get(alert.fingerprint)
            if alert.level is not None and (alert.fires or over is not None):
                since = began(alert.level) if alert.fires or over is None else over[0]
                self.families.fires(alert.fingerprint, alert.level.labels, since)

    def strangers(self, sets: Iterable[bytes]) -> dict[bytes, str]:
        """Fingerprints of those label sets, packed, that are not known; all at once."""
        strange = [one for one in sets if one not in self.by_labels]
        return dict(zip(strange, fingerprints(strange), strict=True)) if strange else {}

    def meet(self, labels: bytes, strangers: Mapping[bytes, str]) -> Alert:
        """The alert with these labels, known from now on."""
        alert = self.by_labels.get(labels)
        if alert is not None:
            return alert
        # No stranger, where another set of the same fingerprint took its place just now.
        fingerprint = strangers.get(labels) or fingerprints([labels])[0]
        alert = self.alerts.get(fingerprint)
        if alert is None:
            alert = self.alerts[fingerprint] = Alert(fingerprint, labels)
        else:
            # Two label sets may have one fingerprint: then the newest is the alert's.
            self.by_labels.pop(alert.packed_labels, None)
            alert.packed_labels = labels
        self.by_labels[labels] = alert
        return alert

    def known(self, labels: bytes) -> Alert:
        """`meet` for one alone."""
        return self.meet(labels, self.strangers([labels]))

    def _load_plan(self, name: str, entry: bytes) -> None:
        plan = self.plan
        if name == "next":
            number, digest, count, pieces = ormsgpack.unpackb(
                entry, option=ormsgpack.OPT_NON_STR_KEYS
            )
            plan.next, plan.pieces = (number, digest, count), pieces
            return
        plan.number, plan.digest, plan.content, *home = ormsgpack.unpackb(entry)
        plan.home = home != [False]
        if (config := _bare(plan.content)) is not None:
            plan.use(config)

    def _load_line(self, group_id: str, line_id: str, line: Line) -> None:
        self.groups[group_id].lines[line_id] = line
        if line.limited is not None:
            self.limits.hold(group_id, line_id)
        if line.outstanding is not None and line.outstanding.why is not Why.DIGEST:
            self.sent[line.outstanding.id] = (group_id, line_id)
            self.timers.append((line.outstanding.wake, group_id, line_id))

    def written(self, seen: int) -> list[StateChange]:
        """What the step changed, for the checkpoint; from here on nothing is touched."""
        entries: dict[str, bytes | None] = {}
        for name in sorted(self.touched_plan):
            entries[f"plan/{name}"] = self._plan_entry(name)
        entries |= self.alert_log.written(
            self.alerts, self.groups, self.touched_alerts, self.touched_lives
        )
        for name in sorted(self.touched_silences):
            silence = self.silences.known.get(name)
            entries[f"silence/{name}"] = None if silence is None else silence.packed()
        for group_id in sorted(self.touched_groups):
            group = self.groups.get(group_id)
            entries[f"group/{group_id}"] = None if group is None else group.packed()
        for group_id, line_id in sorted(self.touched_lines):
            group = self.groups.get(group_id)
            line = None if group is None else group.lines.get(line_id)
            entries[f"outbox/{group_id}/{line_id}"] = None if line is None else line.packed()
        for book in self.books:
            if book.touched:
                for name in sorted(book.touched):
                    entries[f"{book.prefix}/{name}"] = book.entry(name)
                book.touched.clear()
        for touched in (
            self.touched_plan,
            self.touched_alerts,
            self.touched_groups,
            self.touched_lines,
            self.touched_silences,
            self.touched_lives,
        ):
            touched.clear()
        return self.checkpoint.changes(entries, seen, self.now)

    def _plan_entry(self, name: str) -> bytes | None:
        plan = self.plan
        if name == "current":
            return ormsgpack.packb([plan.number, plan.digest, plan.content, plan.home])
        if not plan.pieces:
            return None
        return ormsgpack.packb([*plan.next, plan.pieces], option=ormsgpack.OPT_NON_STR_KEYS)

    def firing(self, group: Group) -> frozenset[str]:
        """The members that fire, or are taken to because they flap."""
        if group.firing is None:
            alerts = self.alerts
            # As `Alert.fires`, without a call for each.
            group.firing = frozenset(
                [
                    one
                    for one in group.members
                    if (level := alerts[one].level) is not None and level.state is AlertState.FIRING
                ]
            )
        return group.firing | self.pinned(group) if self.flaps.flapping else group.firing

    def pinned(self, group: Group) -> frozenset[str]:
        """The members that flap, where the route wants to hear no more of it."""
        flapping, route = self.flaps.flapping, self.plan.routes.get(group.route_id)
        if not flapping or route is None or route.flaps is None:
            return frozenset()
        if len(group.members) < len(flapping):
            return frozenset(one for one in group.members if one in flapping)
        return frozenset(one for one in flapping if one in group.members)

    def wake(self, at: int, group_id: str, line_id: str = "") -> None:
        """Set a timer; the group or line says whether it still holds."""
        heappush(self.timers, (at, group_id, line_id))

    def next_timer(self) -> Timer | None:
        """The earliest timer that still holds."""
        while self.timers:
            due, group_id, line_id = self.timers[0]
            if not group_id:
                if self._ends(due, line_id):
                    return self.timers[0]
                continue
            group = self.groups.get(group_id)
            if group is not None and self._holds(group, due, line_id):
                return self.timers[0]
            heappop(self.timers)
        return None

    def next_alarm(self) -> tuple[int, Book, str] | None:
        """The earliest alarm of any book."""
        earliest: tuple[int, Book, str] | None = None
        for book in self.books:
            alarm = book.alarms.next() if book.alarms.heap else None
            if alarm is not None and (earliest is None or alarm[0] < earliest[0]):
                earliest = (alarm[0], book, alarm[1])
        return earliest

    def next_due(self) -> int | None:
        """When anything is to be done, by itself."""
        timer, alarm = self.next_timer(), self.next_alarm()
        dues = [one[0] for one in (timer, alarm) if one is not None]
        return min(dues, default=None)

    def expire_at(self, alert: Alert, at: int) -> None:
        """A posted alert resolves then; a timer that comes too early sets itself anew."""
        alert.expires_at = at
        if alert.armed is None or at < alert.armed:
            alert.armed = at
            heappush(self.timers, (at, "", alert.fingerprint))

    def _ends(self, due: int, fingerprint: str) -> bool:
        """Whether the earliest timer is the end of this alert; if it is not, it is gone."""
        alert = self.alerts.get(fingerprint)
        if alert is not None and alert.expires_at == due:
            return True
        heappop(self.timers)
        if alert is not None and alert.armed == due:
            alert.armed = None
            if alert.expires_at is not None:
                self.expire_at(alert, alert.expires_at)
        return False

    @staticmethod
    def _holds(group: Group, due: int, line_id: str) -> bool:
        if not line_id:
            return group.due == due
        line = group.lines.get(line_id)
        return line is not None and line.outstanding is not None and line.outstanding.wake == due


@lru_cache(maxsize=4)
def _bare(content: bytes) -> Config | None:
    """A plan that was read before; views read the same one again and again."""
    return read(content.decode(errors="replace"), "plan", bare=True)[0]
