"""Two label sets with one fingerprint, as somebody may make them: none is lost for the other."""

import pytest

from notifiers import state as router_state
from schemas.alerts import PostedAlerts
from schemas.deliveries import Why
from schemas.pairs import packed_labels
from tests.unit.notifiers.scenario import Scenario, seconds
from tests.unit.notifiers.stored import alerts

ROUTES = """
route: {receiver: ops, group_wait: 10s, group_interval: 1m, repeat_interval: 1h}
receivers: [{name: ops, webhook_configs: [{url: 'http://ops/'}]}]
"""


def posted(at: float, name: str) -> PostedAlerts:
    return PostedAlerts(
        decided_at=seconds(at),
        labels=(packed_labels({"alertname": name}),),
        annotations=(b"",),
        starts_at=(seconds(at),),
        ends_at=(seconds(at + 20),),
        generator_urls=("",),
    )


def test_both_in_one_message_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(router_state, "fingerprints", lambda sets: ["0" * 16 for _ in sets])
    day = Scenario(ROUTES).at(0, posted(0, "A"))
    both = posted(1, "B")
    labels = (*both.labels, *posted(1, "A").labels, packed_labels({"alertname": "C"}))
    columns = {"annotations": (b"",) * 3, "generator_urls": ("",) * 3, "ends_at": (None,) * 3}
    more = {"labels": labels, "starts_at": both.starts_at * 3}
    day.at(1, both.model_copy(update=columns | more)).until(30)
    assert len(alerts(day.state.items())) == 1


def test_what_was_forgotten_under_another_name_is_met_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(router_state, "fingerprints", lambda sets: ["0" * 16 for _ in sets])
    day = Scenario(ROUTES).at(0, posted(0, "A")).at(1, posted(1, "B")).until(7_000)
    told = len(day.told())
    day.at(8_000, posted(8_000, "A")).until(8_100)
    assert day.told_briefly()[told] == (8_010, Why.FIRST, "A")
