"""Deliveries that were sent again; in ms."""

from dataclasses import dataclass

import ormsgpack

from notifiers.alarms import Alarms

PREFIX = "resend"
REMEMBERED = 30 * 86_400_000
"""As long as dead letters are: the number of the last attempt must not be forgotten before."""


@dataclass(slots=True)
class Resend:
    """The last time that a delivery was sent again; `fate` is empty until a receipt came.

    `letter` is the dead letter it is of, `problem` why it was not sent.
    """

    delivery: str
    letter: str
    by: str
    at: int
    expires_at: int
    attempt: int
    fate: str = ""
    reason: str = ""
    detail: str = ""
    problem: str = ""

    def packed(self) -> bytes:
        """The entry of the checkpoint."""
        return ormsgpack.packb(
            [
                *(self.letter, self.by, self.at, self.expires_at, self.attempt),
                *(self.fate, self.reason, self.detail, self.problem),
            ]
        )


class ResendBook:
    """By the id of the delivery."""

    prefix = PREFIX

    def __init__(self) -> None:
        self.known: dict[str, Resend] = {}
        self.touched: set[str] = set()
        self.alarms = Alarms()

    def put(self, resend: Resend) -> None:
        """Know it, or that it changed."""
        self.known[resend.delivery] = resend
        self.touched.add(resend.delivery)
        self.alarms.set(resend.delivery, resend.at + REMEMBERED)

    def forget(self, name: str) -> None:
        """Drop it."""
        self.known.pop(name, None)
        self.touched.add(name)
        self.alarms.set(name, None)

    def load(self, name: str, entry: bytes) -> None:
        """Take one entry of the checkpoint."""
        self.put(unpacked_resend(name, entry))
        self.touched.discard(name)

    def entry(self, name: str) -> bytes | None:
        """The entry of the checkpoint."""
        resend = self.known.get(name)
        return None if resend is None else resend.packed()


def unpacked_resend(name: str, entry: bytes) -> Resend:
    """The entry of the checkpoint, unpacked."""
    return Resend(name, *ormsgpack.unpackb(entry))
