"""The page of queries in a real browser, and how people come to it and to an alert's page."""

from typing import Any

import pytest

from ops.services import QueryResult
from processors.templates.functions import link as source_link
from schemas.errors import Refused
from tests.support.console_stand import MARKS, PHONE, Stand, picture
from tests.support.fake_services import NOW, FakeServices
from tests.support.fleet import HOSTILE
from tests.support.routed_services import RoutedServices
from tests.unit.notifiers.scenario import Scenario

pytestmark = MARKS
ROUTES = """
route: {receiver: r, group_by: [service], group_wait: 10s}
receivers: [{name: r, webhook_configs: [{url: 'http://x/'}]}]
"""


def test_the_source_of_an_alert_is_a_page_with_its_values(
    stand: Stand, services: FakeServices
) -> None:
    asked_for: list[str] = []

    def answer(expr: str, at: int | None) -> QueryResult:
        asked_for.append(expr)
        return QueryResult("vector", at or NOW, [({"__name__": "heat", "room": HOSTILE}, 21.5)])

    vars(services)["answer"] = answer
    link = source_link("heat > 20", 1)
    with stand.page(path=link.lstrip("/"), wait=".tc-chart canvas", color_scheme="light") as page:
        page.get_by_text("21.5").wait_for()
        page.get_by_text(HOSTILE).first.wait_for()
        assert "heat > 20" in asked_for
        assert page.get_by_label("PromQL").input_value() == "heat > 20"
        page.get_by_label("PromQL").fill("heat > 21")
        page.get_by_role("button", name="Ask").click()
        page.wait_for_timeout(500)
        assert asked_for[-1] == "heat > 21"
        assert page.evaluate("window.pwned") is None
        picture(page, "graph-desktop-light")
    with stand.page(PHONE, path=link.lstrip("/"), wait=".tc-chart canvas") as page:
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0


def test_what_is_wrong_with_an_expression_is_said(stand: Stand, services: FakeServices) -> None:
    def answer(expr: str, at: int | None) -> QueryResult:
        raise Refused("unexpected end of input")

    vars(services)["answer"] = answer
    with stand.page(path="graph?g0.expr=heat+%3E", wait=".tc-fault") as page:
        page.get_by_text("unexpected end of input").wait_for()
        assert page.locator(".tc-chart").is_hidden()


@pytest.fixture
def routed(services: FakeServices) -> RoutedServices:
    """A router that waits with one group, and has told the other."""
    routed = RoutedServices(day=Scenario(ROUTES))
    routed.day.fires(0, "DiskFull", service="shop", instance="db-1").until(60)
    routed.day.fires(61, "Fresh", service="new", instance="db-2").until(62)
    names = ("silences", "windows", "alerts", "incidents", "groups", "now", "routing", "explained")
    vars(services).update({name: getattr(routed, name) for name in names})
    vars(services)["publish"] = routed.publish
    return routed


def came_to(stand: Stand, name: str) -> Any:
    return stand.page(wait=f".tc-link:has-text('{name}')")


def test_an_alert_leads_to_its_incident(stand: Stand, routed: RoutedServices) -> None:
    with came_to(stand, "DiskFull") as page:
        page.get_by_role("link", name="DiskFull").click()
        page.get_by_text("nobody has it").wait_for()
        page.get_by_text("Timeline", exact=True).wait_for()


def test_an_alert_that_paged_nobody_says_why(stand: Stand, routed: RoutedServices) -> None:
    with came_to(stand, "Fresh") as page:
        page.get_by_role("link", name="Fresh").click()
        page.get_by_text("in no incident now").wait_for()
        page.get_by_text("Nobody was paged").first.wait_for()
        assert page.get_by_text("Timeline", exact=True).is_hidden()
        picture(page, "alert-without-incident")
