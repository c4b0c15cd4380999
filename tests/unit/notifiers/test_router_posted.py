import ormsgpack

from schemas.alerts import AlertBatch, AlertLevel, AlertState, PostedAlerts
from schemas.deliveries import Why
from schemas.pairs import packed, packed_labels
from tests.unit.notifiers.scenario import Scenario, Told, batch, level, plan, seconds
from tests.unit.notifiers.stored import alerts

ROUTES = """
global: {resolve_timeout: 2m}
route: {receiver: ops, group_wait: 10s, group_interval: 1m, repeat_interval: 1h}
receivers: [{name: ops, webhook_configs: [{url: 'http://ops/'}]}]
"""


def posted(
    at: float,
    name: str = "A",
    start: float | None = None,
    end: float | None = None,
    text: str = "",
) -> PostedAlerts:
    """What the API makes of one posted alert."""
    begins = at if start is None else start
    return PostedAlerts(
        decided_at=seconds(at),
        labels=(packed_labels({"alertname": name}),),
        annotations=(packed({"text": text} if text else {}),),
        starts_at=(seconds(begins),),
        ends_at=(None if end is None else seconds(end),),
        generator_urls=("",),
    )


def test_what_an_older_version_wrote_is_the_same_alert() -> None:
    def older(at: float, state: AlertState, end: float | None = None) -> AlertBatch:
        one = AlertLevel(
            labels={"zone": "", "alertname": "A"},
            state=state,
            active_at=seconds(1),
            starts_at=seconds(1),
            ends_at=None if end is None else seconds(end),
        )
        return AlertBatch(source="api", plan=0, decided_at=seconds(at), alerts=(one,))

    day = Scenario(ROUTES).at(1, older(1, AlertState.FIRING)).at(20, posted(20, start=1)).until(50)
    assert [view.expires_at for view in alerts(day.state.items())] == [seconds(140)]
    day.at(60, older(60, AlertState.RESOLVED, 55)).until(100)
    assert day.told() == [
        Told(11, "ops", Why.FIRST, "A", ""),
        Told(71, "ops", Why.ALL_RESOLVED, "", "A"),
    ]


def test_a_label_set_that_others_packed_out_of_order_is_the_same_alert() -> None:
    def turned(at: float, labels: bytes) -> PostedAlerts:
        return posted(at, start=1).model_copy(update={"labels": (labels,)})

    day = Scenario(ROUTES).at(1, turned(1, b"alertname\xffA\xffb\xff1\xff"))
    day.at(2, turned(2, b"b\xff1\xffc\xff\xffalertname\xffA\xff"))
    assert [view.labels for view in alerts(day.state.items())] == [{"alertname": "A", "b": "1"}]


def test_an_alert_without_an_end_resolves_after_resolve_timeout() -> None:
    day = Scenario(ROUTES).at(1, posted(1)).until(300)
    assert day.told() == [
        Told(11, "ops", Why.FIRST, "A", ""),
        Told(131, "ops", Why.ALL_RESOLVED, "", "A"),
    ]
    assert day.deliveries[1][1].alerts[0].ends_at == seconds(121)


def test_each_post_puts_the_timeout_off_also_over_a_restart() -> None:
    day = Scenario(ROUTES)
    for at in (1, 61, 121, 181):
        day.at(at, posted(at)).restart()
    assert day.until(300).told_briefly() == [(11, Why.FIRST, "A")]
    assert [one.at for one in day.until(500).told()] == [11, 311]


def test_an_alert_resolves_at_its_end() -> None:
    day = Scenario(ROUTES).at(1, posted(1, start=1, end=40)).until(39)
    assert day.deliveries[0][1].alerts[0].ends_at is None
    [view] = alerts(day.state.items())
    assert (view.state, view.expires_at) == (AlertState.FIRING, seconds(40))
    day.until(100)
    assert day.told()[1:] == [Told(71, "ops", Why.ALL_RESOLVED, "", "A")]


def test_the_earliest_start_and_the_newest_text_count_while_two_posts_overlap() -> None:
    day = Scenario(ROUTES).at(1, posted(1, start=1, end=100, text="old"))
    day.at(20, posted(20, start=20, end=200, text="new"))
    [view] = alerts(day.state.items())
    assert (view.starts_at, view.annotations) == (seconds(1), {"text": "new"})
    assert view.expires_at == seconds(200)


def test_an_end_that_was_named_outlasts_a_shorter_one() -> None:
    day = Scenario(ROUTES).at(1, posted(1, start=1, end=500)).at(20, posted(20, start=20))
    assert alerts(day.state.items())[0].expires_at == seconds(500)


def test_a_post_that_does_not_overlap_takes_the_place_of_what_was() -> None:
    day = Scenario(ROUTES).at(1, posted(1, start=1, end=500)).at(20, posted(20, start=1, end=600))
    assert alerts(day.state.items())[0].expires_at == seconds(600)


def test_a_posted_resolve_is_told_and_the_latest_end_counts() -> None:
    day = Scenario(ROUTES).at(1, posted(1, start=1)).at(20, posted(20, start=1, end=18)).until(100)
    assert [one.resolved for one in day.told()] == ["", "A"]
    assert day.deliveries[1][1].alerts[0].ends_at == seconds(18)


def test_what_was_only_posted_as_resolved_pages_nobody() -> None:
    day = Scenario(ROUTES).at(1, posted(1, start=0, end=1)).until(500)
    assert day.told() == []
    assert not [key for key in day.state if key.startswith(("group/", "outbox/"))]


def test_a_resolve_of_what_never_fired_is_told_beside_what_fires() -> None:
    """As Alertmanager does."""
    day = Scenario(ROUTES).at(1, posted(1, "B", end=900)).at(20, posted(20, start=0, end=20))
    assert day.until(100).told()[-1] == Told(71, "ops", Why.SOME_RESOLVED, "B", "A")


def test_the_newest_of_detector_and_post_counts() -> None:
    day = Scenario(ROUTES).at(1, batch(1, level("firing", 1, alertname="A"), plan=7))
    day.at(20, posted(20, start=5, end=15)).until(21)
    assert alerts(day.state.items())[0].state is AlertState.RESOLVED
    day.at(30, posted(30)).at(40, batch(40, level("firing", 40, since=1, alertname="A"), plan=7))
    [view] = alerts(day.until(900).state.items())
    assert (view.state, view.expires_at) == (AlertState.FIRING, None)


def test_a_forgotten_alert_leaves_nothing() -> None:
    day = Scenario(ROUTES).at(1, posted(1)).until(500).fires(9_000, "B").restart()
    assert [one.labels["alertname"] for one in alerts(day.state.items())] == ["B"]


def test_the_newest_end_is_restored_wherever_it_was_written() -> None:
    """A post that changes nothing writes the end alone, one that changes a text writes it all."""
    day = Scenario(ROUTES).at(1, posted(1, start=1, end=100)).until(2).restart()
    assert lives(day) == []
    day.at(20, posted(20, start=1, end=200)).until(21).restart()
    assert len(lives(day)) == 1
    day.at(30, posted(30, start=1, end=300, text="new")).until(31).restart()
    assert lives(day) == []
    [view] = alerts(day.state.items())
    assert view.expires_at == seconds(300)
    assert [one.why for one in day.until(500).told()] == [Why.FIRST, Why.ALL_RESOLVED]


def test_an_end_that_a_detector_took_away_does_not_come_back_with_a_restart() -> None:
    day = (
        Scenario(ROUTES)
        .at(1, posted(1, start=1, end=50))
        .at(10, posted(10, start=1, end=60))
        .until(11)
    )
    assert len(lives(day)) == 1
    day.at(20, batch(20, level("firing", 20, since=1, alertname="A"), plan=7)).until(21).restart()
    assert lives(day) == []
    [view] = alerts(day.until(900).state.items())
    assert (view.state, view.expires_at) == (AlertState.FIRING, None)


def test_an_alert_that_comes_back_as_it_is_forgotten_has_no_older_end() -> None:
    day = (
        Scenario(ROUTES)
        .at(1, posted(1, start=1, end=50))
        .at(10, posted(10, start=1, end=60))
        .until(500)
    )
    day.at(9_000, batch(9_000, level("firing", 9_000, since=9_000, alertname="A"), plan=7))
    [view] = alerts(day.until(9_001).restart().until(20_000).state.items())
    assert (lives(day), view.state, view.expires_at) == ([], AlertState.FIRING, None)


def lives(day: Scenario) -> list[str]:
    """The alerts whose newest entry in the checkpoint is their end alone."""
    entries = {key: value for key, value in day.state.items() if key.startswith("alerts/")}
    newest: dict[str, bool] = {}
    for key in sorted(entries):
        content = ormsgpack.unpackb(entries[key])[3]
        whole, ended, gone = ormsgpack.unpackb(content)
        newest |= dict.fromkeys([*(name for name, *_ in whole), *gone], False)
        newest |= dict.fromkeys([name for name, *_ in ended], True)
    return [name for name, alone in newest.items() if alone]


def test_timers_are_not_heaped_up_by_posts() -> None:
    day = Scenario(ROUTES)
    for at in range(1, 500):
        day.at(at, posted(at))
    assert len([one for one in day.router._state.timers if not one[1]]) <= 2


def test_an_end_that_is_posted_twice_is_told_though_a_new_plan_leads_elsewhere() -> None:
    day = Scenario(ROUTES).at(0, posted(0)).at(30, posted(30, start=0, end=30))
    day.at(40, *plan(ROUTES.replace("{receiver", "{group_by: [alertname], receiver"), 2))
    day.at(45, posted(45, start=0, end=30)).until(100)
    assert day.told_briefly() == [(10, Why.FIRST, "A"), (70, Why.ALL_RESOLVED, "")]
