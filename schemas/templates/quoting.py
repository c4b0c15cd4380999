"""Go's string literals, as `%q` and Prometheus's messages write them."""

_ESCAPES = {
    "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v",
    "\\": "\\\\", '"': '\\"',
}  # fmt: skip


def quoted(text: str, only_ascii: bool = False) -> str:
    """The text in double quotes; what cannot be printed is escaped."""
    if (
        text.isprintable()
        and (text.isascii() or not only_ascii)
        and '"' not in text
        and "\\" not in text
    ):
        return f'"{text}"'
    return '"' + "".join(_escaped(rune, only_ascii) for rune in text) + '"'


def _escaped(rune: str, only_ascii: bool) -> str:
    known = _ESCAPES.get(rune)
    if known is not None:
        return known
    if rune.isprintable() and (rune.isascii() or not only_ascii):
        return rune
    code = ord(rune)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
