"""Go's `Regexp.Expand` and `ReplaceAllString`, over RE2's programs on bytes."""

import re
from collections.abc import Mapping
from typing import Any, Protocol


class Program(Protocol):
    """A compiled expression; `Any`, because RE2's package has no types."""

    @property
    def groupindex(self) -> Mapping[bytes, int]:
        """Numbers of named groups."""
        ...

    def search(self, text: bytes, start: int = 0) -> Any:
        """The next match, or None."""
        ...


_REFERENCE = re.compile(r"\$(?:(\$)|\{(\w+)\}|(\w+))?")


def expansion(replacement: str, names: Mapping[bytes, int]) -> "list[bytes | int]":
    """Go's `Regexp.Expand`: literal bytes and the numbers of groups."""
    parts: list[bytes | int] = []
    last = 0
    for found in _REFERENCE.finditer(replacement):
        parts.append(replacement[last : found.start()].encode(errors="replace"))
        name = found[2] or found[3]
        parts.append(b"$" if name is None else _numbered(name, names))
        last = found.end()
    parts.append(replacement[last:].encode(errors="replace"))
    return parts


def _numbered(name: str, names: Mapping[bytes, int]) -> int | bytes:
    if name.isascii() and name.isdigit() and (name == "0" or name[0] != "0"):
        return int(name) if len(name) < 9 else b""
    return names.get(name.encode(), b"")


def replaced(program: Program, replacement: str, text: str) -> str:
    """Go's `ReplaceAllString`: no empty match directly after another match."""
    parts = list(expansion(replacement, program.groupindex))
    octets, found, place, end = text.encode(errors="replace"), list[bytes](), 0, 0
    while place <= len(octets):
        match = program.search(octets, place)
        if match is None:
            break
        start, stop = match.span()
        found.append(octets[end:start])
        if stop > end or start == 0:
            groups = (match.group(0), *match.groups(default=b""))
            found.extend(
                part if isinstance(part, bytes) else groups[part] if part < len(groups) else b""
                for part in parts
            )
        end = stop
        place = max(stop, place + _width(octets, place))
    return b"".join([*found, octets[end:]]).decode(errors="replace")


def _width(octets: bytes, place: int) -> int:
    """How many bytes the character here has."""
    size = 1
    while place + size < len(octets) and octets[place + size] & 0xC0 == 0x80:
        size += 1
    return size
