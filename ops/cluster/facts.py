"""What was found out about a cluster at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from schemas.plans import Health


@dataclass(frozen=True, slots=True)
class BrokerFact:
    """A broker that the cluster counts as its own."""

    id: int
    address: str
    controller: bool


@dataclass(frozen=True, slots=True)
class Heard:
    """The newest of what a worker said of one of its stages, and when the log took it (ms)."""

    at: int
    said: Health


@dataclass(frozen=True, slots=True)
class Lag:
    """How far a group is behind; `committed` is None where it has not committed yet."""

    group: str
    topic: str
    partition: int
    end: int
    committed: int | None

    @property
    def records(self) -> int | None:
        """Records still to be read; Kafka's marks between them count too."""
        return None if self.committed is None else max(0, self.end - self.committed)


@dataclass(frozen=True, slots=True)
class Letters:
    """Dead letters: how many there are, and the newest of them by (topic, reason)."""

    total: int = 0
    newest: Mapping[tuple[str, str], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """All of it. `at` in ms of the log's clock; `plans` are the numbers published, by stage."""

    at: int
    brokers: tuple[BrokerFact, ...] = ()
    heard: tuple[Heard, ...] = ()
    lags: tuple[Lag, ...] = ()
    letters: Letters = Letters()
    plans: Mapping[str, int] = field(default_factory=dict)
    topics: tuple[str, ...] = ()
    """What is wrong with how topics are set up."""
