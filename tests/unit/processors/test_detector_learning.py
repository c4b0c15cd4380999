"""Rules with `detect:` in the detector: what they learned outlives a restart and a reload."""

from processors.detector import Detector
from schemas.stage import Received, Step
from tests.support.build import T0
from tests.unit.processors.test_detector import Day

FLAPS = """
groups:
  - name: g
    rules:
      - alert: Flaps
        detect: {flapping: {expr: temperature, high: 30, low: 10}}
        annotations: {summary: "{{ $labels.instance }} changes"}
"""


class Reloading(Day):
    """A day that loads the stage anew as a runtime does: checkpoint, then windows."""

    def __init__(self, rules: str) -> None:
        self.seen: list[tuple[int, list[Received]]] = []
        super().__init__(rules)

    def _step(self, envelopes: list, second: float) -> Step:
        offset = self.offset
        step = super()._step(envelopes, second)
        received = [Received(offset + i, each) for i, each in enumerate(envelopes)]
        self.seen.append((T0 + int(second * 1000), received))
        if step.reload:
            self.restart()
        return step

    def restart(self) -> None:
        self.detector = Detector()
        for key, value in self.state.items():
            self.detector.restore(key, value)
        self.detector.reach()
        for now, received in self.seen:
            self.detector.rebuild(received, now)


def flapped(restart_at: int | None = None, rules_at: dict[int, str] | None = None) -> Day:
    day = Reloading(FLAPS)
    for i in range(1, 30):
        day.at(15 * i + 1, temperature=float(i % 2))
        if i in (rules_at or {}):
            day.plan((rules_at or {})[i], number=i + 1, at=15 * i + 2)
        if i == restart_at:
            day.restart()
    return day


def test_a_flapping_series_is_told_and_explains_itself() -> None:
    day = flapped()
    assert [told[1:] for told in day.told][:1] == [("Flaps", "firing")]


def test_what_was_learned_outlives_a_restart() -> None:
    whole = [told for told in flapped().told if "again" not in told[2]]
    assert whole
    for cut in range(1, 12):
        told = [each for each in flapped(restart_at=cut).told if "again" not in each[2]]
        assert told == whole


def test_a_reload_keeps_what_was_learned_under_the_same_options() -> None:
    whole = flapped().told
    louder = FLAPS.replace("changes", "changes much")
    assert [t[:2] for t in flapped(rules_at={5: louder}).told] == [t[:2] for t in whole]


def test_with_other_options_it_begins_anew_and_the_old_is_forgotten() -> None:
    other = FLAPS.replace("high: 30", "high: 60")
    day = flapped(rules_at={5: other})
    assert day.told[0][0] > flapped().told[0][0]
    learned = [key for key in day.state if key.startswith("detection/")]
    assert len(learned) == 1
    gone = Day(FLAPS)
    gone.at(1, temperature=1.0).at(20, temperature=0.0)
    assert any(key.startswith("detection/") for key in gone.state)
    gone.plan("groups: []", number=2, at=30)
    assert not any(key.startswith("detection/") for key in gone.state)
