"""Telegram's message cut to its limit, without breaking its markup."""

import re

LONGEST = 4_096
"""Telegram counts UTF-16 units after it has read the markup; here the markup counts too."""
MARK = "…"
_TOKEN = re.compile(r"<[^>]*>?|&[#0-9A-Za-z]*;?|.", re.DOTALL)
_OPENING = re.compile(r"<([A-Za-z][A-Za-z0-9-]*)")


def units(text: str) -> int:
    """The length in UTF-16 units."""
    return len(text) + sum(char > "\uffff" for char in text)


def cut_plain(text: str, most: int = LONGEST) -> str:
    """At most `most` units, never half a character."""
    if units(text) <= most:
        return text
    kept = text[: most - 1]
    while units(kept) > most - 1:
        kept = kept[:-1]
    return kept + MARK


def cut_html(text: str, most: int = LONGEST) -> str:
    """At most `most` units; no tag or entity is cut, and what is open at the end is closed."""
    if len(text) <= most and units(text) <= most:
        return text
    used, kept, closing = 0, 0, ""
    end, open_tags = 0, list[str]()
    for token in _TOKEN.finditer(text, 0, most + 1):
        used += units(token[0])
        _follow(token[0], open_tags)
        closers = "".join(f"</{name}>" for name in reversed(open_tags))
        if used + len(MARK) > most:
            break
        end = token.end()
        if used + len(MARK) + len(closers) <= most:
            kept, closing = end, closers
    return text[:kept] + MARK + closing


def _follow(token: str, open_tags: list[str]) -> None:
    """Keep the list of tags that are open after this token."""
    if token.startswith("</"):
        name = token[2:].rstrip(">").strip().lower()
        if name in open_tags:
            while open_tags.pop() != name:
                pass
    elif found := _OPENING.match(token):
        open_tags.append(found[1].lower())
