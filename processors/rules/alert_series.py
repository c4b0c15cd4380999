"""Active alerts as series that rules and people may read: `ALERTS` and `ALERTS_FOR_STATE`."""

from collections.abc import Iterable, Iterator
from typing import Final

from processors.promql import labels as label
from processors.promql.labels import METRIC_NAME, Labels
from processors.promql.selector import Selector
from processors.rules.lifecycle import Alerts

ALERTS: Final = "ALERTS"
FOR_STATE: Final = "ALERTS_FOR_STATE"


def series(alerts: Alerts, written: Labels) -> Iterator[tuple[Labels, float]]:
    """The samples of a rule's alerts; `written` are its labels as they stand in the file.

    Where a label's template comes out empty Prometheus shows the template itself here; so do we.
    """
    base = dict(written)
    for labels, alert in alerts.items():
        own = {**base, **dict(labels)}
        state = {METRIC_NAME: ALERTS, "alertstate": str(alert.state)}
        yield label.of({**own, **state}.items()), 1.0
        since = alert.active_at // 1000
        yield label.of({**own, METRIC_NAME: FOR_STATE}.items()), float(since)


def wanted(selectors: Iterable[Selector]) -> bool:
    """Whether any of the selectors may read these series."""
    return any(
        all(each.accepts(name) for each in selector.matchers if each.name == METRIC_NAME)
        for selector in selectors
        for name in (ALERTS, FOR_STATE)
    )
