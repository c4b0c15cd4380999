"""One broker of Apache Kafka as a child process, in a directory of its own, on loopback."""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from schemas.errors import Refused, TocsinError

POM = Path(__file__).with_name("pom.xml")
HEAP = "512m"
JAVA = 17
STARTS_WITHIN = 60.0


class BrokerFailed(TocsinError):
    """The broker did not start; the end of its log is in the message."""


def missing() -> str:
    """Why no broker can run here; empty if one can."""
    for tool in ("java", "mvn"):
        if shutil.which(tool) is None:
            return f"{tool} is not installed: Apache Kafka needs Java {JAVA} and Maven"
    ran = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False)
    told = re.search(r'version "(?:1\.)?(\d+)', ran.stderr + ran.stdout)
    if told is None:
        return f"java -version says no version: Apache Kafka needs Java {JAVA}"
    if int(told[1]) < JAVA:
        return f"java is version {told[1]}: Apache Kafka needs Java {JAVA} or newer"
    return ""


def fetch(libs: Path) -> None:
    """Put Kafka's jars into `libs`, unless they are there. Raises `Refused`."""
    done = libs / ".complete"
    if done.exists() and done.read_text("utf-8") == POM.read_text("utf-8"):
        return
    if why := missing():
        raise Refused(why)
    command = ["mvn", "-q", "-B", "-f", str(POM), "dependency:copy-dependencies"]
    ran = subprocess.run(
        [*command, f"-DoutputDirectory={libs.absolute()}"],
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise Refused(f"Maven could not fetch Apache Kafka: {(ran.stdout + ran.stderr)[-2_000:]}")
    done.write_text(POM.read_text("utf-8"), "utf-8")


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Broker:
    """A broker and its directory. `listeners` are names with a security protocol and a port.

    `properties` go into the broker's file over our own. With `tied` it ends with this process.
    """

    directory: Path
    libs: Path
    port: int = 0
    listeners: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)
    format_options: Sequence[str] = ()
    tied: bool = True
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.port = self.port or free_port()
        self._controller = free_port()

    @property
    def address(self) -> str:
        """HOST:PORT of the plain listener."""
        return f"127.0.0.1:{self.port}"

    @property
    def log_file(self) -> Path:
        """What the broker writes to its standard output."""
        return self.directory / "broker.log"

    def start(self) -> None:
        """Format the directory if it is new, start, and wait until it answers."""
        self.directory.mkdir(parents=True, exist_ok=True)
        file = self.directory / "server.properties"
        file.write_text("".join(f"{k}={v}\n" for k, v in self._all_properties().items()), "utf-8")
        if not (self.directory / "data" / "meta.properties").exists():
            cluster = self._java("kafka.tools.StorageTool", "random-uuid").strip()
            self._java(
                "kafka.tools.StorageTool",
                *("format", "-t", cluster, "-c", str(file), *self.format_options),
            )
        tie = shutil.which("setpriv") if self.tied else None
        command = [*([tie, "--pdeathsig", "KILL"] if tie else []), *self._command("kafka.Kafka")]
        with self.log_file.open("ab") as out:
            self.process = subprocess.Popen(
                [*command, str(file)],
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._wait()

    def stop(self, within: float = 30.0) -> None:
        """End it in good order, else by force."""
        process, self.process = self.process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(within)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def kill(self) -> None:
        """End it at once."""
        process, self.process = self.process, None
        if process is not None:
            process.kill()
            process.wait()

    def freeze(self) -> None:
        """Accept connections and answer nothing."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Answer again."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGCONT)

    def _all_properties(self) -> dict[str, str]:
        named = {"PLAINTEXT": ("PLAINTEXT", self.port), **self.listeners}
        at = {name: f"{name}://127.0.0.1:{port}" for name, (_, port) in named.items()}
        return {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@127.0.0.1:{self._controller}",
            "listeners": ",".join([*at.values(), f"CONTROLLER://127.0.0.1:{self._controller}"]),
            "advertised.listeners": ",".join(at.values()),
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "listener.security.protocol.map": ",".join(
                ["CONTROLLER:PLAINTEXT", *(f"{name}:{kind}" for name, (kind, _) in named.items())]
            ),
            "log.dirs": str(self.directory / "data"),
            "auto.create.topics.enable": "false",
            "group.initial.rebalance.delay.ms": "0",
            "group.min.session.timeout.ms": "1000",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.num.partitions": "4",
            "transaction.state.log.min.isr": "1",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            **self.properties,
        }

    def _wait(self) -> None:
        ends = time.monotonic() + STARTS_WITHIN
        began = self.log_file.stat().st_size if self.log_file.exists() else 0
        while time.monotonic() < ends:
            assert self.process is not None
            if self.process.poll() is not None:
                break
            try:
                with socket.create_connection(("127.0.0.1", self.port), 0.2):
                    return
            except OSError:
                time.sleep(0.05)
        said = self.log_file.read_text("utf-8", "replace")[-3_000:]
        self.kill()
        raise BrokerFailed(f"the broker did not start; {self.log_file} ({began} bytes): {said}")

    def _command(self, main: str) -> list[str]:
        # The quickest start: no second compiler, no parallel collector.
        options = [f"-Xmx{HEAP}", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        return ["java", *options, "-cp", f"{self.libs.absolute()}/*", main]

    def _java(self, main: str, *arguments: str) -> str:
        ran = subprocess.run(
            [*self._command(main), *arguments], capture_output=True, text=True, check=False
        )
        if ran.returncode:
            raise BrokerFailed(f"{main}: {(ran.stdout + ran.stderr)[-2_000:]}")
        return ran.stdout.splitlines()[-1] if ran.stdout else ""
