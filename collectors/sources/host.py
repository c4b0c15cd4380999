"""A host's reading in node_exporter's names and labels: pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from collectors.sources.kernel import Figures, file_handles, kernel_figures, memory
from collectors.sources.naming import Naming
from collectors.sources.source import Observation, Sample

JOB = "node"

# node_exporter's defaults (collector/filesystem_linux.go, diskstats_linux.go), but for `/`: in a
# container it is an overlay, and still what fills up.
PSEUDO_FILESYSTEMS = re.compile(
    r"autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|fusectl|hugetlbfs|iso9660"
    r"|mqueue|nsfs|overlay|proc|procfs|pstore|rpc_pipefs|securityfs|selinuxfs|squashfs|erofs"
    r"|sysfs|tracefs"
)
SYSTEM_MOUNTS = re.compile(
    r"/(dev|proc|run/credentials/.+|sys|var/lib/docker/.+|var/lib/containers/storage/.+)(/.*)?"
)
PARTITIONS = re.compile(r"(z?ram|loop|fd|(h|s|v|xv)d[a-z]|nvme\d+n\d+p)\d+")
CPU_MODES = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")


@dataclass(frozen=True, slots=True)
class Mount:
    """A mounted filesystem; `sizes` is None when it did not answer."""

    device: str
    mountpoint: str
    fstype: str
    readonly: bool
    sizes: "Sizes | None" = None


@dataclass(frozen=True, slots=True)
class Sizes:
    """What statvfs says, in bytes and files."""

    size: int
    free: int
    avail: int
    files: int
    files_free: int


@dataclass(frozen=True, slots=True)
class HostReading:
    """What the doors read, raw; a part that failed is absent, and `parts` says so.

    `disks` and `networks` hold node_exporter's metric suffixes by device.
    """

    at: int
    cpus: tuple[Mapping[str, float], ...] = ()
    mounts: tuple[Mount, ...] = ()
    disks: Figures = field(default_factory=dict)
    networks: Figures = field(default_factory=dict)
    load: tuple[float, float, float] | None = None
    uname: Mapping[str, str] = field(default_factory=dict)
    boot_time: float | None = None
    meminfo: str = ""
    stat: str = ""
    file_nr: str = ""
    clock: float | None = None
    parts: Mapping[str, tuple[bool, float]] = field(default_factory=dict)
    """Part to whether it succeeded and the seconds it took."""


def is_watched(mountpoint: str, fstype: str) -> bool:
    """Whether a mount holds files that people keep."""
    if mountpoint == "/":
        return True
    return not PSEUDO_FILESYSTEMS.fullmatch(fstype) and not SYSTEM_MOUNTS.fullmatch(mountpoint)


def is_disk(device: str) -> bool:
    """Whether a block device is a whole disk and not a partition, loop or memory disk."""
    return not PARTITIONS.fullmatch(device)


def observe_host(reading: HostReading, named: Naming) -> Observation:
    """The samples of a reading."""
    return Observation(reading.at, tuple(_samples(reading, named)))


def _samples(reading: HostReading, named: Naming) -> Iterator[Sample]:
    for number, modes in enumerate(reading.cpus):
        for mode, seconds in modes.items():
            yield named("node_cpu_seconds_total", ("cpu", str(number)), ("mode", mode)), seconds
    yield from _mounts(reading, named)
    for family, devices in (("disk", reading.disks), ("network", reading.networks)):
        for device, figures in devices.items():
            for suffix, value in figures.items():
                yield named(f"node_{family}_{suffix}", ("device", device)), value
    for minutes, value in zip((1, 5, 15), reading.load or (), strict=False):
        yield named(f"node_load{minutes}"), value
    if reading.uname:
        yield named("node_uname_info", *reading.uname.items()), 1.0
    if reading.boot_time is not None:
        yield named("node_boot_time_seconds"), reading.boot_time
    if reading.clock is not None:
        yield named("node_time_seconds"), reading.clock
    for figures in (
        memory(reading.meminfo),
        kernel_figures(reading.stat),
        file_handles(reading.file_nr),
    ):
        for metric, value in figures.items():
            yield named(metric), value
    for part, (succeeded, duration) in reading.parts.items():
        yield named("node_scrape_collector_success", ("collector", part)), float(succeeded)
        yield named("node_scrape_collector_duration_seconds", ("collector", part)), duration


def _mounts(reading: HostReading, named: Naming) -> Iterator[Sample]:
    for mount in reading.mounts:
        labels = (
            ("device", mount.device),
            ("fstype", mount.fstype),
            ("mountpoint", mount.mountpoint),
        )
        sizes = mount.sizes
        yield named("node_filesystem_device_error", *labels), float(sizes is None)
        yield named("node_filesystem_readonly", *labels), float(mount.readonly)
        if sizes is not None:
            yield named("node_filesystem_size_bytes", *labels), float(sizes.size)
            yield named("node_filesystem_free_bytes", *labels), float(sizes.free)
            yield named("node_filesystem_avail_bytes", *labels), float(sizes.avail)
            yield named("node_filesystem_files", *labels), float(sizes.files)
            yield named("node_filesystem_files_free", *labels), float(sizes.files_free)
