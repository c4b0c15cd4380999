"""`file_configs:`: files of JSON lines."""

from dataclasses import dataclass

from notifiers.channels.config import ChannelConfig, ChannelKind, sends_resolved
from notifiers.global_config import Global
from notifiers.yaml_reader import Section


@dataclass(frozen=True, slots=True)
class FileConfig(ChannelConfig):
    """A file of JSON lines."""

    path: str = ""


def read(found: Section, _: Global) -> FileConfig:
    """One entry; what is wrong with it is noted there."""
    path = found.text("path")
    config = FileConfig(
        ChannelKind.FILE,
        send_resolved=sends_resolved(found, ChannelKind.FILE),
        max_alerts=found.number("max_alerts") or 0,
        path=path or "",
    )
    found.close()
    hint = 'write for example "notifications.jsonl", for DATA/deliveries/notifications.jsonl'
    if not path:
        found.problem("path", "missing path of the file", hint)
    elif not _stays_inside(path):
        found.problem("path", f'"{path[:60]}" is not a path inside the deliveries folder', hint)
    return config


def _stays_inside(path: str) -> bool:
    """Whether it names a file below the folder that it is relative to."""
    parts = path.split("/")
    return path.isprintable() and not {"", ".", ".."} & set(parts)
