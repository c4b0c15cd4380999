"""Go's literals: integers, and the escapes of strings."""

import re

_ESCAPE = re.compile(
    r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))", re.DOTALL
)
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}


def integer(written: str) -> int | None:
    """An integer by Go's rules: underscores, and octal with a leading zero."""
    sign, digits = (written[0], written[1:]) if written[:1] in {"+", "-"} else ("", written)
    if digits.startswith("0") and digits[1:].isdigit():
        digits = f"0o{digits[1:]}"
    try:
        return int(sign + digits, 0)
    except ValueError:
        return None


def unescaped(text: str) -> str | None:
    """Go's escapes undone; nothing where one of them is none. Bytes are read as UTF-8."""
    octets, end = bytearray(), 0
    for found in _ESCAPE.finditer(text):
        octets += text[end : found.start()].encode(errors="replace")
        end = found.end()
        octet, short, long, octal, plain = found.groups()
        if octet or octal:
            value = int(octet, 16) if octet else int(octal, 8)
            if value > 255:
                return None
            octets.append(value)
        elif short or long:
            code = int(short or long, 16)
            if code > 0x10FFFF or 0xD800 <= code < 0xE000:
                return None
            octets += chr(code).encode()
        elif plain in _ESCAPES or plain in "\"'":
            octets += _ESCAPES.get(plain, plain).encode()
        else:
            return None
    return (octets + text[end:].encode(errors="replace")).decode(errors="replace")
