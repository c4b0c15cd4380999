"""PagerDuty's events, API v2: https://developer.pagerduty.com/docs/send-alert-event

What calls nobody, such as a reminder, is a change event:
https://developer.pagerduty.com/docs/send-change-event
"""

import json
from collections.abc import Callable
from hashlib import sha256

from notifiers.channels.channel import DeliveryFailed
from notifiers.channels.cut import cut
from notifiers.channels.pagerduty_config import PagerDutyConfig
from notifiers.channels.payload import rfc3339
from notifiers.channels.tree import Tree, filled
from notifiers.wording import notice
from schemas.alerts import AlertState
from schemas.deliveries import Delivery, Why

LONGEST = 1_024
"""Characters of the summary; other fields are held to it too, so that an event has an end."""
LARGEST = 512_000
"""Bytes of an event."""
LARGEST_DETAIL = 8_000
"""Bytes of a detail that stays when the event is too large."""
SEVERITIES = frozenset({"critical", "error", "warning", "info"})
LEFT_OUT = "left out: the event would be larger than PagerDuty takes"


def event(
    config: PagerDutyConfig, routing_key: str, delivery: Delivery, text: Callable[[str], str]
) -> dict[str, Tree]:
    """The event; `text` fills in a template.

    What PagerDuty would refuse is mended, for a page matters more than its looks: a severity it
    does not know becomes `error`, an empty summary the group's key.
    """
    severity = text(config.severity).strip().lower()
    found: dict[str, Tree] = {
        "routing_key": routing_key,
        "event_action": _action(delivery),
        "dedup_key": sha256(delivery.group_key.encode()).hexdigest(),
        "client": cut(text(config.client), LONGEST),
        "client_url": _address(text(config.client_url)),
        "payload": _filled_fields(
            {
                "summary": cut(text(config.description).strip() or delivery.group_key, LONGEST),
                "source": cut(text(config.source).strip() or "Tocsin", LONGEST),
                "severity": severity if severity in SEVERITIES else "error",
                "class": cut(text(config.class_), LONGEST),
                "component": cut(text(config.component), LONGEST),
                "group": cut(text(config.group), LONGEST),
                "custom_details": _details(config.details, text) | _notice(delivery),
            }
        ),
        "images": [
            {"src": src, "href": _address(text(image.href)), "alt": cut(text(image.text), LONGEST)}
            for image in config.images
            if (src := _address(text(image.src)))
        ],
        "links": [
            {"href": href, "text": cut(text(link.text), LONGEST)}
            for link in config.links
            if (href := _address(text(link.href)))
        ],
    }
    return _filled_fields(found)


def change(
    config: PagerDutyConfig, routing_key: str, delivery: Delivery, text: Callable[[str], str]
) -> dict[str, Tree]:
    """The change event, for what people may read and nobody is called for."""
    payload: dict[str, Tree] = {
        "summary": cut(text(config.description).strip() or delivery.group_key, LONGEST),
        "timestamp": rfc3339(delivery.decided_at),
        "source": cut(text(config.source).strip() or "Tocsin", LONGEST),
        "custom_details": {"notice": cut(notice(delivery), LARGEST_DETAIL)},
    }
    found: dict[str, Tree] = {"routing_key": routing_key, "payload": payload}
    if href := _address(text(config.client_url)):
        found["links"] = [{"href": href, "text": cut(text(config.client), LONGEST)}]
    return found


def is_change(delivery: Delivery) -> bool:
    """Whether nobody is to be called for it."""
    return delivery.why in (Why.REMINDER, Why.HEARTBEAT)


def _action(delivery: Delivery) -> str:
    if delivery.why is Why.ACKNOWLEDGED:
        return "acknowledge"
    firing = any(alert.state is AlertState.FIRING for alert in delivery.alerts)
    called = firing or delivery.why in (Why.DRILL, Why.DIGEST)
    return "trigger" if called and delivery.why is not Why.CLOSED else "resolve"


def encoded(found: dict[str, Tree]) -> bytes:
    """The event as JSON of at most `LARGEST` bytes; details that are large go first, then all."""
    whole = _json(found)
    if len(whole) <= LARGEST:
        return whole
    payload = found["payload"]
    assert isinstance(payload, dict)
    details = payload.get("custom_details")
    small = {
        key: one if len(_json(one)) <= LARGEST_DETAIL else LEFT_OUT
        for key, one in (details.items() if isinstance(details, dict) else ())
    }
    smaller = _json({**found, "payload": {**payload, "custom_details": small}})
    if len(smaller) <= LARGEST:
        return smaller
    bare = {key: one for key, one in found.items() if key not in ("images", "links")}
    return _json({**bare, "payload": {**payload, "custom_details": {"error": LEFT_OUT}}})


def _notice(delivery: Delivery) -> dict[str, Tree]:
    said = notice(delivery)
    return {"notice": cut(said, LARGEST_DETAIL)} if said else {}


def _details(details: dict[str, Tree], text: Callable[[str], str]) -> dict[str, Tree]:
    """The details filled in; one that cannot be says why, for the page must arrive."""
    found: dict[str, Tree] = {}
    for key, one in details.items():
        try:
            found[text(key)] = filled(one, text)
        except DeliveryFailed as fault:
            found[key] = f"left out: {fault.detail}"
    return found


def _filled_fields(fields: dict[str, Tree]) -> dict[str, Tree]:
    return {key: one for key, one in fields.items() if one not in ("", [], {})}


def _address(url: str) -> str:
    """A URL that is too long is left out: half of one leads nowhere."""
    return url if len(url) <= 2 * LONGEST else ""


def _json(tree: Tree) -> bytes:
    text = json.dumps(tree, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # JSON can say half a surrogate pair, UTF-8 cannot.
    return text.encode(errors="replace")
