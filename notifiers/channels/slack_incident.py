"""Slack, one message for each incident: written anew as it changes, the changes in its thread.

Whoever updates a message calls nobody; so what calls people goes from the thread to the channel,
too (`reply_broadcast`). See https://docs.slack.dev/reference/methods/chat.update
"""

import re
from collections.abc import Callable
from typing import Any

from slack_sdk.models.blocks import ActionsBlock, ButtonElement

from notifiers import links
from notifiers.channels.channel import DeliveryFailed, Sent
from notifiers.channels.cut import cut
from notifiers.wording import notice, reason
from schemas.alerts import AlertLevel, AlertState
from schemas.deliveries import Delivery, Why

Ask = Callable[[str, dict[str, Any]], dict[str, Any]]
"""Calls a method of Slack's with a body; its answer. Raises DeliveryFailed."""
POST, UPDATE = "chat.postMessage", "chat.update"
LONGEST_REPLY, MOST_LINES, LONGEST_LINE = 4_000, 20, 300
_REFERENCE = re.compile(r"([A-Z0-9]{1,40}):([0-9]{1,20}\.[0-9]{1,20})")
_GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})
"""Slack's words for a message that cannot be written anew; a new one can."""
_CALLS = frozenset({Why.FIRST, Why.GREW, Why.REPEAT, Why.ESCALATED, Why.UNACKNOWLEDGED, Why.DRILL})
_NOT_IN_UPDATES = frozenset({"username", "icon_emoji", "icon_url"})


def keep(body: dict[str, Any], delivery: Delivery, ask: Ask, *, thread: bool) -> Sent:
    """Write the incident's message, or write it anew; its reference is channel and timestamp.

    `body` is what `chat.postMessage` takes. Raises DeliveryFailed.
    """
    known = _REFERENCE.fullmatch(delivery.reference)
    if known is None:
        return _posted(body, ask)
    channel, ts = known.groups()
    anew = {key: value for key, value in body.items() if key not in _NOT_IN_UPDATES}
    try:
        ask(UPDATE, anew | {"channel": channel, "ts": ts})
    except DeliveryFailed as fault:
        if fault.detail not in _GONE:
            raise
        return _posted(body, ask, f"a new message, for the earlier one: {fault.detail}")
    if thread:
        ask(POST, reply(delivery) | {"channel": channel, "thread_ts": ts})
    return Sent(reference=delivery.reference)


def reply(delivery: Delivery) -> dict[str, Any]:
    """What changed, for the thread; cut to what Slack shows of one message."""
    alerts = delivery.alerts[:MOST_LINES]
    lines = [f"*{_escaped(notice(delivery) or reason(delivery.why))}*", *map(_line, alerts)]
    if more := len(delivery.alerts) + delivery.truncated - len(alerts):
        lines.append(f"and {more} more")
    body: dict[str, Any] = {"text": cut("\n".join(lines), LONGEST_REPLY)}
    return body | ({"reply_broadcast": True} if delivery.why in _CALLS else {})


def buttons(delivery: Delivery) -> dict[str, Any] | None:
    """An attachment with what people may do; None where there is nowhere to do it.

    Each button opens a page; its `value` is the incident, for an app that listens.
    """
    firing = any(alert.state is AlertState.FIRING for alert in delivery.alerts)
    is_open = firing and delivery.why is not Why.CLOSED
    found: list[tuple[str, str, str, str | None]] = []
    if is_open and not delivery.acknowledged_by:
        found.append(("Acknowledge", "acknowledge", links.incident(delivery), "primary"))
    if is_open:
        found.append(("Silence", "silence", links.silence(delivery), None))
    found.append(("Open", "open", links.incident(delivery), None))
    elements = [
        ButtonElement(
            text=text,
            action_id=f"tocsin_{name}",
            url=url,
            value=delivery.incident[:2_000],
            style=style,
        )
        for text, name, url, style in found
        if url
    ]
    if not elements:
        return None
    return {"fallback": "Tocsin", "blocks": [ActionsBlock(elements=elements).to_dict()]}


def _posted(body: dict[str, Any], ask: Ask, note: str = "") -> Sent:
    said = ask(POST, body)
    reference = f"{said.get('channel')}:{said.get('ts')}"
    return Sent(note, reference if _REFERENCE.fullmatch(reference) else "")


def _line(alert: AlertLevel) -> str:
    labels = ", ".join(f"{name}={value}" for name, value in sorted(alert.labels.items()))
    said = alert.annotations.get("summary", "")
    state = "resolved" if alert.state is AlertState.RESOLVED else "firing"
    text = f"{labels}: {said}" if said else labels
    return f"• {state}: {_escaped(cut(' '.join(text.split()), LONGEST_LINE))}"


def _escaped(text: str) -> str:
    """As text and nothing else: Slack's mentions and links are in angle brackets."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
