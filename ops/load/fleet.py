"""Hosts that do not exist, with the series a node_exporter has of one that does: pure."""

import math
import random
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from schemas.labels import Labels, labels_of
from schemas.metrics import MetricBatch, metric_batch
from schemas.series import pack_series

JOB = "node"
CPUS = 4
"""CPUs that a host has at least, if it has series for them."""
DAY = 86_400.0
_MODES = ("idle", "user", "system", "iowait", "irq", "softirq", "steal", "nice")
_SHARES = (0.80, 0.12, 0.05, 0.02, 0.002, 0.005, 0.001, 0.002)
_MEMORY = 16e9
_DISK = 100e9


@dataclass(frozen=True, slots=True)
class Curve:
    """A series over x, the seconds since the start: `base + slope·x + swing·wave(x)`.

    While its host breaches, `slope` grows by `steeper` and the value by `step`.
    """

    base: float = 0.0
    slope: float = 0.0
    swing: float = 0.0
    steeper: float = 0.0
    step: float = 0.0


Named = tuple[str, dict[str, str], Curve]
"""A metric's name, its own labels, and its curve."""


@dataclass(frozen=True, slots=True)
class Breach:
    """The first `hosts` hosts are in trouble from `at` on, for `lasts` (s); None is for good."""

    hosts: int
    at: float
    lasts: float | None = None


class Host:
    """One host's series, cut into blocks of one batch each; blocks are packed once.

    Curves are kept as columns: a fleet may have ten million of them.
    """

    def __init__(self, number: int, series: int, batch: int, seed: int, epoch: float) -> None:
        self.name = f"load-{number:05d}"
        self.series = series
        self._made = (f"{seed}/{number}", epoch)
        self._batch = batch
        found = list(self._series())
        self._phase = random.Random(self._made[0]).uniform(0, 2 * math.pi)
        curves = [curve for _, _, curve in found]
        self._calm = [array("d", column) for column in zip(*map(_calm, curves), strict=True)]
        self._troubled = {
            at: curve for at, curve in enumerate(curves) if curve.steeper or curve.step
        }
        labels = self.labels
        self._blocks = [
            (at, pack_series(labels[at : at + batch])) for at in range(0, series, batch)
        ]

    @property
    def labels(self) -> Sequence[Labels]:
        """Of each series, in the order of the values."""
        return [
            labels_of({"__name__": name, "instance": self.name, "job": JOB, **labels})
            for name, labels, _ in self._series()
        ]

    def batches(self, x: float, at: int, breaches: Sequence[Breach] = ()) -> list[MetricBatch]:
        """What it measures `x` seconds after the start, which is `at` (ms since 1970)."""
        values = self.values(x, breaches)
        return [
            metric_batch(self.name, block, values[start : start + self._batch], [at])
            for start, block in self._blocks
        ]

    def values(self, x: float, breaches: Sequence[Breach] = ()) -> list[float]:
        """The value of each series then."""
        wave = math.sin(self._phase + x / 60)
        values = [b + s * x + w * wave for b, s, w in zip(*self._calm, strict=True)]
        if breaches:
            now = any(_lasts(breach, x) for breach in breaches)
            # Counters keep what they gained while it lasted.
            over = sum(min(max(0.0, x - b.at), b.lasts or math.inf) for b in breaches)
            for index, curve in self._troubled.items():
                values[index] += curve.steeper * over + (curve.step if now else 0.0)
        return values

    def _series(self) -> Iterator[Named]:
        seed, epoch = self._made
        return islice(_all_series(random.Random(seed), epoch), self.series)


class Fleet:
    """`hosts` hosts of `series` series each; equal arguments make an equal fleet.

    `epoch` is the start in seconds since 1970.
    """

    def __init__(
        self,
        hosts: int,
        series: int,
        batch: int = 500,
        seed: int = 0,
        breaches: Sequence[Breach] = (),
        epoch: float = 1.7e9,
    ) -> None:
        self.hosts = [Host(number, series, batch, seed, epoch) for number in range(1, hosts + 1)]
        self.breaches = tuple(breaches)
        self._met = [
            [breach for breach in breaches if number < breach.hosts] for number in range(hosts)
        ]

    def batches(self, number: int, x: float, at: int) -> list[MetricBatch]:
        """What host `number` (from 0) measures `x` seconds after the start, which is `at` (ms)."""
        return self.hosts[number].batches(x, at, self._met[number])


def _lasts(breach: Breach, x: float) -> bool:
    return x >= breach.at and (breach.lasts is None or x < breach.at + breach.lasts)


def _calm(curve: Curve) -> tuple[float, float, float]:
    return curve.base, curve.slope, curve.swing


def _all_series(chance: random.Random, epoch: float) -> Iterator[Named]:
    """A host's endless series: what rules ask for comes first."""
    yield "up", {}, Curve(1.0)
    yield "tocsin_load_breach", {}, Curve(step=1.0)
    yield "node_load1", {}, Curve(chance.uniform(0.2, 1.0), swing=0.1, step=CPUS * 8.0)
    available = chance.uniform(0.4, 0.7) * _MEMORY
    yield "node_memory_MemTotal_bytes", {}, Curve(_MEMORY)
    yield (
        "node_memory_MemAvailable_bytes",
        {},
        Curve(available, swing=_MEMORY / 50, step=-0.95 * available + _MEMORY / 50),
    )
    yield "node_boot_time_seconds", {}, Curve(epoch - chance.uniform(1, 100) * DAY)
    yield from _filesystem(chance, "/")
    for number in range(CPUS):
        yield from _cpu(chance, number)
    yield "node_load5", {}, Curve(chance.uniform(0.2, 0.8), swing=0.05)
    yield "node_load15", {}, Curve(chance.uniform(0.2, 0.6), swing=0.02)
    number = 0
    while True:
        yield from _network(chance, number)
        yield from _disk(chance, number)
        yield from _cpu(chance, CPUS + number)
        yield from _filesystem(chance, f"/srv/{number}")
        number += 1


def _cpu(chance: random.Random, number: int) -> Iterator[Named]:
    seconds = chance.uniform(1, 100) * DAY
    for mode, share in zip(_MODES, _SHARES, strict=True):
        # In trouble it does nothing but work: what was idle is spent by its users.
        more = {"idle": -_SHARES[0], "user": _SHARES[0]}.get(mode, 0.0)
        labels = {"cpu": str(number), "mode": mode}
        yield "node_cpu_seconds_total", labels, Curve(seconds * share, share, steeper=more)


def _filesystem(chance: random.Random, mount: str) -> Iterator[Named]:
    labels = {"device": f"/dev/vd{len(mount)}", "fstype": "ext4", "mountpoint": mount}
    free = chance.uniform(0.3, 0.8) * _DISK
    fills = -0.97 * free if mount == "/" else 0.0
    yield "node_filesystem_size_bytes", labels, Curve(_DISK)
    yield "node_filesystem_avail_bytes", labels, Curve(free, -1_000.0, step=fills)
    yield "node_filesystem_readonly", labels, Curve()


def _network(chance: random.Random, number: int) -> Iterator[Named]:
    labels = {"device": f"eth{number}"}
    for way in ("receive", "transmit"):
        rate = chance.uniform(1e4, 1e6)
        yield f"node_network_{way}_bytes_total", labels, Curve(1e9, rate)
        yield f"node_network_{way}_packets_total", labels, Curve(1e6, rate / 900)
        yield f"node_network_{way}_errs_total", labels, Curve()


def _disk(chance: random.Random, number: int) -> Iterator[Named]:
    labels = {"device": f"vd{number}"}
    for way, word in (("read", "reads"), ("written", "writes")):
        rate = chance.uniform(1e4, 1e6)
        yield f"node_disk_{way}_bytes_total", labels, Curve(1e9, rate)
        yield f"node_disk_{word}_completed_total", labels, Curve(1e6, rate / 4096)
    yield "node_disk_io_time_seconds_total", labels, Curve(1e5, chance.uniform(0.01, 0.3))
