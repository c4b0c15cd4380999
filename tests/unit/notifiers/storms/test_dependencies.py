"""Dependencies: parents explain their children, and what still fires after them is told."""

from notifiers.config import Suppression, read
from schemas.deliveries import Why
from tests.unit.notifiers.scenario import Scenario, plan

ROUTES = """
route: {receiver: hook, group_by: [alertname], group_wait: 10s, group_interval: 5m}
receivers:
- name: hook
  webhook_configs: [{url: 'http://x/'}]
dependencies:
- {parent: [service=db], child: [service=api], equal: [cluster], grace: 1m, lookback: 2m}
- {parent: [service=api], child: [service=web], equal: [cluster], grace: 1m, lookback: 2m}
"""


def test_while_a_parent_fires_its_children_page_nobody_and_it_says_what_it_explains() -> None:
    day = Scenario(ROUTES).fires(1, "Slow", "Errors", service="api", cluster="a")
    day.fires(2, "Slow", service="web", cluster="a").fires(3, "Down", service="db", cluster="a")
    day.until(1_000)
    assert day.told_briefly() == [(13, Why.FIRST, "Down")]
    notice = day.deliveries[0][1].notice
    assert notice == "Explains 3 alerts of 2 services: Slow 2, Errors 1."


def test_what_still_fires_after_the_grace_is_told_at_once() -> None:
    day = Scenario(ROUTES).fires(1, "Down", service="db", cluster="a")
    day.fires(2, "Slow", "Errors", service="api", cluster="a").until(50)
    day.resolves(60, "Down", since=1, service="db", cluster="a")
    day.resolves(80, "Errors", since=2, service="api", cluster="a").until(1_000)
    assert day.told_briefly() == [
        (11, Why.FIRST, "Down"),
        (120, Why.FIRST, "Slow"),
        (311, Why.ALL_RESOLVED, ""),
    ]


def test_alerts_elsewhere_are_not_explained() -> None:
    day = Scenario(ROUTES).fires(1, "Down", service="db", cluster="a")
    day.fires(2, "Slow", service="api", cluster="b").until(100)
    assert [firing for _, _, firing in day.told_briefly()] == ["Down", "Slow"]


def test_a_child_that_began_long_before_its_parent_has_a_cause_of_its_own() -> None:
    day = Scenario(ROUTES.replace("5m", "10s")).fires(1, "Slow", service="api", cluster="a")
    day.fires(125, "Down", service="db", cluster="a").until(200)
    day.fires(201, "Errors", service="api", cluster="a").until(400)
    assert [firing for _, _, firing in day.told_briefly()] == ["Slow", "Down"]
    assert not day.deliveries[0][1].notice
    day.resolves(401, "Down", since=125, service="db", cluster="a").until(600)
    assert [(why, firing) for _, why, firing in day.told_briefly()[2:]] == [
        (Why.ALL_RESOLVED, ""),
        (Why.FIRST, "Errors"),
    ]


def test_a_child_that_was_told_shortly_before_is_not_told_again_and_is_noted() -> None:
    day = Scenario(ROUTES.replace("5m", "10s\n  repeat_interval: 30s".replace("\n  ", ", ")))
    day.fires(1, "Slow", service="api", cluster="a").until(15)
    day.fires(20, "Down", service="db", cluster="a").until(100)
    slow = [at for at, _, firing in day.told_briefly() if firing == "Slow"]
    assert slow == [11]
    assert "Explains 1 alert of 1 service: Slow 1." in day.deliveries[1][1].notice


def test_the_end_of_a_child_that_was_told_is_told_while_its_parent_fires() -> None:
    day = Scenario(ROUTES).fires(1, "Slow", service="api", cluster="a").until(15)
    day.fires(20, "Down", service="db", cluster="a")
    day.resolves(100, "Slow", since=1, service="api", cluster="a").until(400)
    assert [(why, firing) for _, why, firing in day.told_briefly()] == [
        (Why.FIRST, "Slow"),
        (Why.FIRST, "Down"),
        (Why.ALL_RESOLVED, ""),
    ]


def test_a_parent_that_begins_anew_in_its_grace_goes_on_explaining() -> None:
    day = Scenario(ROUTES).fires(1, "Down", service="db", cluster="a")
    day.fires(2, "Slow", service="api", cluster="a")
    day.resolves(60, "Down", since=1, service="db", cluster="a")
    day.fires(90, "Down", service="db", cluster="a").until(600)
    assert "Slow" not in [firing for _, _, firing in day.told_briefly()]


def test_alerts_that_would_explain_one_another_are_both_told() -> None:
    text = (
        ROUTES[: ROUTES.index("dependencies")]
        + """
dependencies:
- {parent: [service=db], child: [severity=warning]}
- {parent: [severity=warning, kind=x], child: [kind=y]}
"""
    )
    day = Scenario(text).fires(1, "A", service="db", severity="none", kind="y")
    day.fires(2, "B", service="web", severity="warning", kind="x").until(100)
    assert {firing for _, _, firing in day.told_briefly()} == {"A", "B"}


def test_a_router_that_begins_again_in_the_grace_tells_the_same() -> None:
    def day(restart: bool) -> list[tuple[float, Why, str]]:
        found = Scenario(ROUTES).fires(1, "Down", service="db", cluster="a")
        found.fires(2, "Slow", service="api", cluster="a").until(50)
        found.resolves(60, "Down", since=1, service="db", cluster="a").until(90)
        if restart:
            found.restart()
        return found.until(1_000).told_briefly()

    assert day(restart=True) == day(restart=False)
    assert (120, Why.FIRST, "Slow") in day(restart=True)


def test_a_plan_without_the_dependency_lets_children_page() -> None:
    day = Scenario(ROUTES).fires(1, "Down", service="db", cluster="a")
    day.fires(2, "Slow", service="api", cluster="a").until(50)
    text = ROUTES[: ROUTES.index("dependencies")] + "suppression: tocsin\n"
    day.at(60, *plan(text, number=2)).until(70)
    assert (60, Why.FIRST, "Slow") in day.told_briefly()


def test_what_follows_from_two_dependencies_holds_too() -> None:
    day = Scenario(ROUTES).fires(1, "Down", service="db", cluster="a")
    day.fires(2, "Slow", service="web", cluster="a").until(100)
    assert day.told_briefly() == [(11, Why.FIRST, "Down")]


def test_labels_that_do_not_carry_over_explain_nothing_further() -> None:
    text = ROUTES.replace(
        "child: [service=web], equal: [cluster]", "child: [service=web], equal: [x]"
    )
    config, _ = read(text, "routes.yml")
    assert config is not None
    assert len(config.dependencies) == 2


def test_a_file_with_dependencies_suppresses_as_tocsin_does() -> None:
    config, _ = read(ROUTES, "routes.yml")
    assert config is not None
    assert config.suppression is Suppression.TOCSIN
    assert said("", "suppression: alertmanager") == [
        "9: suppression: dependencies need suppression: tocsin"
    ]


def said(last: str, more: str = "") -> list[str]:
    config, problems = read(f"{ROUTES}{last}\n{more}\n" if last else f"{ROUTES}{more}\n", "r.yml")
    assert config is None
    return [f"{one.line}: {one.key}: {one.message}" for one in problems]


def test_errors_name_the_line_and_what_is_wanted() -> None:
    assert said("- {parent: [service=web], child: [service=db]}") == [
        "9: dependencies: a cycle of dependencies: "
        '{service="db"} → {service="api"} → {service="web"} → {service="db"}'
    ]
    assert said("- {parent: [a=b], child: [a=b]}") == [
        "9: dependencies[2].child: parent and child are the same: an alert cannot explain itself"
    ]
    assert said("- {parent: [a=b]}") == ["9: dependencies[2].child: missing matchers of the child"]
    assert said("- {parent: [a=b], child: [c=d], grace: 1h}") == [
        "9: dependencies[2].grace: a grace of at most 30m is wanted"
    ]
    assert said("- {parent: [a=b], child: ['=']}")[0].startswith("9: dependencies[2].child: ")
    assert said("- {parent: [a=b], child: [c=d], equals: [x]}") == [
        "9: dependencies[2].equals: unknown key"
    ]
