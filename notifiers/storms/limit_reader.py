"""`rate_limit:` of a receiver, of a user, or of the file for all receivers.

rate_limit: {messages: 10, per: 1m, except: ['severity="critical"']}    # or: off
"""

import yaml

from notifiers.matchers import Matcher, Mode, in_order, parse_matchers
from notifiers.storms.settings import RateLimit
from notifiers.yaml_reader import Section

KEY = "rate_limit"
MOST_MESSAGES = 1_000
SHORTEST, LONGEST = 1_000, 86_400_000
_HINT = "such as {messages: 10, per: 1m}, or off"


def read_rate_limit(parent: Section, mode: Mode, default: RateLimit | None) -> RateLimit | None:
    """The limit under `rate_limit`; the default where it is left out, None where it is `off`."""
    node = parent.value(KEY)
    if node is None:
        return default
    if isinstance(node, yaml.ScalarNode):
        if node.value != "off":
            parent.problem(KEY, "a mapping is wanted here", _HINT)
        return None
    found = parent.section(KEY)
    if found is None:
        return None
    messages, per = found.number("messages"), found.duration("per")
    for key in ("messages", "per"):
        if key not in found.items:
            found.problem(key, f"missing {key}", _HINT, at=found.node)
    if messages is not None and not 1 <= messages <= MOST_MESSAGES:
        found.problem("messages", f"from 1 to {MOST_MESSAGES} messages are wanted", _HINT)
    if per is not None and not SHORTEST <= per <= LONGEST:
        found.problem("per", "a time from 1s to 1d is wanted")
    exempt: list[Matcher] = []
    for text, node in found.texts("except"):
        try:
            exempt += parse_matchers(text, mode)
        except ValueError as fault:
            found.problem("except", str(fault), at=node)
    found.close()
    return RateLimit(messages or 1, per or SHORTEST, in_order(exempt))
