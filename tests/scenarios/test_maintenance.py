"""A maintenance window over the API hides a page, and its end releases it: the whole command."""

from pathlib import Path

import pytest

from tests.scenarios.test_drop_in import DropIn
from tests.support.waiting import eventually
from tests.support.webhook import Webhook

API = "/api/tocsin/v1"
WINDOW = {"matchers": ["alertname=Held"], "owner": "ada", "comment": "patches"}


@pytest.mark.parametrize("ends", ["by somebody", "by itself", "after a kill"])
def test_a_window_hides_a_page_and_its_end_releases_it(
    tmp_path: Path, receiver: Webhook, ends: str
) -> None:
    with DropIn(tmp_path, receiver.url) as server:
        text = server.routes.read_text()
        server.routes.write_text(text + "suppression: tocsin\n")
        server.start()
        body = WINDOW | {"for": "8s" if ends == "by itself" else "1h"}
        made = server.ask("POST", f"{API}/windows", body)
        assert made.status_code == 200, made.text
        server.post("Held", "Free")

        def told() -> set[str]:
            return {name for page in receiver.pages for name in page.labels("alertname")}

        eventually(lambda: "Free" in told(), 20, server.tail)
        assert "Held" not in told()
        known = server.ask("GET", "/api/v2/alerts").json()
        states = {one["labels"]["alertname"]: one["status"]["state"] for one in known}
        assert states == {"Held": "suppressed", "Free": "active"}
        if ends == "after a kill":
            server.kill()
            server.start()
        if ends != "by itself":
            ended = server.ask("DELETE", f"{API}/windows/{made.json()['id']}?by=ada")
            assert ended.json()["state"] == "expired"
        eventually(lambda: "Held" in told(), 20, server.tail)
