"""The door to this host: parts that fail, mounts that hang."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest

from collectors.sources.host import Mount, Sizes
from collectors.sources.mounts import MountSizes
from collectors.sources.psutil_host import HostSource

SIZES = Sizes(1, 2, 3, 4, 5)


def mount(where: str) -> Mount:
    return Mount("/dev/x", where, "ext4", False)


def test_this_host_has_what_the_default_rules_ask_for() -> None:
    source = HostSource("web-1", timedelta(seconds=10))
    observation = source.observe(source.read(1_000))
    names = {dict(labels)["__name__"] for labels, _ in observation.samples}
    assert names >= {
        "node_cpu_seconds_total",
        "node_memory_MemTotal_bytes",
        "node_memory_MemAvailable_bytes",
        "node_filesystem_size_bytes",
        "node_filesystem_avail_bytes",
        "node_network_receive_bytes_total",
        "node_load1",
        "node_boot_time_seconds",
        "node_time_seconds",
        "node_uname_info",
        "node_scrape_collector_success",
    }
    assert observation.at == 1_000


def test_a_part_that_fails_stops_no_other_and_is_logged_once(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    (tmp_path / "proc" / "stat").mkdir(parents=True)  # reading a directory fails
    source = HostSource("web-1", timedelta(seconds=10), root=tmp_path)
    for _ in range(3):
        reading = source.read(1)
    assert reading.parts["stat"][0] is False
    assert reading.parts["cpu"][0] is True
    assert len([r for r in caplog.records if "failed" in r.getMessage()]) == 1


def test_a_kernel_without_proc_still_tells_memory(tmp_path: Path) -> None:
    source = HostSource("web-1", timedelta(seconds=10), root=tmp_path)
    observation = source.observe(source.read(1))
    figures = {dict(labels)["__name__"]: value for labels, value in observation.samples}
    assert figures["node_memory_MemTotal_bytes"] > 0
    assert "node_forks_total" not in figures


def test_a_mount_that_hangs_is_left_out_until_it_comes_back() -> None:
    gate = threading.Event()
    asked: list[str] = []

    def ask(mountpoint: str) -> Sizes:
        asked.append(mountpoint)
        if mountpoint == "/stuck":
            gate.wait(20)
        return SIZES

    sizes = MountSizes(ask, patience=0.05)
    mounts = [mount("/"), mount("/stuck"), mount("/home")]
    for _ in range(2):
        found = sizes.measure(mounts)
        assert [each.sizes for each in found] == [SIZES, None, SIZES]
    assert asked.count("/stuck") == 1
    (thread,) = sizes._stuck.values()
    gate.set()
    thread.join(10)
    assert [each.sizes for each in sizes.measure(mounts)] == [SIZES] * 3


def test_a_mount_that_fails_has_no_sizes() -> None:
    def ask(mountpoint: str) -> Sizes:
        if mountpoint == "/gone":
            raise OSError("stale file handle")
        return SIZES

    found = MountSizes(ask).measure([mount("/gone"), mount("/")])
    assert [each.sizes for each in found] == [None, SIZES]


def test_a_host_without_mounts_asks_none() -> None:
    assert MountSizes().measure([]) == ()
