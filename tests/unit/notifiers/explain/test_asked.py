"""How people name the alerts that they ask about."""

import pytest

from notifiers.explain.asked import Asked, asked


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["8594749a2738d31d"], Asked("8594749a2738d31d", "8594749a2738d31d")),
        (["828b355f48a5"], Asked(incident="828b355f48a5")),
        (["alertname=Hot", 'room="a b"'], Asked(labels={"alertname": "Hot", "room": "a b"})),
        (["Hot"], Asked(labels={"alertname": "Hot"})),
        (["Hot", "room=kitchen"], Asked(labels={"alertname": "Hot", "room": "kitchen"})),
        (["face", "room=kitchen"], Asked(labels={"alertname": "face", "room": "kitchen"})),
    ],
)
def test_an_alert_is_named_by_id_labels_or_its_name(words: list[str], wanted: Asked) -> None:
    assert asked(words) == wanted


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ([], "an alert is wanted"),
        ([" "], "an alert is wanted"),
        (["Hot", "kitchen"], '"kitchen" is no label: write name=value'),
        (["=x"], '"=x" is no label'),
    ],
)
def test_what_names_no_alert_is_refused(words: list[str], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        asked(words)
