"""Alertmanager's lists of alerts and of groups."""

from collections.abc import Mapping
from typing import Any

from starlette.datastructures import QueryParams

from notifiers.view import GroupView
from ops.api.alertmanager_query import config_of, query_of
from ops.api.alertmanager_shapes import alert_json, group_json
from ops.services import Services

RESOLVE_TIMEOUT = 300_000


def alerts(services: Services, given: QueryParams) -> list[dict[str, Any]]:
    """Every alert that fires and is asked for, by fingerprint; raises `Denied`."""
    routing = services.routing()
    query, config, now = query_of(given, routing), config_of(routing), services.now()
    timeout = RESOLVE_TIMEOUT if config is None else config.resolve_timeout
    found = []
    for alert in services.alerts():
        if not query.takes(alert, now):
            continue
        reached = [] if config is None else config.route.match(alert.labels)
        receivers = [route.receiver for route in reached]
        if query.takes_any(receivers):
            found.append(alert_json(alert, receivers, timeout))
    return sorted(found, key=lambda body: str(body["fingerprint"]))


def groups(services: Services, given: QueryParams) -> list[dict[str, Any]]:
    """Every group with an alert that is asked for, by labels and receiver; raises `Denied`."""
    routing = services.routing()
    query, config, now = query_of(given, routing), config_of(routing), services.now()
    timeout = RESOLVE_TIMEOUT if config is None else config.resolve_timeout
    found = []
    everything = services.groups()
    receivers: dict[str, set[str]] = {}
    for group in everything:
        for alert in group.alerts:
            receivers.setdefault(alert.fingerprint, set()).add(group.receiver)
    for group in sorted(everything, key=_place):
        if not query.takes_any([group.receiver]):
            continue
        if not query.muted and group.muted_by:
            continue
        bodies = [
            alert_json(alert, sorted(receivers[alert.fingerprint]), timeout, group.muted_by)
            for alert in sorted(group.alerts, key=lambda alert: _order(alert.labels))
            if query.takes(alert, now)
        ]
        if bodies:
            found.append(group_json(group, bodies))
    return found


def _place(group: GroupView) -> tuple[object, ...]:
    return sorted(group.labels.items()), group.receiver


def _order(labels: Mapping[str, str]) -> tuple[object, ...]:
    """By job and instance before all other labels; those without stand last."""
    first = [(name not in labels, labels.get(name, "")) for name in ("job", "instance")]
    return first, sorted(labels.items())
