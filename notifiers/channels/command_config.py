"""`command_configs:` (ours): programs that are told."""

from dataclasses import dataclass

from notifiers.channels.config import ChannelConfig, ChannelKind, sends_resolved
from notifiers.global_config import Global
from notifiers.yaml_reader import Section

_HINT = "write a list, for example [/usr/local/bin/tell, --quiet]: no shell reads it"


@dataclass(frozen=True, slots=True, repr=False)
class CommandConfig(ChannelConfig):
    """A program and its arguments; its repr shows neither. `timeout` in ms, 0 for the default."""

    command: tuple[str, ...] = ()
    timeout: int = 0

    def __repr__(self) -> str:
        return f"CommandConfig(send_resolved={self.send_resolved}, command=***)"


def read(found: Section, _: Global) -> CommandConfig:
    """One entry; what is wrong with it is noted there."""
    command = tuple(text for text, _ in found.texts("command"))
    config = CommandConfig(
        ChannelKind.COMMAND,
        send_resolved=sends_resolved(found, ChannelKind.COMMAND),
        max_alerts=found.number("max_alerts") or 0,
        command=command,
        timeout=found.duration("timeout") or 0,
    )
    found.close()
    if not command:
        found.problem("command", "missing command", _HINT)
    elif not command[0].startswith("/"):
        found.problem("command", "the program's path is not absolute", _HINT)
    elif any("\0" in word for word in command):
        found.problem("command", "a null character in the command")
    return config
