"""What is in a running process's history, asked at the history child itself."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np

from ops.history.address import Address
from ops.history.clickhouse import History
from schemas.alerts import AlertBatch, PostedAlerts
from schemas.checks import CheckResult
from schemas.deliveries import Decision, Delivery, Receipt
from schemas.envelope import Envelope
from schemas.labels import Labels, series_id
from schemas.stage import Record
from schemas.topics import ALERTS, DELIVERIES, METRICS
from schemas.topics import HISTORY as DECISIONS
from tests.support.log_file import LogFile
from tests.support.oracle import Oracle
from tests.support.waiting import eventually

TOPICS = (METRICS, ALERTS, DELIVERIES, DECISIONS)
Key = tuple[int, int]


class LogRecords(Protocol):
    """What is asked of a log, the file's or Kafka's."""

    def envelopes(self, topic: str) -> Iterator[tuple[Record, Envelope]]: ...
    def ends(self) -> Mapping[tuple[str, int], int]: ...
    def committed(self, group: str) -> Mapping[tuple[str, int], int]: ...


class Rows:
    """A client of the history over a data directory, which follows it over restarts."""

    def __init__(self, data: Path, log: LogRecords | None = None) -> None:
        self._directory = data / "history"
        self._log = log or LogFile(data)
        self._history = History(self._address)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._history.close()

    def ask(self, sql: str, **params: Any) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return [tuple(row) for row in self._history.rows(sql, params)]

    def number(self, sql: str, **params: Any) -> int:
        """The one number that a query answers."""
        return int(self.ask(sql, **params)[0][0])

    def caught_up(self, within: float = 90.0) -> None:
        """Wait until everything that is in the log now is written."""
        ends = {where: end for where, end in self._log.ends().items() if where[0] in TOPICS}

        def written() -> bool:
            done = self._log.committed("historian")
            return all(done.get(where, 0) >= end for where, end in ends.items())

        eventually(written, within, lambda: (ends, self._log.committed("historian")))

    def check_samples(self, oracle: Oracle) -> int:
        """Every acknowledged sample once, at its time with its value; how many there are.

        Counted in stored rows, not through FINAL: a row for each time the log took the batch, and
        no row twice for one record of the log.
        """
        known = {number for (number,) in self.ask("SELECT id FROM series")}
        expected: dict[Key, tuple[float, int]] = {}
        ids: dict[Labels, int] = {}
        for sent in oracle.sent:
            if not sent.acked:
                continue
            for labels, value in zip(sent.block, sent.values, strict=True):
                number = ids.setdefault(labels, 0) or series_id(labels)
                ids[labels] = number
                expected[number, sent.at] = (value, sent.sends)
        assert len(ids) == len(known & set(ids.values())), "series are missing"
        table = self._history.query_arrow(
            "SELECT series, toUnixTimestamp64Milli(time) AS t, value, offset FROM samples"
            " WHERE series IN (SELECT id FROM series WHERE startsWith(name, 'oracle_'))"
        )
        columns = [np.asarray(table.column(name)) for name in ("series", "t", "value", "offset")]
        found: Counter[Key] = Counter()
        values: dict[Key, float] = {}
        by_record: Counter[tuple[int, int, int]] = Counter()
        for series, at, value, offset in zip(*(c.tolist() for c in columns), strict=True):
            found[series, at] += 1
            values[series, at] = value
            by_record[series, at, offset] += 1
        missing = expected.keys() - found.keys()
        assert not missing, f"{len(missing)} of {len(expected)} acknowledged samples are lost"
        strange = found.keys() - expected.keys()
        assert not strange, f"{len(strange)} samples that nobody sent, as {sorted(strange)[:3]}"
        doubled = {key for key, count in by_record.items() if count > 1}
        assert not doubled, f"{len(doubled)} samples of one record are stored twice"
        more = [key for key, count in found.items() if count > expected[key][1]]
        assert not more, f"{len(more)} samples are stored more often than they were sent"
        wrong = [key for key, (value, _) in expected.items() if values[key] != value]
        assert not wrong, f"{len(wrong)} samples have another value"
        final = self.number(
            "SELECT count() FROM metrics WHERE startsWith(name, 'oracle_')",
        )
        assert final == len(expected), "the view does not count each sample once"
        return len(expected)

    def check_records(self) -> None:
        """Each alert, decision and delivery of the log is one row, and there is no other row."""
        expected: dict[str, Counter[tuple[str, int, int]]] = {
            "alerts": Counter(),
            "decisions": Counter(),
            "deliveries": Counter(),
            "checks": Counter(),
        }
        done = self._log.committed("historian")
        same: dict[str, list[tuple[str, int, int]]] = {}
        for topic in TOPICS:
            for record, envelope in self._log.envelopes(topic):
                where = (topic, record.partition.number, record.offset)
                if record.offset >= done.get((topic, record.partition.number), 0):
                    continue
                match envelope.event:
                    case AlertBatch(alerts=alerts):
                        expected["alerts"][where] += len(alerts)
                    case PostedAlerts(labels=labels):
                        expected["alerts"][where] += len(labels)
                    case Decision():
                        expected["decisions"][where] += 1
                    case Delivery() | Receipt() as event:
                        expected["deliveries"][where] += 1
                        same.setdefault(event.model_dump_json(), []).append(where)
                    case CheckResult():
                        expected["checks"][where] += 1
        for table, rows in expected.items():
            found = Counter(
                {
                    (topic, number, offset): count
                    for topic, number, offset, count in self.ask(
                        f"SELECT topic, partition, offset, count() FROM {table}"
                        " GROUP BY topic, partition, offset"
                    )
                    if offset < done.get((topic, number), 0)
                }
            )
            if table == "deliveries":
                _forgive_twins(same.values(), found, rows)
            assert found == rows, f"{table}: missing {rows - found}, more {found - rows}"

    def _address(self) -> Address:
        port = int((self._directory / "port").read_text())
        token = (self._directory / "token").read_text().strip()
        return Address("127.0.0.1", port, "default", token)


def _forgive_twins(
    same: Iterable[Sequence[tuple[str, int, int]]],
    found: Counter[tuple[str, int, int]],
    rows: Counter[tuple[str, int, int]],
) -> None:
    """A receipt whose first publication had no answer is in the log twice, and says the same.

    History keeps one row of it once it merges.
    """
    for twins in same:
        if len(twins) > 1 and any(found[where] for where in twins):
            for where in twins:
                if not found[where]:
                    del rows[where]
