"""Rows of the page of incidents."""

from ops.console.incident_rows import incident_rows
from tests.unit.notifiers.scenario import START, Scenario

ROUTES = """
route: {receiver: ops, group_by: [service], group_wait: 0s}
receivers: [{name: ops, webhook_configs: [{url: http://127.0.0.1:1/}]}]
"""


def test_an_incident_of_many_alerts_says_which() -> None:
    names = [f"A{n}" for n in range(7)]
    day = Scenario(ROUTES).fires(0, *names, service="shop").until(20)
    (row,) = incident_rows(day.router.incidents(), START, over=False)
    assert row["title"] == "service=shop"
    assert row["names"] == "A0, A1, A2, A3, A4 and 2 more"


def test_an_incident_of_a_group_without_labels_is_called_by_its_alerts() -> None:
    day = Scenario(ROUTES.replace("[service]", "[]")).fires(0, "A", host="h").until(20)
    (row,) = incident_rows(day.router.incidents(), START, over=False)
    assert (row["title"], row["names"]) == ("A", "")
    day.resolves(30, "A", host="h").until(400)
    (row,) = incident_rows(day.router.incidents(), START, over=True)
    assert (row["title"], row["names"]) == ("A (host=h)", "")
