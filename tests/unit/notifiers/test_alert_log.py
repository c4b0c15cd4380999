from collections.abc import Iterator
from dataclasses import dataclass, field

import ormsgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifiers import alert_book, alert_log
from notifiers.alert_book import Alert, Restored
from notifiers.alert_log import AlertLog
from notifiers.checkpoint import Checkpoint
from notifiers.group import Group
from notifiers.level import Level, kept
from schemas.alerts import AlertLevel, AlertState
from schemas.pairs import packed

SMALL = 600
"""Bytes of slack under test: about four alerts."""
NAMES = [f"{number:016x}" for number in range(12)]


@pytest.fixture(autouse=True)
def a_small_log() -> Iterator[None]:
    """Bulks are full and dropped after a few alerts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alert_log, "SLACK", SMALL)
        patch.setattr(alert_log, "MOST", 3)
        yield


def level(text: str) -> Level:
    labels, notes = packed({"alertname": "A"}), packed({"text": text})
    return Level(labels, notes, AlertState.FIRING, 1, 1, None, "")


GROUPS: dict[str, Group] = {}


def said(alerts: dict[str, Alert]) -> dict[str, bytes]:
    return {name: ormsgpack.packb(alert.row([])) for name, alert in alerts.items()}


def row_of_before(alert: Alert) -> bytes:
    """As versions wrote it that packed each alert alone; its end is a row of its own."""
    assert alert.level is not None
    level = [*alert.level]
    life = [alert.expires_at, alert.timed_out, alert.updated_at]
    return ormsgpack.packb([*alert.written, alert.idle_since, level, None, {}, *life])


@dataclass
class Memory:
    """A router's alerts, their log and what it wrote; `atomic` is what Kafka's router is not."""

    atomic: bool = True
    stored: dict[str, bytes] = field(default_factory=dict)
    alerts: dict[str, Alert] = field(default_factory=dict)
    log: AlertLog = field(default_factory=AlertLog)
    touched: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    written: int = 0
    steps: int = 0

    def __post_init__(self) -> None:
        self.checkpoint = Checkpoint(part=200, atomic=self.atomic)

    def touch(self, name: str, text: str) -> None:
        alert = self.alerts.setdefault(name, Alert(name))
        alert.level, alert.expires_at, alert.updated_at = level(text), self.steps, self.steps + 1
        self.touched.add(name)
        self.ended.add(name)

    def end(self, name: str, at: int) -> None:
        if name in self.alerts:
            self.alerts[name].expires_at, self.alerts[name].updated_at = at, self.steps + 1
            self.ended.add(name)

    def forget(self, name: str) -> None:
        if name in self.alerts:
            self.log.forget(self.alerts.pop(name))
            self.touched.add(name)
            self.ended.add(name)

    def step(self, most: int | None = None) -> bool:
        """Write what was touched, or the first so many changes of it; whether it was all."""
        self.steps += 1
        entries = self.log.written(self.alerts, GROUPS, self.touched, self.ended)
        changes = self.checkpoint.changes(entries, self.steps, self.steps)
        for change in changes[:most]:
            self.written += len(change.value or b"")
            if change.value is None:
                self.stored.pop(change.key, None)
            else:
                self.stored[change.key] = change.value
        self.touched.clear()
        self.ended.clear()
        return most is None or most >= len(changes)

    def restart(self) -> None:
        """Know what was written, and nothing else."""
        self.checkpoint, self.log = Checkpoint(part=200, atomic=self.atomic), AlertLog()
        for key, value in self.stored.items():
            self.checkpoint.restore(key, value)
        for key, entry in self.checkpoint.load().items():
            kind, _, name = key.partition("/")
            self.log.restore(kind, name, entry)
        self.alerts = {name: one.alert for name, one in self.log.load().items()}

    @property
    def living(self) -> int:
        return sum(map(len, said(self.alerts).values()))


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["touch", "touch", "end", "end", "forget"]),
        st.lists(st.sampled_from(NAMES), min_size=1, unique=True),
        st.integers(0, 60),
    ),
    min_size=1,
    max_size=3,
)


def act(memory: Memory, acts: list[tuple[str, list[str], int]]) -> None:
    for what, names, number in acts:
        for name in names:
            if what == "touch":
                memory.touch(name, "x" * number)
            elif what == "end":
                memory.end(name, number)
            else:
                memory.forget(name)


@settings(deadline=None)
@given(st.lists(st.tuples(ACTS, st.booleans()), max_size=40))
def test_what_is_read_back_is_what_was_written(
    script: list[tuple[list[tuple[str, list[str], int]], bool]],
) -> None:
    memory = Memory()
    for acts, restarts in script:
        act(memory, acts)
        memory.step()
        want = said(memory.alerts)
        if restarts:
            memory.restart()
            assert said(memory.alerts) == want
            memory.restart()
            assert said(memory.alerts) == want
        size = sum(map(len, memory.stored.values()))
        # Twice: entries differ in length, and a step drops only some more than it writes.
        assert size <= 2 * (alert_log.FACTOR * memory.living + SMALL + 1_000)
        assert len(memory.stored) <= 2 + size // 20


@settings(deadline=None)
@given(st.lists(st.tuples(ACTS, st.integers(0, 12)), max_size=25))
def test_any_prefix_of_what_a_step_writes_restores_as_the_step_or_as_what_was_before(
    script: list[tuple[list[tuple[str, list[str], int]], int]],
) -> None:
    memory = Memory(atomic=False)
    for acts, most in script:
        before = said(memory.alerts)
        act(memory, acts)
        after = said(memory.alerts)
        if not memory.step(most):
            memory.restart()
            assert said(memory.alerts) == (
                after if memory.checkpoint.seen == memory.steps else before
            )


def test_alerts_that_never_change_are_seldom_written_anew() -> None:
    memory = Memory()
    for name in NAMES:
        memory.touch(name, "x" * 140)
    memory.step()
    memory.written = count = 0
    for number in range(2_000):
        memory.touch(NAMES[number % 3], "y" * (100 + number % 30))
        count += len(ormsgpack.packb(memory.alerts[NAMES[number % 3]].row([])))
        memory.step()
    # The bulk's own parts, the checkpoint's, and as much again for the nine others.
    assert memory.written < 2.7 * count
    assert len(memory.stored) < 60


def test_a_post_that_changes_nothing_writes_its_end_alone() -> None:
    memory = Memory()
    memory.touch(NAMES[0], "x" * 60)
    memory.step()
    memory.written = 0
    memory.end(NAMES[0], 9)
    memory.step()
    assert memory.written < 70
    memory.restart()
    assert memory.alerts[NAMES[0]].expires_at == 9


def test_rows_of_the_time_before_the_log_move_into_it() -> None:
    memory, other = Memory(), Memory()
    for name in NAMES[:5]:
        other.touch(name, "x")
    entries: dict[str, bytes | None] = {
        f"alert/{name}": row_of_before(alert) for name, alert in other.alerts.items()
    }
    other.end(NAMES[1], 77)
    _, *life = other.alerts[NAMES[1]].life()
    entries[f"life/{NAMES[1]}"] = ormsgpack.packb(life)
    for change in memory.checkpoint.changes(entries, 1, 1):
        memory.stored[change.key] = change.value or b""
    memory.restart()
    assert said(memory.alerts) == said(other.alerts)
    memory.forget(NAMES[0])
    other.forget(NAMES[0])
    memory.step()
    assert {key.partition("/")[0] for key in memory.stored} == {"alerts", "meta"}
    memory.restart()
    assert said(memory.alerts) == said(other.alerts)


def test_nothing_is_written_where_nothing_was_touched() -> None:
    memory = Memory()
    memory.touch(NAMES[0], "x")
    memory.step()
    assert memory.log.written(memory.alerts, GROUPS, set(), set()) == {}


def test_a_step_writes_anew_only_some_more_than_it_touched() -> None:
    """Though it is long to the next bulk of which nothing lives."""
    memory = Memory()
    for number in range(500):
        memory.touch(f"{number:016x}", "")
    memory.step()
    for turn in range(1_000):
        memory.touch(f"{499 - turn % 10:016x}", "y" * 400)
        entries = memory.log.written(memory.alerts, GROUPS, memory.touched, memory.ended)
        memory.touched.clear()
        memory.ended.clear()
        assert sum(value is not None for value in entries.values()) <= 3


def test_most_steps_drop_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alert_log, "SLACK", 6_000)
    memory, dropping = Memory(), 0
    for turn in range(1_000):
        memory.touch(NAMES[turn % 12], "y")
        entries = memory.log.written(memory.alerts, GROUPS, memory.touched, memory.ended)
        memory.touched.clear()
        memory.ended.clear()
        dropping += None in entries.values()
    assert 20 < dropping < 200


def test_an_entry_of_the_time_before_levels_were_packed_is_read() -> None:
    level = AlertLevel(
        labels={"alertname": "A", "empty": ""},
        annotations={"text": "t", "none": ""},
        state=AlertState.FIRING,
        active_at=1,
        starts_at=2,
        generator_url="http://g/",
    )
    entry = ormsgpack.packb([3, 4, None, level.__dict__, None, {"group": 5}, 6, True, 7])
    restored = Restored.of_entry("name", entry)
    alert = restored.alert
    assert alert.level == kept(level)
    assert alert.packed_labels == packed({"alertname": "A"})
    assert (alert.written, alert.groups, alert.expires_at) == ((3, 4), ("group",), 6)
    assert restored.revisions == [5]
    row = ormsgpack.unpackb(ormsgpack.packb(alert.row(restored.revisions)))
    assert Restored.of_row(row) == restored


def test_bulks_of_the_time_when_each_alert_was_packed_alone_are_read_and_go_their_way() -> None:
    memory, other = Memory(), Memory()
    for name in NAMES[:5]:
        other.touch(name, "x")
    whole = {name: row_of_before(alert) for name, alert in other.alerts.items()}
    other.end(NAMES[1], 77)
    _, *life = other.alerts[NAMES[1]].life()
    bulks = [[whole, {}, []], [{}, {NAMES[1]: ormsgpack.packb(life)}, [NAMES[0]]]]
    del other.alerts[NAMES[0]]
    entries: dict[str, bytes | None] = {
        f"alerts/{number:012d}": ormsgpack.packb(bulk) for number, bulk in enumerate(bulks)
    }
    for change in memory.checkpoint.changes(entries, 1, 1):
        memory.stored[change.key] = change.value or b""
    memory.restart()
    assert said(memory.alerts) == said(other.alerts)
    for _ in range(20):
        for name in NAMES[1:5]:
            memory.touch(name, "y")
        memory.step()
    assert "alerts/000000000000" not in memory.stored
    want = said(memory.alerts)
    memory.restart()
    assert said(memory.alerts) == want


def test_what_an_entry_weighs_is_about_what_it_takes() -> None:
    """Else a log of long texts would look outdated, and be written anew at each step."""
    for text, url, reason in (("", "", ""), ("x" * 900, "", ""), ("", "u" * 900, "r" * 300)):
        alert = Alert(NAMES[0], groups=tuple(NAMES[:5]))
        one = level(text)._replace(generator_url=url, reason=reason)
        alert.level = one
        written = len(ormsgpack.packb(alert.row([1] * 5)))
        assert 0.8 * written <= alert_book.UNIT * (alert.weight() + 1) <= written + 300
