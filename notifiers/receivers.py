"""Receivers as the configuration gives them."""

from dataclasses import dataclass, field

from notifiers.channels.config import ChannelConfig, ChannelKind, read_bare
from notifiers.channels.registry import ELSEWHERE, READERS
from notifiers.fallback.settings import Fallback, read_fallback
from notifiers.global_config import Global
from notifiers.matchers import Mode
from notifiers.storms.limit_reader import read_rate_limit
from notifiers.storms.settings import Person, RateLimit
from notifiers.yaml_reader import Section


@dataclass(frozen=True, slots=True)
class Receiver:
    """A named list of channels; a channel's number is its place in `channels`.

    `labels` are there to be found by over the API; its name is one of them. `location` is the zone
    of the person who is reached over it, in which its messages say times.
    """

    name: str
    channels: tuple[ChannelConfig, ...] = ()
    line: int = 0
    rate_limit: RateLimit | None = None
    labels: dict[str, str] = field(default_factory=dict)
    fallback: Fallback | None = None
    location: str = "UTC"
    person: Person | None = None
    """Whose limit it shares, if it has one."""


def read_receiver(
    found: Section,
    defaults: Global,
    *,
    bare: bool,
    mode: Mode = Mode.FALLBACK,
    limit: RateLimit | None = None,
) -> Receiver | None:
    """One entry of `receivers:`; `bare` reads no more of a channel than the router needs.

    `limit` is the one of receivers that say nothing of theirs.
    """
    name = found.text("name")
    channels = [
        read_bare(one, kind) if bare else READERS[kind](one, defaults)
        for kind in READERS
        for one in found.sections(kind.key)
    ]
    limit = read_rate_limit(found, mode, limit)
    labels = _labels(found, name or "")
    fallback = read_fallback(found)
    found.close(ELSEWHERE | {kind.key for kind in ChannelKind})
    if not name or len(name) > 1_024:
        found.problem("name", "missing name in receiver" if not name else "the name is too long")
        return None
    return Receiver(name, tuple(channels), found.line("name"), limit, labels, fallback)


def _labels(found: Section, name: str) -> dict[str, str]:
    labels = {label: value for label, value, _ in found.pairs("labels")}
    if (other := labels.get("name", name)) != name:
        message = f'receiver label "name" must match receiver name "{name}"'
        found.problem("labels", message, f'it is "{other[:100]}"')
    return labels | {"name": name}
