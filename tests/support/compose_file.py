"""docker-compose.yml as one machine without Docker can carry it out: names become loopback ports.

A container's file system becomes a directory, a service's name a port on loopback. Commands,
environments and health checks are those of the file, with these names rewritten in them.
"""

import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ops.deploy.kafka.broker import free_port
from tests.support.tocsin_process import ROOT, environment

_MOUNTS = ("/etc/tocsin", "/run/secrets", "/var/lib/tocsin")


@dataclass(slots=True)
class Container:
    """One container to be: where its files are, and which port is its own."""

    name: str
    service: Mapping[str, Any]
    root: Path
    probes: int = field(default_factory=free_port)

    def path(self, inside: str) -> Path:
        """A path of the container's on this machine."""
        return self.root / inside.lstrip("/")


class Project:
    """The file, its secrets, and the names in it. `home` holds what Docker would keep."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.file: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
        self.services: dict[str, dict[str, Any]] = self.file["services"]
        # What secrets.sh does, without a trace in the checkout.
        script = home / "compose" / "secrets.sh"
        script.parent.mkdir(parents=True)
        shutil.copy(ROOT / "ops/deploy/compose/secrets.sh", script)
        self.secrets_script = script
        self.ports = {"kafka": free_port(), "clickhouse": 0, "console": free_port()}

    def secret(self, name: str) -> Path:
        """The file of a secret."""
        declared = Path(self.file["secrets"][name]["file"])
        return self.home / declared.relative_to("ops/deploy")

    def order(self, *profiles: str) -> Iterator[str]:
        """The services of no profile, and of these, each after what it depends on."""
        left = {
            name: set(service.get("depends_on", {}))
            for name, service in self.services.items()
            if not service.get("profiles") or set(service["profiles"]) & set(profiles)
        }
        while left:
            ready = [name for name, after in left.items() if not after & set(left)]
            assert ready, f"a circle: {left}"
            for name in ready:
                del left[name]
                yield name

    def containers(self, name: str) -> list[Container]:
        """As many as the service has replicas."""
        count = self.services[name].get("deploy", {}).get("replicas", 1)
        return [self.container(name, number) for number in range(1, count + 1)]

    def container(self, name: str, number: int = 1) -> Container:
        """One of a service's, with its files in place."""
        root = self.home / "containers" / f"{name}-{number}"
        container = Container(f"{name}-{number}", self.services[name], root)
        self._mount(container)
        return container

    def command(self, container: Container) -> list[str]:
        """The arguments after the image's entry point."""
        return [self.here(container, str(each)) for each in container.service["command"]]

    def health_check(self, container: Container) -> list[str]:
        """What Docker would run in the container; empty if the check is off."""
        kind, *command = container.service["healthcheck"].get("test", ["NONE"])
        assert kind in {"CMD", "NONE"}
        return [self.here(container, each) for each in command]

    def environment(self, container: Container) -> dict[str, str]:
        """The image's and the service's variables, and this process's own path."""
        image = dict(re.findall(r"(TOCSIN__\w+)=(\S+)", (ROOT / "Dockerfile").read_text()))
        declared = image | {k: str(v) for k, v in container.service["environment"].items()}
        # A container has port 9464 for itself; here each gets another.
        declared["TOCSIN__WORKER__LISTEN"] = "127.0.0.1:9464"
        ours = environment(**{k: self.here(container, v) for k, v in declared.items()})
        # The image has its own packages, and none of this checkout's.
        return {k: v for k, v in ours.items() if k != "PYTHONPATH"}

    def here(self, container: Container, text: str) -> str:
        """The same text with paths and addresses of this machine."""
        for mount in _MOUNTS:
            text = text.replace(mount, str(container.path(mount)))
        text = text.replace("/dev/tcp/kafka/9092", f"/dev/tcp/127.0.0.1/{self.ports['kafka']}")
        own = {9464: container.probes, 8080: self.ports["console"], 8123: self.ports["clickhouse"]}
        for name, port in (("kafka", 9092), ("clickhouse", 8123), ("console", 8080)):
            text = re.sub(rf"\b{name}:{port}\b", f"127.0.0.1:{self.ports[name]}", text)
        for port, instead in own.items():
            text = re.sub(rf"\b(0\.0\.0\.0|127\.0\.0\.1):{port}\b", f"127.0.0.1:{instead}", text)
        return text

    def _mount(self, container: Container) -> None:
        for config in container.service.get("configs", []):
            target = container.path(config["target"])
            target.parent.mkdir(parents=True, exist_ok=True)
            text = (ROOT / self.file["configs"][config["source"]]["file"]).read_text()
            target.write_text(self.here(container, text))
        for secret in container.service.get("secrets", []):
            target = container.path(f"/run/secrets/{secret}")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(self.secret(secret), target)
