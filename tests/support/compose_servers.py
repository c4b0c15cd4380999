"""What stands in for the servers of docker-compose.yml, set up with what it mounts."""

from pathlib import Path

from ops.deploy.kafka.broker import Broker
from ops.history.child import HistoryChild
from tests.support.compose_file import Container, Project

_OF_THE_PLACE = {
    *("listeners", "advertised.listeners", "listener.security.protocol.map", "log.dirs"),
    *("inter.broker.listener.name", "controller.quorum.voters", "controller.listener.names"),
}
_TOKENS = {"clickhouse_password": "token", "analyst_password": "analyst.token"}


def broker_of(project: Project, container: Container, libs: Path) -> Broker:
    """A native broker with the mounted properties, but for addresses and directories."""
    mounted = container.path("/etc/tocsin/server.properties").read_text()
    lines = [line for line in mounted.splitlines() if "=" in line and line[0] != "#"]
    declared = dict(line.split("=", 1) for line in lines)
    properties = {k: v for k, v in declared.items() if k not in _OF_THE_PLACE}
    return Broker(project.home / "kafka", libs, project.ports["kafka"], properties=properties)


def history_of(project: Project) -> HistoryChild:
    """The history child, which speaks ClickHouse's HTTP interface, with the mounted passwords."""
    directory = project.home / "clickhouse"
    directory.mkdir(mode=0o700)
    for secret, file in _TOKENS.items():
        (directory / file).write_text(project.secret(secret).read_text())
    history = HistoryChild(directory)
    history.start()
    assert history.wait_ready(60), history.fault
    project.ports["clickhouse"] = history.address.port
    return history
