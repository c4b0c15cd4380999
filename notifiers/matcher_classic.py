"""Alertmanager's classic grammar: names are words, and quotes around a value may be left out."""

import re

from notifiers.matcher import SPACES, Matcher, Operator

_HEAD = re.compile(r"[\t\n\f\r ]*([a-zA-Z_:][a-zA-Z0-9_:]*)[\t\n\f\r ]*(=~|=|!=|!~)")
_ESCAPES = {"n": "\n", '"': '"', "\\": "\\"}


def parse_list(text: str) -> list[Matcher]:
    """The matchers in `{a="b", c=~d}`; braces and the last comma may be missing.

    Raises ValueError with a sentence for people.
    """
    return [parse_one(part) for part in _split(text.removeprefix("{").removesuffix("}"))]


def parse_one(text: str) -> Matcher:
    """The one matcher in `a=b`. Raises ValueError with a sentence for people."""
    found = _HEAD.match(text)
    if found is None:
        raise ValueError(f"bad matcher format: {text.strip(SPACES)[:100]}")
    name, operator = found.groups()
    return Matcher(name, Operator(operator), _unquoted(text[found.end() :].strip("\t\n\f\r ")))


def _split(text: str) -> list[str]:
    """The parts between commas outside of quotes; a last part of nothing but space is none."""
    parts, start, inside, escaped = [], 0, False, False
    for place, char in enumerate(text):
        match char:
            case ",":
                # Alertmanager lets an escape stand over a comma.
                if not inside:
                    parts.append(text[start:place])
                    start = place + 1
            case '"':
                inside, escaped = inside != (not escaped), False
            case "\\":
                escaped = not escaped
            case _:
                escaped = False
    last = text[start:].strip(SPACES)
    return [*parts, last] if last else parts


def _unquoted(raw: str) -> str:
    opened = raw.startswith('"')
    body = raw[1:] if opened else raw
    value, at = list[str](), 0
    while at < len(body):
        char = body[at]
        if char == "\\" and at + 1 < len(body):
            following = body[at + 1]
            value.append(_ESCAPES.get(following, char + following))
            at += 2
            continue
        if char == '"':
            if not opened or at + 1 < len(body):
                raise ValueError(f"matcher value contains unescaped double quote: {raw[:100]}")
            return "".join(value)
        value.append(char)
        at += 1
    if opened:
        raise ValueError(f"matcher value lacks its closing double quote: {raw[:100]}")
    return "".join(value)
