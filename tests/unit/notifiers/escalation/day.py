"""A day on call: people with a receiver each, two schedules, and what happens when."""

from notifiers.incidents.incident import Incident
from schemas.incidents import IncidentAction, IncidentCommand
from tests.unit.notifiers.scenario import Scenario, seconds

FILE = """
route:
  receiver: chat
  group_by: [service]
  group_wait: 0s
  group_interval: 10m
  repeat_interval: 24h
  escalation_policy: {critical: urgent, default: calm}
receivers:
  - {name: chat, webhook_configs: [{url: http://chat}]}
  - {name: ada, webhook_configs: [{url: http://ada}]}
  - {name: ada-sms, webhook_configs: [{url: http://ada-sms}]}
  - {name: bob, webhook_configs: [{url: http://bob}]}
  - {name: eve, webhook_configs: [{url: http://eve}]}
time_intervals:
  - name: never
    time_intervals: [{years: ["2001"]}]
users:
  - {name: ada, contacts: [ada, {receiver: ada-sms, severities: [critical]}]}
  - {name: bob, contacts: [bob]}
  - {name: eve, contacts: [{receiver: eve, during: [never]}]}
schedules:
  - name: primary
    layers: [{users: [ada], rotation: daily, start: 2001-01-01T00:00}]
  - name: empty
    layers: [{users: [ada], rotation: daily, start: 2001-01-01T00:00, during: [never]}]
escalation_policies:
  - name: calm
    repeat: 1
    steps:
      - {notify: [{schedule: primary}], wait: 5m}
      - {notify: [{user: bob}, {receiver: chat}], wait: 10m}
  - name: urgent
    acknowledge_timeout: 1h
    steps:
      - {notify: [{schedule: primary}, {user: ada}, {user: bob}], wait: 1m}
"""
"""From the router's first second on: ada is on call, eve cannot be reached."""


def day(content: str = FILE) -> Scenario:
    """The day, before anything has happened."""
    return Scenario(content)


def incident_of(scenario: Scenario) -> Incident:
    """The newest incident."""
    known = scenario.router._state.incidents.known.values()
    return max(known, key=lambda one: (one.opened_at, one.id))


def does(scenario: Scenario, at: float, action: str, until: float | None = None) -> Scenario:
    """Somebody does something about the newest incident."""
    scenario.until(at)
    command = IncidentCommand(
        incident=incident_of(scenario).id,
        action=IncidentAction(action),
        by="kim",
        until=None if until is None else seconds(until),
    )
    return scenario.at(at, command)


def called(scenario: Scenario) -> list[tuple[float, str, str]]:
    """When, who, and why, of every delivery."""
    return [(one.at, one.receiver, str(one.why)) for one in scenario.told()]


def escalated(scenario: Scenario) -> list[tuple[float, str]]:
    """When and who, of what escalation sent."""
    return [(at, who) for at, who, why in called(scenario) if why == "escalated"]


def timeline(scenario: Scenario, *without: str) -> list[str]:
    """The newest incident's timeline in words, but for deliveries."""
    incident = incident_of(scenario)
    lines = scenario.router._state.incidents.timelines.of(incident.id)
    return [
        f"{one.what} {one.detail}".strip()
        for one in lines
        if not one.what.startswith(("delivered", *without))
    ]
