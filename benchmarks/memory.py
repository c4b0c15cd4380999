"""Memory of a whole `tocsin up` with 10,000 series arriving every 10 s, and what it costs idle."""

import json
import time
import urllib.request
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.detector import HOSTS, PER_HOST, rules, series
from benchmarks.figures import Result, cpu_of, rss_of
from benchmarks.running import Running, children_of, tocsin_up
from schemas.envelope import Envelope, Producer
from schemas.metrics import metric_batch
from schemas.series import pack_series
from schemas.stage import Message
from schemas.topics import CODEC, METRICS

ROUTES = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"


def run(seconds: int = 60) -> Result:
    """The process and its history child, after `seconds` under load."""
    blocks = [pack_series(series(host)) for host in range(HOSTS)]
    result = Result(f"`tocsin up`, everything embedded, 10,000 series every 10 s for {seconds} s")
    with TemporaryDirectory(dir=".") as name, tocsin_up(Path(name), rules(), ROUTES) as up:
        began = time.monotonic()
        ready = _wait_ready(up, began)
        cpu = cpu_of(up.pid) + sum(cpu_of(child) for child in children_of(up.pid))
        tick = 0
        while time.monotonic() - began < seconds:
            tick += 1
            for host in range(HOSTS):
                at = time.time_ns() // 1_000_000
                values = [float((n * 7 + tick * 13 + host) % 1000) for n in range(PER_HOST)]
                batch = metric_batch(f"host-{host:04d}", blocks[host], values, [at])
                sealed = Envelope(f"{host}/{tick}", Producer(f"a{host}", 1, tick), at, batch)
                up.publish.publish([Message(METRICS, f"host-{host:04d}", CODEC.encode(sealed))])
                time.sleep(10 / HOSTS)
        spent = cpu_of(up.pid) + sum(cpu_of(child) for child in children_of(up.pid)) - cpu
        result.add("memory of the process, MiB", f"{rss_of(up.pid):.0f}")
        result.add(
            "memory of the history child, MiB",
            f"{sum(rss_of(child) for child in children_of(up.pid)):.0f}",
        )
        result.add("CPU of both, cores", f"{spent / (time.monotonic() - began):.3f}")
        result.add("start to served API", f"{up.served_after:.2f} s", "≤ 6 s")
        result.add("start to everything ready", f"{up.served_after + ready:.2f} s")
    return result


def _wait_ready(up: Running, began: float) -> float:
    while time.monotonic() - began < 60:
        try:
            with urllib.request.urlopen(up.url + "/readiness", timeout=5) as answer:
                json.load(answer)
                return time.monotonic() - began
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("not ready within a minute")
