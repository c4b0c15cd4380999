"""What a heartbeat shall be: how often a job is to be heard of, and how late it may be."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from notifiers.heartbeats import cron

Pairs = tuple[tuple[str, str], ...]
_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1))


@dataclass(frozen=True, slots=True)
class Definition:
    """One heartbeat; durations in ms.

    Either `period` or `cron` (in the zone `timezone`) says when a ping is expected. `paths` are
    the secrets that lead to it: what stands behind `/ping/`, in a plan sealed. A run that was
    started must end within `max_runtime`.
    """

    name: str
    paths: tuple[str, ...]
    period: int
    cron: str
    timezone: str
    grace: int
    max_runtime: int
    labels: Pairs = ()
    annotations: Pairs = ()

    def expected(self, after: int) -> int:
        """When the next ping is expected, of one that came at this instant (ms)."""
        if self.cron:
            return cron.following(self.cron, self.timezone, after)
        return after + self.period

    @property
    def schedule(self) -> str:
        """For people: `every 24h`, or the cron expression and its zone."""
        if self.cron:
            return f'by cron "{self.cron}" ({self.timezone})'
        return f"every {in_words(self.period)}"

    def packed(self) -> list[Any]:
        """For the checkpoint."""
        return [
            *(self.paths, self.period, self.cron, self.timezone, self.grace, self.max_runtime),
            *(self.labels, self.annotations),
        ]


def unpacked_definition(name: str, packed: list[Any]) -> Definition:
    """What `packed` wrote."""
    paths, period, cron_, timezone, grace, max_runtime, labels, annotations = packed
    return Definition(
        *(name, tuple(paths), period, cron_, timezone, grace, max_runtime),
        tuple((key, value) for key, value in labels),
        tuple((key, value) for key, value in annotations),
    )


def in_words(duration: int) -> str:
    """A duration (ms) as configurations write it, hours up to two days: `26h`, `1h30m`, `3d`."""
    units = _UNITS if duration >= 172_800_000 else _UNITS[1:]
    parts: list[str] = []
    for name, size in units:
        count, duration = divmod(duration, size)
        if count:
            parts.append(f"{count}{name}")
    return "".join(parts[:2]) or "0s"


def instant(at: int) -> str:
    """An instant (ms) for people."""
    return datetime.fromtimestamp(at // 1_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
