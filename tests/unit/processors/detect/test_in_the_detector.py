"""Detectors in the stage: alerts told, series recorded, budgets that outlive plans and crashes."""

from processors.detector import Detector
from processors.rules_plan import RulesPlan
from schemas.alerts import AlertBatch
from schemas.labels import labels_of
from schemas.metrics import MetricBatch, metric_batch
from schemas.plan_pieces import cut
from schemas.series import unpack_series
from schemas.stage import Received, Step
from tests.support.build import T0, envelope

RULES = """
groups:
  - name: g
    interval: 30s
    rules:
      - alert: Budget
        detect:
          slo:
            name: shop
            objective: OBJECTIVE
            bad: sum by (service) (rate(requests_total{code="500"}[5m]))
            total: sum by (service) (rate(requests_total[5m]))
            alerts: [{budget: 2, long: 1h, short: 5m}]
      - alert: Odd
        detect:
          anomaly: {expr: load, warm_up: 5, window: 10m}
      - alert: Full
        detect:
          forecast: {expr: free, below: 0, horizon: 1h, window: 10m, points: 10, min_points: 5}
      - alert: Spike
        detect:
          spike:
            bad: sum by (service) (requests_total{code="500"})
            total: sum by (service) (requests_total)
"""


class Day:
    """A detector that may crash, and the log's clock in seconds after T0."""

    def __init__(self) -> None:
        self.offset = 0
        self.state: dict[str, bytes] = {}
        self.told: list[tuple[float, str, str]] = []
        self.recorded: dict[str, float] = {}
        self.failed: set[str] = set()
        self.log: list[tuple[int, Received]] = []
        self.detector = Detector()
        self.plan(99.9)

    def plan(self, objective: float, at: float = 0, number: int = 1) -> None:
        text = RULES.replace("OBJECTIVE", str(objective))
        content = RulesPlan(files=(("r.yml", text),)).pack()
        self._step([envelope(piece, T0) for piece in cut("detector", number, content)], at)

    def at(self, second: float, **values: float) -> None:
        series = [
            labels_of({"__name__": "requests_total", "service": "shop", "code": "200"}),
            labels_of({"__name__": "requests_total", "service": "shop", "code": "500"}),
            labels_of({"__name__": "load", "host": "a"}),
            labels_of({"__name__": "free", "disk": "/"}),
        ]
        given = [values["good"], values["bad"], values["load"], values["free"]]
        at = T0 + int(second * 1000)
        self._step([envelope(metric_batch("a", series, given, [at]), at)], second)

    def crash(self) -> None:
        self.detector = Detector()
        for key, value in self.state.items():
            self.detector.restore(key, value)
        reach = self.detector.reach()
        now = self.log[-1][0]
        for at, received in self.log:
            if at >= now - reach:
                self.detector.rebuild([received], at)

    def _step(self, envelopes: list, second: float) -> None:
        now = T0 + int(second * 1000)
        received = []
        for each in envelopes:
            received.append(Received(self.offset, each))
            self.log.append((now, received[-1]))
            self.offset += 1
        self._keep(self.detector.step(received, now))

    def _keep(self, step: Step) -> None:
        for change in step.changes:
            if change.value is None:
                self.state.pop(change.key, None)
            else:
                self.state[change.key] = change.value
                assert len(change.value) < 1_000_000
        self.failed |= {name for name in step.counts if "failed" in name}
        for output in step.outputs:
            if isinstance(output.event, AlertBatch):
                at = (output.event.decided_at - T0) / 1000
                self.told += [
                    (at, level.labels["alertname"], str(level.state))
                    for level in output.event.alerts
                    if level.changed
                ]
            elif isinstance(output.event, MetricBatch):
                names = unpack_series(output.event.series)
                values = output.event.values
                for place, labels in enumerate(names):
                    key = ",".join(value for _, value in labels)
                    self.recorded[key] = float(_doubles(values)[place])


def _doubles(packed: bytes) -> memoryview:
    return memoryview(packed).cast("d")


def hour(day: Day, crashes: set[int]) -> None:
    for place in range(1, 140):
        at = place * 30.0
        if place in crashes:
            day.crash()
        day.at(
            at + 0.001,
            good=100.0 * place,
            bad=0.0 if place < 80 else 20.0 * (place - 79),
            load=500.0 if 100 <= place < 110 else 10.0 + place % 3,
            free=20_000 - 5 * at,
        )


def test_each_finds_what_it_is_for() -> None:
    day = Day()
    hour(day, set())
    assert day.failed == set()
    assert {name for _, name, state in day.told if state == "firing"} == {"Budget", "Odd", "Full"}
    assert ("Odd", "resolved") in {(name, state) for _, name, state in day.told}
    assert day.recorded["slo:objective:ratio,shop,shop"] == 0.999
    assert day.recorded["slo:error_budget_remaining:ratio,shop,shop"] < 0


def test_crashes_change_nothing() -> None:
    whole, torn = Day(), Day()
    hour(whole, set())
    hour(torn, {20, 77, 84, 103, 111, 138})
    assert torn.told == whole.told
    assert torn.recorded == whole.recorded


def test_a_plan_with_another_objective_goes_on_with_the_budget() -> None:
    day = Day()
    hour(day, set())
    before = day.recorded["slo:events_total,shop,shop"]
    day.plan(90.0, 140 * 30, number=2)
    day.at(140 * 30 + 0.002, good=14_000.0, bad=1_220.0, load=10.0, free=1.0)
    day.at(141 * 30 + 0.002, good=14_100.0, bad=1_240.0, load=10.0, free=1.0)
    assert day.recorded["slo:objective:ratio,shop,shop"] == 0.9
    assert day.recorded["slo:events_total,shop,shop"] >= before > 0
