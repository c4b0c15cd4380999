"""How many text messages a text takes, and a text cut to so many (3GPP TS 23.038 and 23.040)."""

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = frozenset("\f^{}\\[~]|€")
"""These take two places."""
_PLAINER = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        **dict.fromkeys("\u00a0\u2002\u2003\u2009\u202f\t", " "),
        "…": "...",
        "`": "'",
        "•": "*",
        "→": "->",
    }
)
"""One such character would make the whole text take more than twice the room."""
GSM_ALONE, GSM_PART = 160, 153
UCS2_ALONE, UCS2_PART = 70, 67


def short_message(text: str, most: int) -> str:
    """The text in at most `most` segments (≥ 1), marked where something is missing."""
    plainer = text.strip().translate(_PLAINER)
    found = plainer if is_gsm(plainer) else text.strip()
    if segments(found) <= most:
        return found
    mark = "..." if is_gsm(found) else "…"
    low, high = 0, min(len(found), most * GSM_PART)
    while low < high:
        middle = (low + high + 1) // 2
        # The mark is of the text's own alphabet, so a longer beginning never takes less.
        if segments(found[:middle] + mark) <= most:
            low = middle
        else:
            high = middle - 1
    return found[:low].rstrip() + mark


def is_gsm(text: str) -> bool:
    """Whether the GSM 7-bit alphabet has all of it."""
    return all(char in _BASIC or char in _EXTENSION for char in text)


def segments(text: str) -> int:
    """How many messages it takes. A character of two units never lies across two of them."""
    gsm = is_gsm(text)
    alone, part = (GSM_ALONE, GSM_PART) if gsm else (UCS2_ALONE, UCS2_PART)
    sizes = [_units(char, gsm=gsm) for char in text]
    if sum(sizes) <= alone:
        return 1
    count, used = 1, 0
    for size in sizes:
        used += size
        if used > part:
            count, used = count + 1, size
    return count


def _units(char: str, *, gsm: bool) -> int:
    if gsm:
        return 2 if char in _EXTENSION else 1
    return 2 if char > "\uffff" else 1
