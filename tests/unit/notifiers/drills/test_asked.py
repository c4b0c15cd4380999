"""Fire drills on virtual time: through every channel, marked, and answered."""

from notifiers.drills.drill import REMEMBERED, Drill, unpacked_drill
from schemas.alerts import AlertState
from schemas.deliveries import Delivery, Fate, Receipt, Why
from schemas.drills import DrillAsked
from tests.unit.notifiers.scenario import Scenario, postpones, receipt, seconds

ROUTES = """
route: {receiver: r}
receivers:
- {name: r, webhook_configs: [{url: 'http://x/'}], file_configs: [{path: f}]}
- {name: pager, pagerduty_configs: [{routing_key: k}]}
- {name: empty}
"""


def asked(receiver: str = "r", name: str = "d1", at: float = 10) -> DrillAsked:
    return DrillAsked(id=name, receiver=receiver, by="ada", expires_at=seconds(at + 60))


def drill(day: Scenario, name: str = "d1") -> Drill:
    return unpacked_drill(name, day.router.remembered("drill")[name])


def test_every_channel_is_tried_and_says_what_became_of_it() -> None:
    def mixed(delivery: Delivery, at: int) -> Receipt:
        if delivery.channel == "file":
            return receipt(delivery, at, Fate.REFUSED, reason="not written", detail="disk full")
        return receipt(delivery, at, duration=0.25, tries=2)

    day = Scenario(ROUTES, courier=mixed).at(10, asked())
    found = drill(day)
    assert (found.receiver, found.by, found.at, found.problem) == ("r", "ada", seconds(10), "")
    assert [(one.kind, one.fate, one.reason, one.detail) for one in found.tried] == [
        ("webhook", "delivered", "", ""),
        ("file", "refused", "not written", "disk full"),
    ]
    assert (found.tried[0].duration, found.tried[0].tries) == (0.25, 2)


def test_it_is_marked_and_belongs_to_no_group_and_no_incident() -> None:
    day = Scenario(ROUTES).at(10, asked())
    sent = day.deliveries[0][1]
    assert sent.why is Why.DRILL
    assert sent.alerts[0].labels == {"alertname": "TocsinDrill", "receiver": "r", "drill": "d1"}
    assert sent.notice == sent.common_annotations["summary"]
    assert sent.notice.startswith("FIRE DRILL: a test of the receiver r, asked for by ada")
    assert (sent.incident, sent.expires_at) == ("", seconds(70))
    assert (day.router.groups(), day.router.alerts(), day.decisions) == ([], [], [])


def test_it_is_tried_once_and_a_receiver_that_is_away_is_an_answer() -> None:
    day = Scenario(ROUTES, courier=postpones).at(10, asked()).until(500)
    assert [one.fate for one in drill(day).tried] == ["retry", "retry"]
    assert len(day.deliveries) == 2


def test_what_was_opened_elsewhere_is_closed_after_it_arrived() -> None:
    day = Scenario(ROUTES).at(10, asked("pager"))
    first, over = (one for _, one in day.deliveries)
    assert first.alerts[0].state is AlertState.FIRING
    assert over.alerts[0].state is AlertState.RESOLVED
    assert (first.group_key, first.alerts[0].labels) == (over.group_key, over.alerts[0].labels)
    assert first.id != over.id
    assert [one.fate for one in drill(day).tried] == ["delivered"]
    assert "receipt unknown" not in day.counts


def test_an_unknown_receiver_is_told_with_the_names_there_are() -> None:
    day = Scenario(ROUTES).at(10, asked("pagr"))
    assert day.deliveries == []
    assert 'no receiver "pagr"' in drill(day).problem
    assert "pager" in drill(day).problem
    assert "those there are: " in drill(day.at(10, asked("xyz", "d3")), "d3").problem
    assert "no channels" in drill(day.at(11, asked("empty", "d2")), "d2").problem


def test_the_same_drill_is_not_sent_twice_and_one_is_kept_for_a_day() -> None:
    day = Scenario(ROUTES).at(10, asked()).at(11, asked())
    assert len(day.deliveries) == 2
    day.until(10 + REMEMBERED / 1_000 - 1)
    assert "d1" in day.router.remembered("drill")
    day.until(10 + REMEMBERED / 1_000)
    assert day.router.remembered("drill") == {}
    assert not any(key.startswith("drill/") for key in day.state)


def test_a_restart_before_the_receipt_changes_nothing() -> None:
    day = Scenario(ROUTES, courier=lambda delivery, at: None).at(10, asked()).restart()
    for _, one in day.deliveries:
        day._append(receipt(one, seconds(12)))
    assert [one.fate for one in drill(day.restart()).tried] == ["delivered", "delivered"]
