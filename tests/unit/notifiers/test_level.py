"""What the router keeps of an alert, and the message's form of it."""

from notifiers.level import kept
from schemas.alerts import AlertLevel, AlertState

WHOLE = AlertLevel(
    labels={"alertname": "A", "zone": "b"},
    annotations={"text": "t", "none": ""},
    state=AlertState.RESOLVED,
    active_at=1,
    starts_at=2,
    ends_at=3,
    value=4.5,
    changed=False,
    reason="why",
    generator_url="http://g/",
)


def test_what_is_kept_is_the_whole() -> None:
    found = kept(WHOLE).whole()
    assert found == WHOLE
    assert found.model_dump() == WHOLE.model_dump()
    # Also of a field that is added later.
    assert vars(found).keys() == AlertLevel.model_fields.keys()


def test_of_empty_labels_nothing_is_kept() -> None:
    level = WHOLE.model_copy(update={"labels": {"alertname": "A", "zone": ""}})
    assert kept(level).whole().labels == {"alertname": "A"}
