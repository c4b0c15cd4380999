from schemas.deliveries import Why
from schemas.stage import Received
from tests.unit.notifiers.scenario import Scenario, Told, plan, sealed, seconds

BEFORE = """
route:
  receiver: a
  group_by: [service]
  group_wait: 10s
  group_interval: 1m
  routes: [{matchers: [team=db], receiver: b}]
receivers:
- {name: a, webhook_configs: [{url: 'http://a/'}]}
- {name: b, webhook_configs: [{url: 'http://b/'}]}
"""
WITH_ONE_MORE = BEFORE.replace(
    "routes: [", "routes: [{matchers: [team=web], receiver: b, continue: true}, "
)


def test_groups_whose_route_persists_keep_timers_and_what_was_told() -> None:
    day = Scenario(BEFORE).fires(0, "A", team="db").until(30).at(30, *plan(WITH_ONE_MORE, 2))
    day.fires(40, "B", team="db").until(200)
    assert day.told() == [
        Told(10, "b", Why.FIRST, "A", ""),
        Told(70, "b", Why.GREW, "A B", ""),
    ]


def test_alerts_move_to_the_groups_of_the_new_plan() -> None:
    day = Scenario(BEFORE).fires(0, "A", team="web").until(5).at(5, *plan(WITH_ONE_MORE, 2))
    day.until(30)
    assert [(one.at, one.receiver) for one in day.told()] == [(15, "b")]
    assert len([key for key in day.state if key.startswith("group/")]) == 1


def test_a_route_that_names_another_receiver_tells_that_one_at_the_next_tick() -> None:
    day = Scenario(BEFORE).fires(0, "A", team="db").until(30)
    day.at(30, *plan(BEFORE.replace("[team=db], receiver: b", "[team=db], receiver: a"), 2))
    day.until(100)
    assert [(one.at, one.receiver, one.why) for one in day.told()] == [
        (10, "b", Why.FIRST),
        (70, "a", Why.FIRST),
    ]


def test_a_plan_in_pieces_is_in_force_with_its_last_piece() -> None:
    first, second, third = plan(BEFORE, 1, pieces=3)
    day = Scenario().fires(0, "A").at(1, first).restart().at(2, second)
    assert not [key for key in day.state if key.startswith("group/")]
    day.at(3, third).until(20)
    assert [one.firing for one in day.told()] == ["A"]


def test_an_older_plan_and_one_of_another_stage_are_passed_over() -> None:
    day = Scenario().at(0, *plan(BEFORE, 5)).at(1, *plan(WITH_ONE_MORE, 4))
    other = plan(WITH_ONE_MORE, 6)[0].model_copy(update={"stage": "detector"})
    day.at(2, other).fires(3, "A", team="web").until(20)
    assert [one.receiver for one in day.told()] == ["a"]
    assert day.counts["plan older"] == 1


def test_a_broken_plan_leaves_the_running_one() -> None:
    day = Scenario(BEFORE).at(1, *plan("route: nonsense", 2)).fires(2, "A").until(20)
    assert [one.receiver for one in day.told()] == ["a"]
    assert day.counts["plan refused"] == 1


def test_an_alert_may_be_in_several_groups() -> None:
    both = BEFORE.replace("receiver: b}", "receiver: b, continue: true}, {receiver: a}")
    day = Scenario(both).fires(0, "A", team="db").until(20)
    assert sorted(one.receiver for one in day.told()) == ["a", "b"]


def test_groups_that_a_plan_ends_are_closed_in_the_same_order_after_a_restart() -> None:
    alone = BEFORE.replace("[service]", "['...']")

    def closed(*, restarted: bool) -> list[str]:
        day = Scenario(alone)
        for name in "GBEADCF":
            day.fires(0, name)
        day.until(30)
        if restarted:
            day.restart()
        everybody_else = BEFORE.replace("receiver: a\n  group_by", "receiver: b\n  group_by")
        record = Received(day.offset, sealed(plan(everybody_else, 2)[0], seconds(40)))
        return [one.id for one in day.router.step([record], seconds(40)).outputs]

    found = closed(restarted=True)
    assert len(found) > 2
    assert closed(restarted=False) == found
