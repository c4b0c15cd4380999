"""What is said of a cluster, from what was found out."""

import json
import math
from collections.abc import Sequence

import pytest

from ops.cli.status import text_of
from ops.cluster.facts import BrokerFact, Facts, Heard, Lag, Letters
from ops.cluster.report import report, stages_of
from ops.cluster.workers import FORGOTTEN, SILENT, State, stages, workers
from ops.console.rows import health_word
from ops.health import Health as Word
from ops.health import overall, stage_json
from ops.services import StageStatus
from ops.workers.beats import message
from schemas.envelope import Envelope, Producer
from schemas.errors import Undecodable
from schemas.plans import Health
from schemas.topics import CODEC

NOW = 1_750_000_000_000


def heard(
    worker: str, stage: str, ago: int = 1_000, *, ending: bool = False, **status: object
) -> Heard:
    """As its beats say it, through the wire."""
    given = {"healthy": True, "ready": True} | status
    told = StageStatus(stage, **given)  # type: ignore[arg-type]
    event = CODEC.decode(message(worker, told, NOW - ago, ending=ending).value).event
    assert isinstance(event, Health)
    return Heard(NOW - ago, event)


def fleet() -> list[Heard]:
    """Two of each, as they should be; one router stands by."""
    return [
        heard("d1", "detector", figures={"lag:0": 3, "lag:1": 4, "lag": 7, "plan": 2}),
        heard("d2", "detector", figures={"lag:2": 1, "lag": 1, "plan": 2}),
        heard("r1", "router", figures={"lag:0": 0, "lag": 0, "plan": 5}),
        heard("r2", "router", figures={"partitions": 0}),
        heard("c1", "courier"),
    ]


def stage(found: Sequence[Heard], name: str) -> StageStatus:
    return next(s for s in stages(workers(found, NOW)) if s.name == name)


def test_a_fleet_that_is_well_is_well() -> None:
    facts = Facts(NOW, heard=tuple(fleet()), plans={"detector": 2, "router": 5})
    assert report(facts)["problems"] == []
    found = stages_of(facts)
    assert overall(found) is Word.HEALTHY
    assert health_word(found)[0] == "Healthy"
    assert [s.name for s in found] == ["detector", "router", "courier"]
    assert found[0].figures == {"workers": 2, "lag": 8}


@pytest.mark.parametrize("figure", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["lag", "plan", "ready", "vital", "ended", "lag:0", "plan:0"])
def test_a_figure_that_is_no_number_is_neither_told_nor_read(name: str, figure: float) -> None:
    told = StageStatus("detector", True, True, "", {name: figure, "fine": 1.0})
    event = CODEC.decode(message("d1", told, NOW).value).event
    assert isinstance(event, Health)
    assert "fine" in event.figures
    assert all(map(math.isfinite, event.figures.values()))
    bad = event.model_copy(update={"figures": {name: figure}})
    with pytest.raises(Undecodable):
        CODEC.decode(CODEC.encode(Envelope("id", Producer("d1"), NOW, bad)))


def test_invented_figures_leave_a_report_that_is_json() -> None:
    huge = {"lag": 1.7e308, "lag:0": 1.7e308, "plan": 1.7e308}
    facts = Facts(NOW, heard=tuple(heard(f"d{n}", "detector", figures=huge) for n in range(3)))
    json.dumps(report(facts), allow_nan=False)
    json.dumps([stage_json(each, whole=True) for each in stages_of(facts)], allow_nan=False)


@pytest.mark.parametrize("name", ["detector", "router", "courier"])
def test_without_a_worker_of_a_vital_stage_nobody_is_paged(name: str) -> None:
    found = stages_of(Facts(NOW, heard=tuple(h for h in fleet() if h.said.stage != name)))
    assert overall(found) is Word.UNHEALTHY
    assert health_word(found) == ("Unhealthy", "negative", f"{name}: no worker runs")


def test_a_worker_that_is_gone_is_missed_but_others_go_on() -> None:
    found = [*fleet()[1:], heard("d1", "detector", SILENT + 1)]
    status = stage(found, "detector")
    assert (status.healthy, status.ready, status.vital) == (False, True, False)
    assert status.message == "d1 is gone, of 2 workers"
    assert overall(stages(workers(found, NOW))) is Word.DEGRADED
    alone = stage([heard("d1", "detector", SILENT + 1)], "detector")
    assert (alone.healthy, alone.vital) == (False, True)
    assert alone.message == "no worker runs: d1 is gone"


def test_who_was_silent_for_long_is_forgotten() -> None:
    assert workers([heard("d1", "detector", FORGOTTEN + 1)], NOW) == []


def test_who_ended_in_good_order_is_not_missed() -> None:
    found = [*fleet(), heard("d3", "detector", ending=True)]
    assert stage(found, "detector").healthy
    alone = stage([heard("c1", "courier", ending=True)], "courier")
    assert (alone.healthy, alone.vital, alone.message) == (False, True, "no worker runs")


def test_an_ill_worker_makes_its_stage_ill() -> None:
    ill = heard("d3", "detector", healthy=False, ready=False, message="stage failed")
    status = stage([*fleet(), ill], "detector")
    assert (status.healthy, status.vital) == (False, True)
    assert status.message == "d3 is unhealthy (stage failed), of 3 workers"


def test_what_is_not_vital_to_a_worker_is_not_to_its_stage() -> None:
    ill = heard("c1", "courier", healthy=False, vital=False, message="not taken by a[0]")
    assert not stage([ill], "courier").vital


def test_a_worker_that_starts_does_not_make_the_console_unready() -> None:
    status = stage([*fleet(), heard("d3", "detector", ready=False, message="loading")], "detector")
    assert (status.healthy, status.ready, status.vital) == (True, False, False)
    assert status.message == "d3 is starting (loading), of 3 workers"


def test_invented_stages_are_bounded() -> None:
    found = workers([heard("x", f"stage-{n}") for n in range(1_000)], NOW)
    assert [s.name for s in stages(found)][:4] == ["detector", "router", "courier", "stage-0"]
    assert len(stages(found)) == 24


def test_several_are_told_in_one_line() -> None:
    found = [heard(f"a{n}", "agent", SILENT + 1) for n in range(3)] + [heard("a9", "agent")]
    assert stage(found, "agent").message == "a0 is gone and 2 more, of 4 workers"


def test_history_is_missed_once_it_was_written() -> None:
    facts = Facts(
        NOW, heard=tuple(fleet()), lags=(Lag("tocsin.historian", "tocsin.metrics", 0, 9, 4),)
    )
    assert report(facts)["problems"] == ["historian: no worker runs"]
    assert overall(stages_of(facts)) is Word.DEGRADED


def test_a_plan_that_is_not_followed_everywhere_is_a_problem() -> None:
    told = report(Facts(NOW, heard=tuple(fleet()), plans={"detector": 3, "router": 5}))
    assert told["problems"] == [
        f"detector: plan 3 is published, partition {n} follows 2" for n in range(3)
    ]
    assert told["plans"][0]["partitions"][2] == {"partition": 2, "plan": 2, "worker": "d2"}


def test_of_two_owners_the_one_that_spoke_last_counts() -> None:
    before = heard("d0", "detector", 9_000, figures={"lag:2": 0, "plan": 1})
    told = report(Facts(NOW, heard=(*fleet(), before), plans={"detector": 2}))
    assert told["problems"] == []


def everything() -> Facts:
    return Facts(
        NOW,
        (BrokerFact(1, "kafka-1:9092", True), BrokerFact(2, "kafka-2:9092", False)),
        (
            *fleet(),
            heard("a\x1b[31m", "agent", SILENT + 1),
            *(heard(f"a{n}", "agent") for n in range(30)),
        ),
        (
            Lag("tocsin.router", "tocsin.alerts", 0, 100, 93),
            Lag("tocsin.courier", "tocsin.deliveries", 1, 5, None),
        ),
        Letters(1_234, {("tocsin.metrics", "not MessagePack"): 998}),
        {"detector": 2},
        ("tocsin.alerts: retention.ms is 1, not 604800000",),
    )


def test_the_report_is_json_and_text() -> None:
    facts = everything()
    told = json.loads(json.dumps(report(facts)))
    assert [(lag["group"], lag["lag"]) for lag in told["lags"]] == [
        ("tocsin.router", 7),
        ("tocsin.courier", None),
    ]
    assert {worker["state"] for worker in told["workers"]} == {State.FINE, State.GONE}
    found = stages_of(facts)
    text = text_of(
        {"status": overall(found), "stages": [stage_json(s) for s in found], "cluster": told}
    )
    assert text.startswith("degraded\n2 problems:\n  agent: a")
    for part in (
        "tocsin.alerts: retention.ms is 1",
        "detector  d1",
        "gone",
        "courier  tocsin.deliveries  1          –",
        "tocsin.metrics   not MessagePack  998",
        "about 1234 dead letters are kept",
        "kafka-1:9092  yes",
        "11 more of agent are fine",
    ):
        assert part in text, part
    assert "\x1b" not in text


def test_an_empty_cluster_has_a_report_too() -> None:
    facts = Facts(NOW)
    told = report(facts)
    assert len(told["problems"]) == 3
    text = text_of({"status": "unhealthy", "stages": [], "cluster": told})
    assert "no worker was heard of within the last minute" in text
