from collections.abc import Callable
from functools import partial

import pytest

from schemas.commands import SilenceSet
from schemas.deliveries import Delivery, Fate, Receipt, Why
from schemas.windows import Calendar, Repeat, WindowClosed, WindowEnded, WindowOpened, WindowSet
from tests.unit.notifiers.scenario import Scenario, receipt, seconds
from tests.unit.notifiers.windows.making import matcher, wish

ROUTES = """
route: {{receiver: r, group_wait: 10s, group_interval: 5m, repeat_interval: 1h}}
receivers:
- {{name: r, webhook_configs: [{{url: 'http://x/'}}]}}
- {{name: ada, webhook_configs: [{{url: 'http://x/'}}, {{url: 'http://y/'}}]}}
suppression: {mode}
"""
TOCSIN, ALERTMANAGER = ROUTES.format(mode="tocsin"), ROUTES.format(mode="alertmanager")
DAY = 86_400


def reminders(day: Scenario) -> list[tuple[float, str, int, int]]:
    return [
        (at, one.receiver, one.integration, one.attempt)
        for at, one in day.deliveries
        if one.why is Why.REMINDER
    ]


def test_what_still_fires_is_told_the_moment_the_window_ends() -> None:
    day = Scenario(TOCSIN).at(0, wish(0, 100)).fires(1, "a", "b").until(99)
    assert day.told_briefly() == [(11, Why.FIRST, "b")]
    assert day.until(100).told_briefly()[1:] == [(100, Why.GREW, "a b")]


def test_as_alertmanager_has_it_the_next_look_tells() -> None:
    day = Scenario(ALERTMANAGER).at(0, wish(0, 100)).fires(1, "a").until(400)
    assert day.told_briefly() == [(311, Why.FIRST, "a")]


def test_what_resolved_in_the_window_is_never_told() -> None:
    day = Scenario(TOCSIN).at(0, wish(0, 100)).fires(1, "a").resolves(50, "a", since=1)
    assert day.until(1_000).told_briefly() == []


def test_a_page_that_was_sent_is_resolved_in_the_window_too() -> None:
    day = Scenario(TOCSIN).fires(0, "a").at(20, wish(20, 1_000)).resolves(30, "a")
    assert day.until(400).told_briefly() == [(10, Why.FIRST, "a"), (310, Why.ALL_RESOLVED, "")]


def test_somebody_ends_a_window_and_its_alerts_page() -> None:
    day = Scenario(TOCSIN).at(0, wish(0, 9_999)).fires(1, "a").at(50, WindowEnded(id="w", by="ada"))
    assert day.until(51).told_briefly() == [(50, Why.FIRST, "a")]
    assert day.at(60, WindowEnded(id="w"), WindowEnded(id="x")).counts["window unknown"] == 1


@pytest.mark.parametrize("start", [5, 500])
def test_a_window_that_ended_before_it_began_is_remembered(start: float) -> None:
    day = Scenario(TOCSIN).at(5, wish(start, 900)).at(5, WindowEnded(id="w")).restart()
    assert day.fires(6, "a").until(20).told_briefly() == [(16, Why.FIRST, "a")]
    (found,) = day.router.windows()
    assert (found.state, found.spans) == ("expired", ())


def test_a_window_comes_again_and_again() -> None:
    # The day begins on Tuesday 2023-11-14, 22:13:20 UTC.
    rule = Repeat(minute=22 * 60 + 20, length=600_000)
    day = Scenario(TOCSIN).at(0, wish(0, None, repeats=(rule,))).fires(401, "a").until(1_000)
    assert day.told_briefly() == [(1_000, Why.FIRST, "a")]
    day.resolves(2_000, "a", since=401).fires(DAY + 401, "a").until(DAY + 999)
    assert day.told_briefly()[1:] == [(2_200, Why.ALL_RESOLVED, "")]
    assert day.until(DAY + 1_000).told_briefly()[2:] == [(DAY + 1_000, Why.FIRST, "a")]


def test_a_calendar_is_alertmanagers_time_interval() -> None:
    evening = Calendar(times=((22 * 60, 23 * 60),), weekdays=((2, 2),))
    day = Scenario(TOCSIN).at(0, wish(0, None, calendars=(evening,))).fires(1, "a")
    assert day.until(3_000).told_briefly() == [(2_800, Why.FIRST, "a")]


def test_a_deploy_holds_from_its_start_to_its_finish() -> None:
    deploy = wish(0, None, timeout=600_000)
    day = Scenario(TOCSIN).at(0, deploy).at(1, WindowOpened(id="w")).fires(2, "a").until(60)
    assert day.told_briefly() == []
    assert day.at(61, WindowClosed(id="w")).until(62).told_briefly() == [(61, Why.FIRST, "a")]


def test_a_deploy_that_never_ends_ends_at_its_time_out_whatever_is_said() -> None:
    deploy = wish(0, None, timeout=600_000)
    day = Scenario(TOCSIN).at(0, deploy).at(1, WindowOpened(id="w")).fires(2, "a")
    # Beginning again, longer, and setting the window anew do not put it off.
    day.at(300, WindowOpened(id="w", timeout=9_999_999), wish(0, None, timeout=600_000))
    assert day.until(600).told_briefly() == []
    assert day.until(601).told_briefly() == [(601, Why.FIRST, "a")]
    assert day.counts["window not opened"] == 1


def test_a_deploy_may_ask_for_less_time_and_never_for_more() -> None:
    deploy = wish(0, None, timeout=600_000)
    short = Scenario(TOCSIN).at(0, deploy, WindowOpened(id="w", timeout=60_000)).fires(1, "a")
    assert short.until(700).told_briefly() == [(60, Why.FIRST, "a")]
    long = Scenario(TOCSIN).at(0, deploy, WindowOpened(id="w", timeout=10**9)).fires(1, "a")
    assert long.until(700).told_briefly() == [(600, Why.FIRST, "a")]


def test_while_no_deploy_runs_its_window_hides_nothing() -> None:
    day = Scenario(TOCSIN).at(0, wish(0, None, timeout=600_000)).fires(1, "a")
    assert day.until(20).told_briefly() == [(11, Why.FIRST, "a")]
    assert day.at(30, WindowClosed(id="w"), WindowOpened(id="none")).counts["window unknown"] == 1


def test_a_window_and_a_silence_both_have_to_end() -> None:
    other = wish(0, 200).model_copy(update={"id": "v"})
    day = Scenario(TOCSIN).at(0, wish(0, 100), other).fires(1, "a")
    assert day.until(300).told_briefly() == [(200, Why.FIRST, "a")]


def test_the_reminder_comes_once_before_the_end_on_every_channel_of_the_owner() -> None:
    day = Scenario(TOCSIN).at(0, wish(0, 1_000, remind_before=300_000)).until(2_000)
    assert reminders(day) == [(700, "ada", 0, 1), (700, "ada", 1, 1)]
    told = day.deliveries[0][1]
    assert "Maintenance window w ends at 2023-11-14 22:30 UTC: patches" in told.notice
    assert told.alerts[0].annotations["summary"] == told.notice


@pytest.mark.parametrize(
    ("fields", "who"),
    [({"remind_to": "r"}, "r"), ({"remind_to": "gone"}, "ada"), ({"owner": "bob"}, "r")],
)
def test_who_is_reminded(fields: dict[str, str], who: str) -> None:
    day = Scenario(TOCSIN).at(0, wish(0, 1_000, remind_before=300_000, **fields)).until(2_000)
    assert {one[1] for one in reminders(day)} == {who}


def test_an_owner_who_can_be_called_is_reminded_where_he_wants_it() -> None:
    contacts = "[{receiver: r, severities: [critical]}, {receiver: ada}]"
    routes = f"{TOCSIN}users: [{{name: bob, contacts: {contacts}}}]\n"
    window = wish(0, 1_000, remind_before=300_000, owner="bob")
    assert {one[1] for one in reminders(Scenario(routes).at(0, window).until(2_000))} == {"ada"}


def test_a_window_that_is_prolonged_reminds_of_its_new_end_and_an_ended_one_does_not() -> None:
    first = wish(0, 1_000, remind_before=300_000, remind_to="r")
    day = (
        Scenario(TOCSIN).at(0, first).at(800, wish(0, 2_000, remind_before=300_000, remind_to="r"))
    )
    assert [one[0] for one in reminders(day.until(3_000))] == [700, 1_700]
    day = Scenario(TOCSIN).at(0, first).at(600, WindowEnded(id="w"))
    assert reminders(day.until(3_000)) == []


def test_what_ends_sooner_than_the_reminder_would_come_reminds_nobody() -> None:
    day = Scenario(TOCSIN).at(0, wish(0, 100, remind_before=300_000)).until(2_000)
    assert reminders(day) == []


def test_a_deploy_reminds_before_its_time_out() -> None:
    deploy = wish(0, None, timeout=600_000, remind_before=60_000, remind_to="r")
    day = Scenario(TOCSIN).at(0, deploy, WindowOpened(id="w")).until(2_000)
    assert [one[0] for one in reminders(day)] == [540]


def test_a_reminder_that_failed_is_sent_again_under_its_id_until_it_arrives() -> None:
    def flaky(delivery: Delivery, now: int) -> Receipt:
        fate = Fate.RETRY if delivery.attempt < 3 else Fate.DELIVERED
        return receipt(delivery, now, fate)

    window = wish(0, 1_000, remind_before=300_000, remind_to="r")
    day = Scenario(TOCSIN, courier=flaky).at(0, window).until(9_000)
    assert reminders(day) == [(700, "r", 0, 1), (705, "r", 0, 2), (715, "r", 0, 3)]
    assert len({one.id for _, one in day.deliveries}) == 1


def test_a_reminder_of_which_nothing_is_heard_is_given_up_and_counted() -> None:
    window = wish(0, 1_000, remind_before=300_000, remind_to="r")
    day = Scenario(TOCSIN, courier=lambda delivery, now: None).at(0, window).until(9_000)
    assert (len(reminders(day)), day.counts["notice expired"]) == (1, 1)


def test_a_restart_at_any_second_changes_nothing() -> None:
    events: list[tuple[float, WindowSet | WindowOpened | WindowClosed]] = [
        (0, wish(0, 1_000, remind_before=300_000, remind_to="r")),
        (5, wish(0, None, timeout=600_000).model_copy(update={"id": "d"})),
        (6, WindowOpened(id="d")),
        (650, WindowClosed(id="d")),
    ]

    def play(restart: float | None) -> Scenario:
        day = Scenario(TOCSIN)
        steps: list[tuple[float, Callable[[], object]]] = [
            (at, partial(day.at, at, event)) for at, event in events
        ]
        steps.append((20, lambda: day.fires(20, "a")))
        if restart is not None:
            steps.append((restart, lambda: day.until(restart).restart()))
        for _, step in sorted(steps, key=lambda one: one[0]):
            step()
        return day.until(2_000)

    want = play(None)
    assert want.told_briefly() == [(700, Why.REMINDER, "EndsSoon"), (1_000, Why.FIRST, "a")]
    for restart in [1, 5.5, 7, 21, 605, 606.5, 651, 699.5, 700.5, 999, 1_000.5]:
        assert play(restart).told_briefly() == want.told_briefly(), restart


def test_a_router_that_was_away_when_the_window_ended_tells_as_soon_as_it_is_back() -> None:
    day = Scenario(TOCSIN).at(0, wish(0, 100)).fires(1, "a").until(50)
    day.now = 500
    day.fires(500, "b")
    assert day.told_briefly()[0] == (500, Why.FIRST, "a")


def test_a_window_that_is_over_is_forgotten_after_120_hours() -> None:
    day = Scenario(TOCSIN).at(0, wish(0, 100)).until(5 * DAY)
    assert "window/w" in day.state
    assert "window/w" not in day.until(5 * DAY + 101).state


def test_a_wish_that_cannot_be_is_counted_and_changes_nothing() -> None:
    day = Scenario(TOCSIN).at(0, wish(0, 100), wish(0, None)).fires(1, "a").until(50)
    assert (day.counts["window refused"], day.told_briefly()) == (1, [])


def test_a_window_may_be_changed_while_it_holds() -> None:
    day = Scenario(TOCSIN).at(0, wish(0, 1_000)).fires(1, "a").at(50, wish(0, 60))
    assert day.until(100).told_briefly() == [(60, Why.FIRST, "a")]
    assert seconds(60) == day.router._state.windows.known["w"].wish.ends_at


def test_a_silence_beyond_all_calendars_is_one_all_the_same() -> None:
    silence = SilenceSet(
        id="s",
        sets=((matcher(),),),
        starts_at=seconds(0),
        ends_at=2**53,
        created_by="ada",
        comment="",
        annotations={"remind": "60000"},
    )
    day = Scenario(TOCSIN).at(0, silence).fires(1, "a", "b").until(1_000)
    assert day.told_briefly() == [(11, Why.FIRST, "b")]
