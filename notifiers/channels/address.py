"""Which addresses a channel may connect to: global ones, unless a network is allowed by name.

`ipaddress.is_private` is no such check: it lets pass 100.64.0.0/10, and addresses that carry
another one inside (mapped, NAT64, 6to4). What is inside counts.
"""

from collections.abc import Iterable
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

LOOPBACK: tuple[Network, ...] = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
"""What `tocsin up` allows besides global addresses: receivers on the same machine."""

_NAT64 = IPv6Network("64:ff9b::/96")
_REFUSED: tuple[Network, ...] = (
    IPv4Network("192.0.0.0/24"),
    IPv4Network("192.88.99.0/24"),
    IPv6Network("::/96"),
    IPv6Network("64:ff9b:1::/48"),
    IPv6Network("100::/64"),
    IPv6Network("2001::/23"),
    IPv6Network("fec0::/10"),
)
"""Python calls parts of these global: protocol assignments, relays, Teredo, old site-locals."""


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """The networks of an allow list.

    Raises ValueError.
    """
    return tuple(ip_network(text) for text in texts)


def is_allowed(text: str, allow: Iterable[Network]) -> bool:
    """Whether a socket may be opened to this address."""
    try:
        address = _unwrapped(ip_address(text.partition("%")[0]))
    except ValueError:
        return False
    if any(address in network for network in allow if network.version == address.version):
        return True
    if address.is_multicast or address.is_unspecified or not address.is_global:
        return False
    return not any(address in network for network in _REFUSED if network.version == address.version)


def _unwrapped(address: Address) -> Address:
    """The IPv4 address inside, where there is one."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.sixtofour or address
