"""Values as people write them: addresses, web addresses, label names."""

import ipaddress
import re
from dataclasses import dataclass
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, PlainSerializer
from pydantic_core import PydanticCustomError

_PORTS = range(65_536)


def wrong(message: str, hint: str) -> PydanticCustomError:
    """A validation error with what to do about it."""
    return PydanticCustomError("tocsin", "{what}", {"what": message, "hint": hint})


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens; port 0 picks a free one."""

    host: str
    port: int

    @classmethod
    def parse(cls, value: object) -> Self:
        """From `HOST:PORT` or `[V6]:PORT`."""
        if isinstance(value, cls):
            return value
        hint = 'write HOST:PORT, for example "127.0.0.1:8080"'
        host, colon, port = str(value).strip().rpartition(":")
        if not colon or not host or not (port.isascii() and port.isdigit()):
            raise wrong("is not an address", hint)
        if int(port[:6]) not in _PORTS:
            raise wrong("has a port above 65535", hint)
        bracketed = host.startswith("[") and host.endswith("]")
        host = host[1:-1] if bracketed else host
        if (":" in host) != bracketed or re.search(r"[\s/@\[\]]", host):
            raise wrong("is not an address", 'write IPv6 as "[::1]:8080"')
        return cls(host, int(port))

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host.lower() == "localhost"

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


Listen = Annotated[Address, BeforeValidator(Address.parse), PlainSerializer(str, return_type=str)]


def parse_url(value: object) -> str:
    """An http(s) address without a password in it, without a slash at its end."""
    hint = 'write for example "https://tocsin.example.org"'
    text = str(value).strip()
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError as fault:
        raise wrong("is not a web address", hint) from fault
    if parts.scheme not in {"http", "https"} or not host or re.search(r"\s", text):
        raise wrong("is not a web address", hint)
    if parts.username is not None or parts.query or parts.fragment:
        raise wrong("must have no user, query or fragment", hint)
    return text.rstrip("/")


Url = Annotated[str, BeforeValidator(parse_url)]


def parse_prefix(value: object) -> str:
    """A path with a slash before it and none after it; the root is nothing."""
    text = "/" + str(value).strip().strip("/")
    if not re.fullmatch(r"/|(?:/[A-Za-z0-9._~-]+)+", text, re.ASCII):
        raise wrong("is not a path", 'write for example "/alerts"')
    return "" if text == "/" else text


RoutePrefix = Annotated[str, BeforeValidator(parse_prefix)]


def parse_label_name(value: object) -> str:
    """A label name that a rule can write."""
    if not re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", str(value), re.ASCII):
        raise wrong("is not a label name", "use letters, digits and _, no digit first")
    return str(value)


LabelName = Annotated[str, BeforeValidator(parse_label_name)]
