"""The labels of a group's route as texts, outside any delivery: what the API shows."""

from functools import lru_cache

from notifiers.grouping import common
from notifiers.templating.templates import Templates
from notifiers.view import GroupView
from schemas.alerts import AlertLevel
from schemas.deliveries import Delivery, Why, told


@lru_cache(maxsize=1)
def _templates() -> Templates:
    return Templates()


def group_labels(group: GroupView) -> dict[str, str]:
    """What a delivery to the group would have as the labels of its route.

    Named templates of the configuration's own files are the courier's; a label that calls one has
    no text here.
    """
    if not group.route_labels:
        return {}
    levels = tuple(
        AlertLevel(
            labels=alert.labels,
            annotations=alert.annotations,
            state=alert.state,
            active_at=alert.active_at,
            starts_at=alert.starts_at,
            ends_at=alert.ends_at,
            generator_url=alert.generator_url,
        )
        for alert in group.alerts
    )
    delivery = Delivery(
        id="shown",
        group_key=group.key,
        receiver=group.receiver,
        integration=0,
        channel="api",
        why=Why.NOTHING,
        decided_at=max((alert.updated_at for alert in group.alerts), default=0),
        expires_at=0,
        group_labels=group.labels,
        common_labels=common(alert.labels for alert in group.alerts),
        common_annotations=common(alert.annotations for alert in group.alerts),
        told=told(levels),
        route_labels=group.route_labels,
    )
    return _templates().routed(delivery).route_labels
