"""A load that knows the truth: it publishes from a process that never fails and remembers all.

Every sample has a series and a time of its own. Besides, alerts live and die: each life is one
series that is hot for a while and then cold for good. What was not acknowledged is sent again,
with the same numbers and a new `sent_at`, as the agent does.
"""

import random
import threading
import time
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from collectors.batches import Sealer
from collectors.http_publish import HttpPublish
from schemas.envelope import Envelope
from schemas.errors import LogAway
from schemas.labels import Labels, labels_of
from schemas.metrics import metric_batch
from schemas.series import pack_series
from schemas.stage import Message, Publish
from schemas.topics import CODEC, METRICS

HEAT = "oracle_heat"
RULES = """
groups:
  - name: oracle
    rules:
      - alert: Hot
        expr: oracle_heat > 90
        labels: {severity: high}
        annotations: {summary: "{{ $labels.life }} is at {{ $value }}"}
"""
ROUTES = """
route: {{receiver: oracle, group_by: [life], group_wait: 0s, group_interval: 1s}}
receivers:
  - name: oracle
    webhook_configs: [{{url: "{url}", send_resolved: true}}]
"""


@dataclass(slots=True)
class Sent:
    """One batch: all its samples are of one time. `sends` counts attempts, `acked` the answer."""

    host: str
    envelope: Envelope
    block: tuple[Labels, ...]
    values: "array[float]"
    at: int
    sends: int = 0
    acked: bool = False


@dataclass(slots=True)
class Life:
    """One alert's life, from the first hot sample to the first cold one."""

    number: int
    host: str
    hold: float
    born: float | None = None
    """Monotonic: when the first hot sample was acknowledged."""
    cold: bool = False
    over: bool = False

    @property
    def name(self) -> str:
        """The value of its label `life`."""
        return f"life-{self.number}"


@dataclass(slots=True)
class _Host:
    name: str
    sealer: Sealer
    steady: tuple[Labels, ...]
    last: int = 0
    blocks: dict[tuple[Labels, ...], bytes] = field(default_factory=dict)


class Closing(Publish, Protocol):
    """A log's entrance that is this oracle's own."""

    def close(self) -> None: ...


def over_http(url: str, token_file: Path) -> Closing:
    """The agents' door of a server."""
    return HttpPublish(url, token_file.read_text)


class Oracle:
    """Publishes from `start` to `finish`; `seed` chooses how long alerts live."""

    def __init__(
        self,
        publish: Closing,
        *,
        seed: int = 1,
        hosts: int = 2,
        series: int = 40,
        every: float = 0.03,
        life_every: float = 0.4,
        hold: tuple[float, float] = (0.7, 1.5),
    ) -> None:
        self.sent: list[Sent] = []
        self.lives: list[Life] = []
        self.fault: BaseException | None = None
        self._random = random.Random(seed)
        self._publish = publish
        self._every, self._life_every, self._hold = every, life_every, hold
        epoch = time.time_ns() // 1_000_000
        self._hosts = [
            _Host(name, Sealer(f"oracle-{name}", epoch), _steady(name, series))
            for name in (f"host-{number}" for number in range(hosts))
        ]
        self._next_life = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="oracle")

    def start(self) -> None:
        """Begin the load."""
        self._thread.start()

    def finish(self, within: float = 60.0) -> None:
        """Bear no more lives, let those that are end, and return once all is acknowledged."""
        self._stop.set()
        self._thread.join(within)
        assert not self._thread.is_alive(), "the last batches were never acknowledged"
        self._publish.close()
        if self.fault is not None:
            raise self.fault

    def abandon(self) -> None:
        """End at once, whatever is acknowledged; for a test that failed already."""
        self._stop.set()
        self.fault = self.fault or AssertionError("abandoned")
        self._thread.join(30)
        self._publish.close()

    @property
    def acknowledged(self) -> int:
        """How many batches were."""
        return sum(each.acked for each in self.sent)

    @property
    def samples(self) -> int:
        """How many samples were acknowledged."""
        return sum(len(each.values) for each in self.sent if each.acked)

    @property
    def born(self) -> int:
        """How many lives began, acknowledged."""
        return sum(life.born is not None for life in self.lives)

    def _run(self) -> None:
        try:
            while self.fault is None and not (self._stop.is_set() and self._all_over()):
                self._round()
                time.sleep(self._every)
        except BaseException as fault:
            self.fault = fault

    def _all_over(self) -> bool:
        return all(life.over for life in self.lives)

    def _round(self) -> None:
        now = time.monotonic()
        if not self._stop.is_set() and now >= self._next_life:
            self._next_life = now + self._life_every
            number = len(self.lives)
            host = self._hosts[number % len(self._hosts)].name
            self.lives.append(Life(number, host, self._random.uniform(*self._hold)))
        for life in self.lives:
            if life.born is not None and not life.cold:
                life.cold = now - life.born >= life.hold
        batches = [self._batch(host) for host in self._hosts]
        self.sent += batches
        while self.fault is None and not self._offer(batches):
            time.sleep(0.05)
        now = time.monotonic()
        for life in self.lives:
            life.born = now if life.born is None else life.born
            life.over = life.over or life.cold

    def _batch(self, host: _Host) -> Sent:
        alive = [life for life in self.lives if life.host == host.name and not life.over]
        block = (*host.steady, *(_heat(life) for life in alive))
        packed = host.blocks.get(block)
        if packed is None:
            host.blocks.clear()
            packed = host.blocks[block] = pack_series(block)
        host.last = at = max(time.time_ns() // 1_000_000, host.last + 1)
        values = array("d", (at % 1_000_000 + place / 128 for place in range(len(host.steady))))
        values.extend(0.0 if life.cold else 100.0 for life in alive)
        event = metric_batch(host.name, packed, values, [at])
        return Sent(host.name, host.sealer.seal(event), block, values, at)

    def _offer(self, batches: Sequence[Sent]) -> bool:
        now = time.time_ns() // 1_000_000
        messages = []
        for each in batches:
            each.sends += 1
            stamped = each.envelope._replace(sent_at=now)
            messages.append(Message(METRICS, each.host, CODEC.encode(stamped)))
        try:
            self._publish.publish(messages, 10.0)
        except LogAway:
            return False
        for each in batches:
            each.acked = True
        return True


def _steady(host: str, count: int) -> tuple[Labels, ...]:
    return tuple(
        labels_of({"__name__": "oracle_steady", "instance": host, "n": str(number)})
        for number in range(count)
    )


def _heat(life: Life) -> Labels:
    return labels_of({"__name__": HEAT, "instance": life.host, "life": life.name})
