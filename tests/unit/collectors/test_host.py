"""A host's reading in node_exporter's names and labels."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.sources.host import HostReading, is_disk, is_watched, observe_host
from collectors.sources.kernel import file_handles, kernel_figures, memory
from collectors.sources.naming import Naming, clean
from schemas.labels import labels_of
from tests.unit.collectors.readings import HOST, MEMINFO, STAT


def value(metric: str, **labels: str) -> float:
    samples = dict(observe_host(HOST, Naming("web-1", "node")).samples)
    return samples[labels_of({"__name__": metric, "instance": "web-1", "job": "node", **labels})]


def test_cpus_by_number_and_mode() -> None:
    assert value("node_cpu_seconds_total", cpu="1", mode="idle") == 9.0


def test_memory_is_in_bytes() -> None:
    assert value("node_memory_MemAvailable_bytes") == 8_192_000 * 1_024


def test_filesystems_by_device_type_and_mount_point() -> None:
    root = {"device": "/dev/sda1", "fstype": "ext4", "mountpoint": "/"}
    assert value("node_filesystem_size_bytes", **root) == 1_000
    assert value("node_filesystem_avail_bytes", **root) == 300
    assert value("node_filesystem_files_free", **root) == 32
    assert value("node_filesystem_readonly", **root) == 0.0
    assert value("node_filesystem_device_error", **root) == 0.0


def test_a_filesystem_that_does_not_answer_is_an_error_and_has_no_sizes() -> None:
    nas = {"device": "nas:/x", "fstype": "nfs4", "mountpoint": "/mnt/nas"}
    assert value("node_filesystem_device_error", **nas) == 1.0
    assert value("node_filesystem_readonly", **nas) == 1.0
    with pytest.raises(KeyError):
        value("node_filesystem_size_bytes", **nas)


def test_disks_and_networks_by_device() -> None:
    assert value("node_disk_io_time_seconds_total", device="sda") == 0.5
    assert value("node_network_transmit_bytes_total", device="eth0") == 2.0
    assert value("node_network_up", device="eth0") == 1.0


def test_what_the_host_is_and_how_it_does() -> None:
    assert value("node_load15") == 0.3
    assert value("node_boot_time_seconds") == 1_700_000_000.0
    assert value("node_time_seconds") == 1_700_000_000.5
    uname = {"sysname": "Linux", "nodename": "web-1", "domainname": "(none)"}
    assert value("node_uname_info", **uname) == 1.0
    assert value("node_forks_total") == 4321
    assert value("node_filefd_allocated") == 1216


def test_each_part_says_whether_it_succeeded() -> None:
    assert value("node_scrape_collector_success", collector="cpu") == 1.0
    assert value("node_scrape_collector_success", collector="netdev") == 0.0
    assert value("node_scrape_collector_duration_seconds", collector="netdev") == 0.002


def test_a_reading_without_any_part_has_no_samples() -> None:
    assert observe_host(HostReading(at=5), Naming("web-1", "node")).samples == ()


def test_meminfo_in_node_exporter_s_names() -> None:
    figures = memory(MEMINFO)
    assert figures["node_memory_Active_anon_bytes"] == 512_000 * 1_024
    assert figures["node_memory_HugePages_Total"] == 3
    assert len(figures) == 7


def test_the_kernel_s_counters() -> None:
    assert kernel_figures(STAT) == {
        "node_intr_total": 12345.0,
        "node_context_switches_total": 67890.0,
        "node_forks_total": 4321.0,
        "node_procs_running": 2.0,
        "node_procs_blocked": 1.0,
    }


@given(st.text())
def test_whatever_the_kernel_says_is_read_without_fault(text: str) -> None:
    for read in (memory, kernel_figures, file_handles):
        assert all(isinstance(each, float) for each in read(text).values())


@pytest.mark.parametrize(
    ("mountpoint", "fstype", "watched"),
    [
        ("/", "ext4", True),
        ("/", "overlay", True),
        ("/home", "xfs", True),
        ("/tmp", "tmpfs", True),
        ("/mnt/nas", "nfs4", True),
        ("/developers", "ext4", True),
        ("/proc", "proc", False),
        ("/sys/fs/cgroup", "cgroup2", False),
        ("/dev/shm", "tmpfs", False),
        ("/var/lib/docker/overlay2/x/merged", "overlay", False),
        ("/snap/core/1", "squashfs", False),
        ("/run/credentials/systemd", "ramfs", False),
    ],
)
def test_pseudo_filesystems_are_left_out(mountpoint: str, fstype: str, watched: bool) -> None:
    assert is_watched(mountpoint, fstype) is watched


@pytest.mark.parametrize(
    "device", ["sda", "nvme0n1", "dm-0", "md0", "vda", "sda1", "nvme0n1p2", "loop0", "zram0"]
)
def test_disks_are_whole_disks(device: str) -> None:
    assert is_disk(device) is (device not in ("sda1", "nvme0n1p2", "loop0", "zram0"))


def test_a_name_that_is_not_unicode_becomes_one() -> None:
    assert clean("/mnt/\udcff\udcfe") == "/mnt/\ufffd\ufffd"
    assert clean("/mnt/ü") == "/mnt/ü"


def test_names_are_remembered_and_the_memory_is_bounded() -> None:
    named = Naming("web-1", "node")
    assert named("m", ("a", "b")) is named("m", ("a", "b"))
    for n in range(50_001):
        named("m", ("n", str(n)))
    assert len(named._known) <= 50_000
