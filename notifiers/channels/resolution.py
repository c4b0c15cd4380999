"""The addresses of a name that a socket may be opened to, found within some seconds."""

import socket
from collections.abc import Callable, Iterable
from threading import Thread

from notifiers.channels.address import Network, is_allowed
from notifiers.channels.channel import DeliveryFailed, Failure

Resolve = Callable[[str, int], list[str]]


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, by the system's resolver."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def allowed_addresses(
    host: str, port: int, seconds: float, allow: Iterable[Network], resolve: Resolve
) -> list[str]:
    """At least one address; the socket is to be opened to it, and the name not asked again.

    Resolves in a thread, for a resolver that does not answer knows no time-out. Raises
    DeliveryFailed.
    """
    answer: list[list[str]] = []

    def ask() -> None:
        try:
            answer.append(resolve(host, port))
        except (OSError, UnicodeError):
            answer.append([])

    thread = Thread(target=ask, daemon=True, name="resolver")
    thread.start()
    thread.join(seconds)
    if not answer:
        detail = f"the name was not resolved within {seconds:g} s"
        raise DeliveryFailed(Failure.TIMED_OUT, retry=True, detail=detail)
    if not answer[0]:
        detail = "the name was not resolved"
        raise DeliveryFailed(Failure.UNREACHABLE, retry=True, detail=detail)
    networks = tuple(allow)
    found = [address for address in answer[0] if is_allowed(address, networks)]
    if not found:
        detail = "the address is not global and not in the allow list"
        raise DeliveryFailed(Failure.ADDRESS_REFUSED, retry=False, detail=detail)
    return found
