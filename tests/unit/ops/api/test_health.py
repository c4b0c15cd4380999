import pytest

from ops.health import Health, overall
from ops.services import StageStatus
from tests.support.fake_services import FakeServices
from tests.unit.ops.api.asking import BEARER, GUARDED, ask

WELL = StageStatus("router", healthy=True, ready=True, message="at offset 7")
STARTING = StageStatus("router", healthy=True, ready=False)
ILL = StageStatus("router", healthy=False, ready=False, message="crashed")
HISTORY_ILL = StageStatus("history", healthy=False, ready=False, message="restarts", vital=False)


@pytest.mark.parametrize(
    ("stages", "word", "status"),
    [
        ([WELL], Health.HEALTHY, 200),
        ([WELL, HISTORY_ILL], Health.DEGRADED, 200),
        ([WELL, ILL], Health.UNHEALTHY, 503),
        ([WELL, STARTING], Health.UNKNOWN, 503),
        ([], Health.UNKNOWN, 503),
    ],
)
def test_health_is_one_word_for_all_stages(
    stages: list[StageStatus], word: Health, status: int
) -> None:
    assert overall(stages) is word
    answer = ask("GET", "/health", FakeServices(stages=stages))
    assert (answer.status_code, answer.json()["status"]) == (status, word)


def test_only_vital_stages_are_waited_for() -> None:
    ready = ask("GET", "/readiness", FakeServices(stages=[WELL, HISTORY_ILL]))
    assert ready.json() == {"status": "ready", "waiting": []}
    waiting = ask("GET", "/-/ready", FakeServices(stages=[STARTING]))
    assert (waiting.status_code, waiting.json()["waiting"]) == (503, ["router"])


def test_a_stranger_sees_health_without_messages() -> None:
    stranger = ask("GET", "/health", FakeServices(stages=[WELL]), GUARDED)
    assert stranger.json()["stages"] == [{"name": "router", "healthy": True, "ready": True}]
    friend = ask("GET", "/health", FakeServices(stages=[WELL]), GUARDED, headers=BEARER)
    assert friend.json()["stages"][0]["message"] == "at offset 7"


def test_metrics_are_prometheus_text() -> None:
    services = FakeServices()
    services.figures.set("tocsin_log_bytes", 4096)
    answer = ask("GET", "/metrics", services)
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "tocsin_log_bytes 4096\n" in answer.text


def test_reload_says_what_is_wrong() -> None:
    assert ask("POST", "/-/reload").json() == {"status": "success"}
    answer = ask("POST", "/-/reload", FakeServices(problems=["rules.yml:3: no expr"]))
    assert answer.status_code == 400
    assert answer.json()["problems"] == ["rules.yml:3: no expr"]


def test_answers_say_up_to_when_they_hold() -> None:
    dated = FakeServices(as_of=1_750_000_000_000)
    for path in ("/api/tocsin/v1/alerts", "/health", "/nowhere"):
        assert ask("GET", path, dated).headers["x-tocsin-as-of"] == "1750000000000"
        assert "x-tocsin-as-of" not in ask("GET", path).headers


def test_the_status_tells_of_the_cluster_where_there_is_one() -> None:
    assert ask("GET", "/api/tocsin/v1/status").json()["cluster"] is None
    answer = ask("GET", "/api/tocsin/v1/status", FakeServices(report={"problems": []}))
    assert answer.json()["cluster"] == {"problems": []}


@pytest.mark.parametrize("path", ["/-/healthy", "/-/ready"])
def test_balancers_may_ask_for_the_head_alone(path: str) -> None:
    assert ask("HEAD", path, FakeServices(stages=[WELL])).status_code == 200
