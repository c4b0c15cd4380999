"""Series with values, as a Prometheus scrapes them and as our agents send them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from schemas.labels import Labels, labels_of
from schemas.metrics import MetricBatch, metric_batch
from schemas.series import pack_series

T0 = 1_700_000_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """One instance: its series without `instance` and `job`, and variants of their values."""

    key: str
    series: tuple[tuple[str, dict[str, str]], ...]
    variants: Sequence[NDArray[np.float64]]
    job: str = "node"

    @property
    def labels(self) -> list[Labels]:
        """The series as they are stored."""
        own = {"instance": f"host-{self.key}", "job": self.job}
        return [labels_of({"__name__": name, **own, **pairs}) for name, pairs in self.series]

    def write(self, directory: Path) -> None:
        """The text of each variant, for the exposition."""
        names = [_text(name, pairs) for name, pairs in self.series]
        for number, values in enumerate(self.variants):
            lines = (f"{n} {v!r}\n" for n, v in zip(names, values.tolist(), strict=True))
            (directory / f"{self.key}.{number}").write_text("".join(lines))

    def block(self) -> bytes:
        """The series, packed once."""
        return pack_series(self.labels)

    def batch(self, block: bytes, turn: int, at: int) -> MetricBatch:
        """All of its values at a time (ms)."""
        values = self.variants[turn % len(self.variants)]
        return metric_batch(f"host-{self.key}", block, values.tolist(), [at])


def _text(name: str, pairs: dict[str, str]) -> str:
    def quoted(value: str) -> str:
        return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

    inside = ",".join(f'{key}="{quoted(value)}"' for key, value in pairs.items())
    return f"{name}{{{inside}}}" if inside else name


def usage(targets: int, each: int, groups: int = 1_000, variants: int = 6) -> list[Target]:
    """`res_usage` in `groups` groups: what the rules of the first rows select one group of."""
    draw = np.random.default_rng(1)
    base = draw.uniform(10, 80, each)
    moved = [np.round(base + draw.uniform(-5, 5, each), 2) for _ in range(variants)]
    series = tuple(
        (
            "res_usage",
            {
                "g": str(n % groups),
                "idx": str(n // groups),
                "mode": "user",
                "device": f"sda{n % 7}",
            },
        )
        for n in range(each)
    )
    return [Target(str(number), series, moved) for number in range(targets)]
