"""What a benchmark answers, and how CPU is counted."""

import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Spent:
    """CPU seconds (user and system) and wall seconds of this process."""

    cpu: float = 0.0
    wall: float = 0.0


@contextmanager
def spending() -> Iterator[Spent]:
    """Counts what the block costs."""
    spent = Spent()
    cpu, wall = time.process_time(), time.perf_counter()
    yield spent
    spent.cpu, spent.wall = time.process_time() - cpu, time.perf_counter() - wall


def cpu_of(pid: int) -> float:
    """CPU seconds that another process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_of(pid: int) -> float:
    """Resident MiB of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


@dataclass
class Result:
    """One benchmark's figures: name, value with unit, and the aim if the issue gives one."""

    title: str
    rows: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, name: str, value: str, aim: str = "") -> None:
        """One line of the table."""
        self.rows.append((name, value, aim))

    def text(self) -> str:
        """As Markdown."""
        lines = [f"### {self.title}", "", "| what | measured | aim |", "|---|---|---|"]
        lines += [f"| {name} | {value} | {aim} |" for name, value, aim in self.rows]
        return "\n".join(lines) + "\n"


def rate(count: float, seconds: float) -> str:
    """So many a second, for people."""
    return f"{count / seconds:,.0f}"


def quantile(values: list[float], share: float) -> float:
    """The nearest-rank quantile."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))]
