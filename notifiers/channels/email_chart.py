"""The pictures of a mail: the values of its first firing alerts, inline, with what they show."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from notifiers.channels.chart import HEIGHT, SPAN, WIDTH, Chart, Charts, drawn
from notifiers.channels.cut import cut
from notifiers.time_intervals import local
from schemas.alerts import AlertLevel, AlertState
from schemas.deliveries import Delivery
from schemas.labels import fingerprint

MOST = 3
_LONGEST_NAME = 200
_ROW = (
    '<div style="max-width:600px;margin:12px auto;font-family:sans-serif;font-size:13px;'
    'color:#6b7680">{said}<br><img src="cid:{cid}" alt="{said}" width="{width}" '
    'height="{height}" style="max-width:100%;height:auto"></div>'
)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture with its content id, which stands in the HTML that shows it."""

    cid: str
    png: bytes
    html: str


def pictures(
    delivery: Delivery, charts: Charts, domain: str, location: str = "UTC"
) -> list[Picture]:
    """At most `MOST`, for somebody in this time zone.

    Of an alert whose value is unknown, or does not change, there is none.
    """
    found = []
    firing = [alert for alert in delivery.alerts if alert.state is AlertState.FIRING]
    for alert in firing[:MOST]:
        name, until = fingerprint(alert.labels), delivery.decided_at
        chart = drawn(charts.points(name, until - SPAN, until))
        if chart is not None:
            cid = f"chart-{name}@{domain}"
            said = escape(_caption(alert, chart, location))
            row = _ROW.format(said=said, cid=escape(cid), width=WIDTH, height=HEIGHT)
            found.append(Picture(cid, chart.png, row))
    return found


def shown(html: str, found: Sequence[Picture]) -> str:
    """The mail's HTML with the pictures at its end."""
    rows = "".join(picture.html for picture in found)
    head, body, tail = html.rpartition("</body>")
    return f"{head}{rows}{body}{tail}" if body else f"{html}{rows}"


def _caption(alert: AlertLevel, chart: Chart, location: str) -> str:
    labels = ", ".join(f"{name}={value}" for name, value in sorted(alert.labels.items()))
    until, since = local(chart.until, location), local(chart.since, location)
    return (
        f"{cut(' '.join(labels.split()), _LONGEST_NAME)}: {chart.last:.6g} at {until:%H:%M %Z}"
        f"; between {chart.low:.6g} and {chart.high:.6g} since {since:%H:%M}"
    )
