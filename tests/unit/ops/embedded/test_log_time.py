"""Whose time the courier and queries go by after the machine's clock jumped ahead and back."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from ops import queries
from ops.embedded.process import Process
from ops.embedded.services import EmbeddedServices
from ops.settings import Settings
from ops.transport.log_clock import LogClock
from schemas.deliveries import Receipt
from schemas.stage import Partition
from schemas.topics import ALERTS, CODEC
from tests.support.waiting import eventually
from tests.unit.ops.embedded.test_accepted_routes import GOOD, deliver, process

DAY = 86_400_000


def ahead(running: Process) -> int:
    """Put the log a day ahead of the wall clock; where it is then."""
    clock = running.shared.log.clock
    assert isinstance(clock, LogClock)
    clock.at_least(clock() + DAY)
    return clock()


def receipts(running: Process) -> list[int]:
    reader = running.shared.log.reader()
    records, _ = reader.read(Partition(ALERTS, 0), 0)
    reader.close()
    events = [CODEC.decode(record.value).event for record in records]
    return [event.at for event in events if isinstance(event, Receipt)]


def test_receipts_are_in_the_logs_time(tmp_path: Path) -> None:
    (tmp_path / "routes.yml").write_text(GOOD)
    with process(tmp_path) as running:
        began = ahead(running)
        running.reload()
        running.start()
        deliver(running, "d")
        eventually(lambda: receipts(running))
        assert receipts(running)[0] >= began


def test_a_query_without_a_time_is_of_the_logs_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(queries, "query", lambda _history, _expr, at, _defaults: asked.append(at))
    running = Process(Settings(data=tmp_path / "data"), frozenset(), tuple)
    try:
        services = EmbeddedServices(running)
        running.history = cast("None", SimpleNamespace(asked=lambda: None))
        began = ahead(running)
        services.query("up", None)
        services.query("up", 7)
        assert began <= asked[0] <= began + 60_000
        assert asked[1:] == [7]
    finally:
        running.stop(0.1)
