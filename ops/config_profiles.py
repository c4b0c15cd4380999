"""Profiles: values for one kind of place, ours beneath the file and the file's own above it.

What a person wrote always wins over what we ship: the built-in values of a profile are defaults
of that place, and only `profiles: {NAME: …}` of the file goes over the file's base.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from ops.config_problems import Origin, Path, Problem, did_you_mean, key_text
from ops.config_yaml import Document

ProfileName = Literal["local", "staging", "production", "docker"]
NAMES: Final[tuple[str, ...]] = get_args(ProfileName)
NO_PROFILE: Final = "local"

_ON_A_CLUSTER: Final[dict[str, Any]] = {
    "logging": {"format": "json"},
    "kafka": {"replication": 3, "min_in_sync": 2},
}
BUILT_IN: Final[Mapping[str, Mapping[str, Any]]] = {
    "local": {},
    "staging": _ON_A_CLUSTER,
    "production": _ON_A_CLUSTER,
    # The names of services in docker-compose.yml. Not `listen`: only the console's container has a
    # token, without which nothing may listen beyond loopback.
    "docker": {
        "logging": {"format": "json"},
        "kafka": {"bootstrap": "kafka:9092"},
        "history": {"url": "http://clickhouse:8123"},
        "worker": {"listen": "0.0.0.0:9464"},
    },
}


@dataclass(slots=True)
class Section:
    """What one part of a file says, and where each of its keys stands."""

    content: dict[str, Any]
    origins: Mapping[Path, Origin]


def built_in(profile: str) -> Section:
    """The values of ours for a profile; nothing for a name that is none."""
    values = dict(BUILT_IN.get(profile, {}))
    return Section(values, {path: Origin(f"profile {profile}") for path in _leaves(values)})


def split(document: Document) -> tuple[Section, dict[str, Section], list[Problem]]:
    """A file's base, its profiles by name, and what is wrong with how they are written."""
    content = dict(document.content)
    written = content.pop("profiles", None)
    base = {path: at for path, at in document.origins.items() if path[:1] != ("profiles",)}
    problems = list(_misplaced(written, document.origins))
    sections = {
        name: Section(section, _below(document.origins, ("profiles", name)))
        for name, section in (written.items() if isinstance(written, dict) else ())
        if name in NAMES and isinstance(section, dict)
    }
    for section in sections.values():
        section.content = {
            key: value for key, value in section.content.items() if key not in _ONCE_A_FILE
        }
    return Section(content, base), sections, problems


def chosen(*sources: object) -> str:
    """The profile named by the last source that names one."""
    named = [str(source) for source in sources if source is not None]
    return named[-1] if named else NO_PROFILE


_ONCE_A_FILE: Final = ("profile", "profiles")


def _misplaced(written: object, origins: Mapping[Path, Origin]) -> Iterator[Problem]:
    def report(path: Path, message: str, hint: str) -> Problem:
        return Problem(origins[path], key_text(path), message, hint)

    if written is None:
        return
    if not isinstance(written, dict):
        hint = 'write for example "production: {kafka: {replication: 3}}"'
        yield report(("profiles",), "must be profiles and their settings", hint)
        return
    for name, section in written.items():
        path = ("profiles", name)
        if name not in NAMES:
            yield report(path, "unknown profile", did_you_mean(name, NAMES, "profiles"))
        elif section is not None and not isinstance(section, dict):
            yield report(path, "must be settings", 'write for example "logging: {format: json}"')
        for key in _ONCE_A_FILE:
            if isinstance(section, dict) and key in section:
                yield report((*path, key), "stands in a profile", "write it at the top of the file")


def _below(origins: Mapping[Path, Origin], above: Path) -> dict[Path, Origin]:
    """The origins under a path, as if it were the top."""
    size = len(above)
    return {path[size:]: at for path, at in origins.items() if path[:size] == above}


def _leaves(content: object, at: Path = ()) -> list[Path]:
    """The paths of values alone: a section is the file's, where people look for it."""
    if not isinstance(content, dict):
        return [at]
    return [path for key, value in content.items() for path in _leaves(value, (*at, key))]
