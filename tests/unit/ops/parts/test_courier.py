"""The courier as a part: what its status tells."""

from pathlib import Path

from ops.accepted_routes import Routes
from ops.parts.courier import CourierPart
from ops.parts.shared import Shared
from ops.settings import Settings
from ops.transport.sqlite_log import SqliteLog
from tests.support.waiting import eventually

ROUTES = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"


def test_the_courier_tells_how_far_it_is_behind(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path / "log", lambda: 1)
    part = CourierPart(Shared(Settings(data=tmp_path), log, lambda _: None))
    part.reload(Routes(ROUTES, tmp_path / "routes.yml"))
    part.worker.start()
    try:
        eventually(lambda: part.status().figures.get("lag") == 0.0, within=10)
        assert part.status().figures["lag:0"] == 0.0
    finally:
        part.worker.ask_to_stop()
        part.worker.join(5)
        log.close()
