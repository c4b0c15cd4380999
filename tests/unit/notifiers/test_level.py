"""What the router keeps of an alert."""

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
    found = kept(WHOLE)
    names = AlertLevel.model_fields.keys() - {"labels", "annotations"}
    assert {name: getattr(found, name) for name in names} == WHOLE.model_dump(include=set(names))
    assert (found.labels, found.annotations) == (WHOLE.labels, WHOLE.annotations)


def test_of_empty_labels_nothing_is_kept() -> None:
    level = WHOLE.model_copy(update={"labels": {"alertname": "A", "zone": ""}})
    assert kept(level).labels == {"alertname": "A"}
