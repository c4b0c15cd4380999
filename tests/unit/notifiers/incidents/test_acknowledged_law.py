"""Laws over random days with restarts and new plans: what is acknowledged pages nobody, and what
nobody has any more is paged again.
"""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from notifiers.incidents.lifecycle import PAGES
from notifiers.incidents.view import IncidentView
from schemas.alerts import AlertState
from schemas.deliveries import Delivery, Fate, Receipt
from schemas.incidents import IncidentAction, IncidentCommand, IncidentState
from schemas.labels import fingerprint
from tests.unit.notifiers.scenario import Scenario, batch, level, plan, receipt, seconds

PLAN = """
route: {{receiver: ops, group_by: {by}, group_wait: {wait}, group_interval: 20s,
  repeat_interval: 60s}}
receivers: [{{name: ops, webhook_configs: [{{url: 'http://x/'}}], file_configs: [{{path: f}}]}}]
suppression: {mode}
{timeout}
"""
NAMES = ("a", "b", "c", "d")
Life = tuple[str, int]


def labels(name: str) -> dict[str, str]:
    return {"alertname": name, "g": str(NAMES.index(name) % 2)}


@dataclass
class Model:
    """Who has what, worked out from the commands alone."""

    fires: dict[str, int] = field(default_factory=dict)
    lives: dict[str, int] = field(default_factory=dict)
    began: dict[str, float] = field(default_factory=dict)
    covers: dict[str, set[Life]] = field(default_factory=dict)
    ends: dict[str, float] = field(default_factory=dict)
    owed: dict[Life, float] = field(default_factory=dict)
    """Lives that nobody has, and since when."""

    def is_covered(self, name: str) -> bool:
        life = (name, self.fires[name])
        return any(life in covered for covered in self.covers.values())

    def begins(self, name: str, at: float) -> None:
        if name not in self.fires:
            self.lives[name] = self.fires[name] = self.lives.get(name, 0) + 1
            self.began[name] = self.owed[(name, self.fires[name])] = at

    def ended(self, name: str) -> None:
        if name in self.fires:
            self.owed.pop((name, self.fires.pop(name)), None)

    def take(self, incident: str, names: set[str], until: float | None) -> None:
        mine = {(name, self.fires[name]) for name in names if name in self.fires}
        for covered in self.covers.values():
            covered.difference_update(mine)
        self.covers[incident] = self.covers.get(incident, set()) | mine
        self.ends.pop(incident, None)
        if until is not None:
            self.ends[incident] = until
        for life in self.covers[incident]:
            self.owed.pop(life, None)

    def let_go(self, incident: str, at: float) -> None:
        self.ends.pop(incident, None)
        for name, life in self.covers.pop(incident, set()):
            if self.fires.get(name) == life:
                self.owed[(name, life)] = at

    def time_passes(self, to: float) -> None:
        for incident in [one for one, end in self.ends.items() if end <= to]:
            self.let_go(incident, self.ends[incident])


class Day:
    """A router, a courier of some luck, and the model beside them."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw, self.model, self.seen, self.number = draw, Model(), 0, 1
        self.lucky = True
        self.script: list[object] = []
        """What happened, for a test that failed."""
        self.mode = draw(st.sampled_from(["alertmanager", "tocsin"]))
        self.timeout: float | None = draw(st.sampled_from([None, 50]))
        self.script.append((self.mode, self.timeout))
        self.scenario = Scenario(self.plan(), courier=self.courier)

    def plan(self) -> str:
        by = self.draw(st.sampled_from(["[g]", "[]", "[alertname]"]))
        wait = self.draw(st.sampled_from(["0s", "5s"]))
        timeout = "" if self.timeout is None else f"acknowledge_timeout: {self.timeout}s"
        self.script.append((by, wait))
        return PLAN.format(by=by, wait=wait, mode=self.mode, timeout=timeout)

    def courier(self, delivery: Delivery, at: int) -> Receipt:
        fate = Fate.DELIVERED
        if not self.lucky:
            fate = self.draw(st.sampled_from([*Fate, Fate.DELIVERED, Fate.DELIVERED]))
        self.script.append((self.scenario.now, delivery.why, delivery.incident, fate))
        return receipt(delivery, at, fate, retry_at=at + 3_000)

    def until(self, at: float) -> None:
        """Time passes in small steps, so that the model knows at each page what is covered."""
        while (due := self.scenario.router.wake_at()) is not None and due <= seconds(at):
            now = max(self.scenario.now, (due - seconds(0)) / 1_000)
            self.model.time_passes(now)
            self.scenario.until(now)
            self.check()
        self.model.time_passes(at)
        self.scenario.until(at)
        self.check()

    def check(self) -> None:
        """Every page was for an alert that nobody has."""
        for at, delivery in self.scenario.deliveries[self.seen :]:
            if delivery.why not in PAGES:
                continue
            firing = {
                one.labels["alertname"]
                for one in delivery.alerts
                if one.state is AlertState.FIRING and one.labels["alertname"] in self.model.fires
            }
            wanted = {name for name in firing if not self.model.is_covered(name)}
            assert wanted, f"{at} {delivery.why} {firing}: {self.script}"
            for name in firing:
                self.model.owed.pop((name, self.model.fires[name]), None)
        self.seen = len(self.scenario.deliveries)

    def incidents(self) -> list[IncidentView]:
        found = self.scenario.router.incidents()
        return [one for one in found if one.state is not IncidentState.RESOLVED]

    def command(self) -> None:
        if not (open_ones := self.incidents()):
            return
        incident = self.draw(st.sampled_from(open_ones))
        action = self.draw(st.sampled_from(list(IncidentAction)))
        now = self.scenario.now
        until = self.draw(st.sampled_from([None, now + 35, now + 200]))
        names = {
            one.labels["alertname"] for one in incident.alerts if one.state is AlertState.FIRING
        }
        if action in {IncidentAction.ACKNOWLEDGE, IncidentAction.SNOOZE}:
            default = None if self.timeout is None else now + self.timeout
            if default is None and action is IncidentAction.SNOOZE:
                default = now + 3_600
            self.model.take(incident.id, names, default if until is None else until)
        elif action is IncidentAction.RESOLVE:
            self.model.take(incident.id, names, None)
        elif (
            action is IncidentAction.UNACKNOWLEDGE and incident.state is IncidentState.ACKNOWLEDGED
        ):
            self.model.let_go(incident.id, now)
        end = None if until is None else seconds(until)
        self.script.append((now, action, incident.id, sorted(names), until))
        told = IncidentCommand(incident=incident.id, action=action, by="ada", until=end)
        self.scenario.at(now, told)
        self.check()


@st.composite
def days(draw: st.DrawFn) -> Day:
    """A day on which everything happens, whole; then its couriers are lucky again."""
    day = Day(draw)
    day.lucky = False
    for _ in range(draw(st.integers(3, 25))):
        what = draw(st.sampled_from(["fires", "fires", "ends", "time", "command", "command",
                                     "restart", "plan"]))  # fmt: skip
        now = day.scenario.now
        if what == "fires":
            name = draw(st.sampled_from(NAMES))
            day.model.begins(name, now)
            since = day.model.began[name]
            day.scenario.at(now, batch(now, level("firing", now, since, **labels(name))))
        elif what == "ends":
            name = draw(st.sampled_from(NAMES))
            day.model.ended(name)
            day.scenario.resolves(now, name, since=now, g=labels(name)["g"])
        elif what == "time":
            day.until(now + draw(st.sampled_from([0.5, 1, 3, 10, 30, 90])))
        elif what == "command":
            day.command()
        elif what == "restart":
            day.scenario.restart()
        else:
            day.number += 1
            day.scenario.at(now, *plan(day.plan(), day.number))
        day.check()
        day.script.append((now, what, sorted(day.model.fires)))
        day.until(now + 0.5 if what != "time" else day.scenario.now)
    return day


@settings(max_examples=60, deadline=None)
@given(days())
def test_what_somebody_has_pages_nobody_and_what_nobody_has_is_paged(day: Day) -> None:
    day.lucky = True
    day.until(day.scenario.now + 1_000)
    assert not day.model.owed, f"{day.model.owed}: {day.script}"


@settings(max_examples=30, deadline=None)
@given(days())
def test_a_restart_changes_nothing_that_is_known(day: Day) -> None:
    before = day.scenario.router.incidents()
    assert day.scenario.restart().router.incidents() == before


def test_the_labels_are_those_of_the_alerts() -> None:
    assert fingerprint(labels("a")) != fingerprint(labels("b"))
