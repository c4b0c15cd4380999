"""Jobs on virtual time: heard of, late, failing, running too long, changed by a plan."""

import pytest

from notifiers.heartbeats.heartbeat import HeartbeatState
from schemas.alerts import AlertBatch
from schemas.deliveries import Why
from schemas.heartbeats import Ping, Signal
from tests.unit.notifiers.scenario import Scenario, level, plan, seconds

ID = "0123456789abcdefghij"
ROUTES = """
route: {{receiver: r, group_by: [alertname], group_wait: 0s, group_interval: 10s}}
receivers: [{{name: r, webhook_configs: [{{url: 'http://x/'}}]}}]
heartbeats: [{beats}]
"""
FIRST, OVER = Why.FIRST, Why.ALL_RESOLVED
MISSED, FAILED = "HeartbeatMissed", "HeartbeatFailed"


def routes(*more: str, period: str = "60s", name: str = "job") -> str:
    parts = ", ".join((f"name: {name}", f"id: {ID}", f"period: {period}", "grace: 10s", *more))
    return ROUTES.format(beats=f"{{{parts}}}")


def ping(signal: str = "success", **fields: object) -> Ping:
    return Ping.model_validate({"heartbeat": "job", "signal": Signal(signal), **fields})


def state(day: Scenario, at: float) -> HeartbeatState:
    return day.router._state.heartbeats.known["job"].state_at(seconds(at))


def last_notes(day: Scenario) -> dict[str, str]:
    return day.deliveries[-1][1].alerts[0].annotations


def test_a_job_that_pings_in_time_is_never_heard_of() -> None:
    day = Scenario(routes())
    for at in range(0, 600, 60):
        day.at(at, ping())
    assert day.until(600).told() == []
    assert state(day, 600) is HeartbeatState.UP


def test_a_job_that_never_pinged_is_new_then_late_then_down() -> None:
    day = Scenario(routes())
    assert state(day, 60) is HeartbeatState.NEW
    assert state(day, 61) is HeartbeatState.GRACE
    assert day.until(69).told() == []
    assert day.until(300).told_briefly() == [(70, FIRST, MISSED)]
    assert state(day, 70) is HeartbeatState.DOWN
    assert "never heard of since" in last_notes(day)["summary"]


def test_it_pages_after_period_and_grace_and_is_over_with_the_next_success() -> None:
    day = Scenario(routes()).at(30, ping(body="ok"))
    day.until(120)
    assert day.told_briefly() == [(100, FIRST, MISSED)]
    assert last_notes(day) == {
        "summary": "Heartbeat job: no ping for 1m10s, expected every 1m + 10s grace",
        "last_ping": "2023-11-14T22:13:50Z",
        "last_body": "ok",
    }
    day.at(125, ping()).until(140)
    assert day.told_briefly()[1:] == [(130, OVER, "")]
    assert state(day, 130) is HeartbeatState.UP


def test_its_alert_never_times_out() -> None:
    day = Scenario(routes()).until(40 * 3_600)
    assert {why for _, why, _ in day.told_briefly()} == {FIRST, Why.REPEAT}


@pytest.mark.parametrize(
    ("status", "words"), [(3, "failed with exit status 3"), (None, "says that it failed")]
)
def test_a_failure_pages_at_once(status: int | None, words: str) -> None:
    day = Scenario(routes()).at(20, ping("fail", exit_status=status, body="disk full"))
    assert day.told_briefly() == [(20, FIRST, FAILED)]
    assert words in last_notes(day)["summary"]
    assert last_notes(day)["last_body"] == "disk full"
    assert day.at(30, ping()).until(40).told_briefly()[1:] == [(40, OVER, "")]


def test_a_job_that_goes_on_failing_is_one_alert_with_its_newest_words() -> None:
    day = Scenario(routes()).at(20, ping("fail", body="a")).at(25, ping("fail", body="b"))
    day.until(200)
    assert day.told_briefly() == [(20, FIRST, FAILED)]
    [alert] = day.router.alerts()
    assert (alert.annotations["last_body"], alert.starts_at) == ("b", seconds(20))


def test_a_run_must_end_in_time_and_nothing_waits_for_it_afterwards() -> None:
    day = Scenario(routes("max_runtime: 20s")).at(10, ping("start"))
    assert state(day, 10) is HeartbeatState.STARTED
    assert day.until(40).told_briefly() == [(30, FIRST, MISSED)]
    assert "did not end within 20s" in last_notes(day)["summary"]
    day.at(45, ping()).until(100)
    assert day.told_briefly()[1:] == [(50, OVER, "")]


def test_a_run_that_ends_in_time_says_how_long_it_took() -> None:
    day = Scenario(routes("max_runtime: 20s")).at(10, ping("start", run="a"))
    day.at(25, ping(run="a")).until(60)
    job = day.router._state.heartbeats.known["job"]
    assert (day.told(), job.last_duration, job.runs) == ([], 15_000, {})


def test_two_runs_at_once_are_told_apart() -> None:
    day = Scenario(routes("max_runtime: 30s"))
    day.at(0, ping("start", run="a")).at(10, ping("start", run="b")).at(20, ping(run="a"))
    assert day.until(39).told() == []
    assert day.until(60).told_briefly() == [(40, FIRST, MISSED)]


def test_a_log_says_nothing_but_its_text() -> None:
    day = Scenario(routes()).at(50, ping("log", body="half way"))
    assert day.until(80).told_briefly() == [(70, FIRST, MISSED)]
    assert last_notes(day)["last_body"] == "half way"


def test_a_long_body_is_cut_in_the_alert() -> None:
    day = Scenario(routes()).at(1, ping("fail", body="x" * 10_000))
    assert len(last_notes(day)["last_body"]) == 1_000


def test_a_shorter_period_moves_the_deadline_and_a_longer_one_may_end_the_alert() -> None:
    day = Scenario(routes(period="1h")).at(0, ping()).at(100, *plan(routes(period="60s"), 2))
    assert day.told_briefly() == [(100, FIRST, MISSED)]
    day.at(150, *plan(routes(period="1h"), 3)).until(170)
    assert day.told_briefly()[1:] == [(160, OVER, "")]


def test_a_heartbeat_that_a_plan_removes_ends_its_alert() -> None:
    day = Scenario(routes()).until(80)
    day.at(90, *plan(routes(name="other"), 2)).until(110)
    assert day.told_briefly() == [(70, FIRST, MISSED), (100, OVER, "")]
    assert day.at(120, ping()).counts["ping unknown"] == 1


def test_other_labels_are_another_alert() -> None:
    day = Scenario(routes("labels: {team: a}")).until(80)
    day.at(85, *plan(routes("labels: {team: b}"), 2)).until(100)
    assert [alert.labels["team"] for alert in day.router.alerts() if alert.ends_at is None] == ["b"]
    assert day.deliveries[-1][1].alerts[0].labels["team"] in {"a", "b"}


def test_own_labels_go_over_ours_and_its_name_stays() -> None:
    day = Scenario(routes("labels: {alertname: Backup, severity: page}")).until(80)
    [alert] = day.router.alerts()
    assert alert.labels == {"alertname": "Backup", "severity": "page", "heartbeat": "job"}


def test_history_hears_of_it() -> None:
    day = Scenario(routes())
    heard: list[AlertBatch] = []
    take = day.router.step

    def listen(*given: object) -> object:
        step = take(*given)  # type: ignore[arg-type]
        heard.extend(one.event for one in step.outputs if isinstance(one.event, AlertBatch))
        return step

    day.router.step = listen  # type: ignore[method-assign,assignment]
    day.until(80).at(90, ping())
    assert [(one.source, str(one.alerts[0].state)) for one in heard] == [
        ("heartbeats", "firing"),
        ("heartbeats", "resolved"),
    ]


def test_pings_that_waited_in_the_log_count_when_they_were_appended() -> None:
    day = Scenario(routes())
    # The router is away: nobody appends wake-ups, and the pings lie in the log.
    for at in (50, 100, 150):
        day.now = at
        day._append(ping())
    assert day.told() == []
    day.now = 400
    day._append(ping())
    assert [(why, names) for _, why, names in day.told_briefly()] == [(FIRST, MISSED)]
    assert day.deliveries[0][1].alerts[0].starts_at == seconds(220)


def test_a_restart_changes_nothing() -> None:
    day = Scenario(routes("max_runtime: 25s")).at(5, ping("start", run="a")).restart()
    day.until(29)
    assert day.told() == []
    day.until(32)
    assert day.restart().until(35).told_briefly() == [(30, FIRST, MISSED)]
    day.at(40, ping(run="a", body="late")).restart().until(60)
    assert day.told_briefly()[1:] == [(50, OVER, "")]


def test_a_detectors_alert_of_other_labels_is_left_alone() -> None:
    day = Scenario(routes())
    day.at(
        1,
        AlertBatch(
            source="s", plan=1, decided_at=seconds(1), alerts=(level("firing", 1, alertname="A"),)
        ),
    )
    assert day.until(90).told_briefly() == [(1, FIRST, "A"), (70, FIRST, MISSED)]


def test_on_a_partition_that_gets_no_pings_nobody_is_waited_for() -> None:
    text = routes() + "dead_mans_switch: {receiver: r}\n"
    [elsewhere] = (one.model_copy(update={"home": False}) for one in plan(text))
    day = Scenario().at(0, elsewhere).until(300)
    assert (day.told(), day.router.remembered("heartbeat")) == ([], {})
    # The topic got partitions, and this one is the pings' now; then another is.
    day.at(300, *plan(text, 2)).restart().until(400)
    assert MISSED in {one.firing for one in day.told()}
    [elsewhere] = (one.model_copy(update={"home": False}) for one in plan(text, 3))
    day.at(405, elsewhere).until(500)
    assert day.told()[-1].why is OVER
    assert day.router.remembered("heartbeat") == {}
