"""Values of alerts as history has them, for the pictures in mails."""

import logging
from collections.abc import Sequence

from ops.history.clickhouse import History
from ops.history.errors import HistoryError

log = logging.getLogger("tocsin.courier")

PATIENCE = 2.0
"""Seconds that a mail waits for its picture."""
_POINTS = """\
SELECT toUnixTimestamp64Milli(decided_at), value FROM alerts
WHERE fingerprint = {fingerprint:String}
  AND decided_at >= fromUnixTimestamp64Milli({since:Int64})
  AND decided_at <= fromUnixTimestamp64Milli({until:Int64})
ORDER BY decided_at, offset LIMIT 5000"""


class AlertValues:
    """Asks history, whose client should have `PATIENCE` as its time-out.

    Levels are announced on change and each minute, from when an alert is pending.
    """

    def __init__(self, history: History) -> None:
        self._history = history

    def points(self, fingerprint: str, since: int, until: int) -> Sequence[tuple[int, float]]:
        """Milliseconds and values; none where history does not answer."""
        params = {"fingerprint": fingerprint, "since": since, "until": until}
        try:
            return [(int(at), float(value)) for at, value in self._history.rows(_POINTS, params)]
        except (HistoryError, OSError) as fault:
            log.info("mail goes without its picture", extra={"error": str(fault)[:300]})
            return []
