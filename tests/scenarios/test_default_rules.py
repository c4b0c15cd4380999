"""The rules that `make up` runs, told on virtual time: when each of them fires, and when not."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from processors.detector import Detector
from processors.rules_plan import RulesPlan
from schemas.alerts import AlertBatch, AlertState
from schemas.labels import Labels, labels_of
from schemas.metrics import metric_batch
from schemas.plan_pieces import cut
from schemas.stage import Received
from tests.support.build import T0, envelope

RULES = Path(__file__).parents[2] / "examples" / "rules" / "default.yml"
STEP = 10
Told = dict[str, list[tuple[int, str]]]
Hosts = Callable[[int], Mapping[str, float] | None]


def series(text: str) -> Labels:
    """`name a=b c=d` as labels, of the host `a` unless it says another instance."""
    name, *pairs = text.split()
    labels = dict(pair.split("=", 1) for pair in pairs)
    return labels_of({"instance": "a", "job": "node", **labels, "__name__": name})


def told(host: Hosts, minutes: int) -> Told:
    """What each alert was announced as, with the second, while the host says this."""
    detector = Detector()
    content = RulesPlan(files=(("default.yml", RULES.read_text()),)).pack()
    plan = [envelope(piece, T0) for piece in cut("detector", 1, content)]
    found: Told = {}
    offset = 0
    for second in range(0, minutes * 60, 5):
        now = T0 + second * 1_000 + 1
        arrived = plan if second == 0 else []
        values = host(second) if second % STEP == 0 else None
        if values is not None:
            batch = metric_batch("a", list(map(series, values)), list(values.values()), [now])
            arrived = [*arrived, envelope(batch, now)]
        received = [Received(offset + n, each) for n, each in enumerate(arrived)]
        offset += len(arrived)
        for output in detector.step(received, now).outputs:
            if isinstance(output.event, AlertBatch):
                for level in output.event.alerts:
                    if level.changed:
                        at = (output.event.decided_at - T0) // 1_000
                        found.setdefault(level.labels["alertname"], []).append((at, level.state))
    return found


def healthy(second: int) -> dict[str, float]:
    return {
        "up": 1,
        "node_cpu_seconds_total cpu=0 mode=idle": second * 0.9,
        "node_cpu_seconds_total cpu=0 mode=user": second * 0.1,
        "node_memory_MemAvailable_bytes": 50,
        "node_memory_MemTotal_bytes": 100,
        "node_filesystem_avail_bytes mountpoint=/ device=d": 50,
        "node_filesystem_size_bytes mountpoint=/ device=d": 100,
        "node_filesystem_readonly mountpoint=/ device=d": 0,
        "node_load1": 0.5,
        "node_boot_time_seconds": T0 / 1_000 - 86_400,
        "probe_success check=web job=web": 1,
        "probe_duration_seconds check=web job=web": 0.1,
        "http_requests_total job=api code=200": second * 10,
        "http_requests_total job=api code=500": second * 0.1,
        "http_request_duration_seconds_sum job=api": second * 1.0,
        "http_request_duration_seconds_count job=api": second * 10,
    }


def but(**changes: Callable[[int], float]) -> Hosts:
    """A healthy host, except for the series whose metric is named."""

    def host(second: int) -> dict[str, float]:
        values = healthy(second)
        for key in values:
            change = changes.get(key.replace(" ", "_").replace("=", "_"))
            if change is not None:
                values[key] = change(second)
        return values

    return host


def fired(found: Told, alert: str) -> int:
    """The second at which an alert fired first."""
    return next(at for at, state in found[alert] if state == AlertState.FIRING)


def test_a_healthy_host_is_quiet() -> None:
    assert told(healthy, 15) == {}


@pytest.mark.parametrize(
    ("alert", "within", "host"),
    [
        (
            "HostCpuHigh",
            (300, 390),
            but(
                node_cpu_seconds_total_cpu_0_mode_idle=lambda s: s * 0.1,
                node_cpu_seconds_total_cpu_0_mode_user=lambda s: s * 0.9,
            ),
        ),
        ("HostMemoryHigh", (180, 200), but(node_memory_MemAvailable_bytes=lambda s: 14)),
        (
            "HostDiskFull",
            (60, 90),
            but(**{"node_filesystem_avail_bytes_mountpoint_/_device_d": lambda s: 9}),
        ),
        ("HostOverloaded", (600, 630), but(node_load1=lambda s: 3)),
        ("HostRestarted", (0, 30), but(node_boot_time_seconds=lambda s: T0 / 1_000 - 60)),
        ("InstanceDown", (60, 90), but(up=lambda s: 0)),
        ("CheckFailing", (60, 90), but(probe_success_check_web_job_web=lambda s: 0)),
        ("CheckSlow", (60, 90), but(probe_duration_seconds_check_web_job_web=lambda s: 2.5)),
        (
            "ErrorRateHigh",
            (120, 180),
            but(http_requests_total_job_api_code_500=lambda s: s * 0.7),
        ),
        (
            "ResponseTimeHigh",
            (120, 180),
            but(http_request_duration_seconds_sum_job_api=lambda s: s * 25.0),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_alert_fires_in_its_time_and_alone(
    alert: str, within: tuple[int, int], host: Hosts
) -> None:
    found = told(host, 14)
    assert set(found) == {alert}
    assert within[0] <= fired(found, alert) <= within[1]


def test_a_silent_agent_fires_after_a_minute_and_goes_on_for_an_hour() -> None:
    found = told(lambda second: healthy(second) if second < 300 else None, 75)
    assert 350 <= fired(found, "AgentSilent") <= 375
    assert [state for _, state in found["AgentSilent"]] == ["firing", "resolved"]
    assert 3_600 <= found["AgentSilent"][-1][0] - 290 <= 3_630


def test_an_agent_that_comes_back_resolves_its_silence() -> None:
    found = told(lambda second: healthy(second) if not 300 <= second < 500 else None, 12)
    assert [state for _, state in found["AgentSilent"]] == ["firing", "resolved"]
    assert 500 <= found["AgentSilent"][-1][0] <= 520


def test_a_spike_of_a_minute_pages_nobody() -> None:
    host = but(node_cpu_seconds_total_cpu_0_mode_idle=lambda s: s * 0.9 - min(max(s - 300, 0), 60))
    found = told(host, 14)
    assert [state for _, state in found.get("HostCpuHigh", [])] in ([], ["pending", "resolved"])
