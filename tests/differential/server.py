"""A Prometheus server as an oracle: for what hides behind feature flags, and for range queries.

The samples are blocks that `promtool` makes of OpenMetrics text, so that nothing has to be waited
for. Every set of series lies at a time of its own, far from the others: one server has them all.
"""

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from processors.promql.labels import Labels
from tests.differential.promtool import Answer, promtool, written
from tests.differential.samples import STEP, Series, spelled

FEATURES = "promql-experimental-functions,promql-binop-fill-modifiers,promql-duration-expr"


def prometheus() -> str | None:
    """Where the server is, if it is here at all."""
    return os.environ.get("PROMETHEUS") or shutil.which("prometheus")


@dataclass(frozen=True)
class Server:
    """A running server's query API; times in milliseconds."""

    url: str

    def query(self, expr: str, at: int) -> Answer:
        """The value at an instant, or the text of the error."""
        found = self._ask("query", query=expr, time=f"{at / 1000}")
        if isinstance(found, str):
            return found
        kind, result = found["resultType"], found["result"]
        if kind == "scalar":
            return [((), float(result[1]))]
        return [(_labels(each["metric"]), float(each["value"][1])) for each in result]

    def query_range(self, expr: str, start: int, end: int, step: int) -> Answer:
        """The values at every step, the time as a label `@`, or the text of the error."""
        found = self._ask(
            "query_range", query=expr, start=start / 1000, end=end / 1000, step=step / 1000
        )
        if isinstance(found, str):
            return found
        return [
            ((*_labels(each["metric"]), ("@", str(round(at * 1000)))), float(value))
            for each in found["result"]
            for at, value in each["values"]
        ]

    def _ask(self, path: str, **parameters: object) -> dict[str, Any] | str:
        data = urlencode({name: str(value) for name, value in parameters.items()}).encode()
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/{path}", data, timeout=60) as answer:
                found: dict[str, Any] = json.load(answer)["data"]
                return found
        except urllib.error.HTTPError as fault:
            return str(json.load(fault)["error"])


def _labels(metric: Mapping[str, str]) -> Labels:
    return tuple(sorted(metric.items()))


def openmetrics(series: Series, base: int) -> Iterator[str]:
    """Lines of a set of series whose first samples are at `base` milliseconds."""
    for labels, items in series.items():
        for at, item in enumerate(items):
            if item is not None:
                stamp = (base + at * STEP) / 1000
                yield f"{written(labels)} {spelled(item)} {stamp}\n"


@contextmanager
def serving(sets: Sequence[tuple[int, Series]], folder: Path) -> Iterator[Server]:
    """A server that has some sets of series, each at its base time."""
    text = folder / "samples.txt"
    with text.open("w") as file:
        for base, series in sets:
            file.writelines(openmetrics(series, base))
        file.write("# EOF\n")
    data = folder / "data"
    tool = promtool()
    assert tool is not None, "the server's blocks need promtool"
    blocks = [tool, "tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=1000h"]
    blocks += [str(text), str(data)]
    subprocess.run(blocks, check=True, capture_output=True, timeout=120)
    config = folder / "prometheus.yml"
    # The interval is what a subquery without a step takes.
    config.write_text(f"global: {{evaluation_interval: {STEP}ms}}\n")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    with (folder / "log").open("w") as log:
        command = [prometheus() or "prometheus", f"--config.file={config}"]
        command += [f"--storage.tsdb.path={data}", "--storage.tsdb.retention.time=100y"]
        command += [f"--web.listen-address={address}", f"--enable-feature={FEATURES}"]
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            url = f"http://{address}"
            _wait(url, process, folder / "log")
            yield Server(url)
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        try:
            urllib.request.urlopen(f"{url}/-/ready", timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"Prometheus did not come up:\n{log.read_text()[-3000:]}")
