"""Plans: rules and routes as the files say them, and the one publisher that numbers them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import ormsgpack
import yaml
from yaml.nodes import MappingNode, ScalarNode

from notifiers.config import MODE_KEY
from notifiers.matcher_mode import Mode
from notifiers.oncall.calendar_file import with_calendars
from notifiers.redact import without_secrets
from ops.settings import Settings
from ops.transport.keys import partition_of
from ops.transport.stage_log import StageCommit, StageLog
from processors.limits import Limits
from processors.rules_plan import RulesPlan
from schemas.envelope import DEFAULT_TENANT, Envelope, Producer
from schemas.labels import derived_id
from schemas.plan_pieces import cut, digest_of
from schemas.plans import Plan
from schemas.stage import Message, Partition, StateChange
from schemas.topics import ALERTS, CODEC, GATHERED, METRICS

TOPIC_OF = {"detector": METRICS, "router": ALERTS}
ALSO = {METRICS: GATHERED}
"""Where a plan goes besides once its topic has several partitions."""
_PUBLISHER = "plans"
_WHERE = Partition(METRICS, 0)
"""Where the publisher's own numbers are kept: it has one checkpoint, of partition 0."""
_NOWHERE = "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n"


def rules_content(settings: Settings) -> bytes:
    """The detector's plan: every rule file, and what the rules depend on."""
    files = settings.rule_files()
    names = Counter(file.name for file in files)
    # A group is known by its file's name, so that moving a folder keeps its alerts.
    named = [(file.name if names[file.name] == 1 else str(file), file) for file in files]
    plan = RulesPlan(
        files=tuple((name, file.read_text("utf-8")) for name, file in named),
        evaluation_interval=int(settings.evaluation_interval.total_seconds() * 1000),
        lookback_delta=int(settings.lookback_delta.total_seconds() * 1000),
        external_labels=dict(settings.external_labels),
        external_url=settings.url,
        limits=Limits.model_validate(settings.detector.model_dump()),
    )
    return plan.pack()


def routes_text(file: Path | None) -> str:
    """The routing file with its calendars, or one with nowhere to send anything."""
    return with_calendars(file.read_text("utf-8"), file.parent) if file else _NOWHERE


def routes_content(text: str, mode: Mode = Mode.FALLBACK) -> bytes:
    """The router's plan: the routing file less its secrets, which only the courier needs.

    It says in which mode matchers are read, unless that is the one which everybody takes.
    """
    bare = without_secrets(text)
    if mode is Mode.FALLBACK:
        return bare.encode()
    root = yaml.compose(bare, yaml.SafeLoader)
    if isinstance(root, MappingNode) and all(key.value != MODE_KEY for key, _ in root.value):
        tag = "tag:yaml.org,2002:str"
        root.value.append((ScalarNode(tag, MODE_KEY), ScalarNode(tag, mode.value)))
    return str(yaml.serialize(root, allow_unicode=True)).encode()


class PlanLog(StageLog, Protocol):
    """A log that plans are published to."""

    @property
    def partitions(self) -> Mapping[str, int]:
        """How many partitions each topic has."""
        ...


class PlanPublisher:
    """Puts a plan on every partition of its stage's topic, if it differs from the last one.

    Number, digest and pieces commit together, so a plan is on all partitions or on none. There is
    one publisher: a second one fences the first. Raises `LogAway`.
    """

    def __init__(self, log: PlanLog) -> None:
        self._log = log
        log.claim(_PUBLISHER, _WHERE)
        reader = log.reader()
        self._last: dict[str, tuple[int, str, int]] = {
            stage: (number, digest, *(partitions or [0]))
            for stage, value in reader.state(_PUBLISHER, 0)
            for number, digest, *partitions in [ormsgpack.unpackb(value)]
        }
        reader.close()

    def last(self, stage: str) -> int:
        """The number of the stage's newest plan; 0 if it never had one."""
        return self._last.get(stage, (0, "", 0))[0]

    def publish(self, stage: str, content: bytes, again: bool = False) -> int:
        """The number under which this content is in force; a new one only if it is new.

        Content is new to partitions that a topic got since: without a plan they would decide
        nothing, and nobody would see it. `again` publishes what is in force once more under its
        number, for stages that began after retention had taken it.

        Raises `LogAway`, and `Fenced` when there is another publisher by now.
        """
        number, digest, reached = self._last.get(stage, (0, "", 0))
        places = self._places(TOPIC_OF[stage])
        partitions = len(places)
        # 0 is what was noted before partitions were.
        if digest == digest_of(content) and reached in (0, partitions):
            if not again:
                return number
        else:
            number += 1
        now = self._log.clock()
        pieces = cut(stage, number, content)
        home = partition_of(DEFAULT_TENANT, partitions)
        messages: Sequence[Message] = [
            Message(place.topic, "", _sealed(piece, place.number == home, now), place.number)
            for place in places
            for piece in pieces
        ]
        entry = (number, digest_of(content), partitions)
        self._log.commit_stage(
            StageCommit(
                _PUBLISHER,
                _WHERE,
                0,
                messages,
                [StateChange(stage, ormsgpack.packb(list(entry)))],
            )
        )
        self._last[stage] = entry
        return number

    def _places(self, topic: str) -> list[Partition]:
        """Every partition on which a stage has to read its plan."""
        count, also = self._log.partitions[topic], ALSO.get(topic)
        places = [Partition(topic, number) for number in range(count)]
        if also is not None and count > 1:
            places += [Partition(also, number) for number in range(self._log.partitions[also])]
        return places


def _sealed(piece: Plan, home: bool, now: int) -> bytes:
    name = derived_id("plan", piece.stage, piece.number, piece.digest, piece.piece)
    event = piece if home else piece.model_copy(update={"home": False})
    return CODEC.encode(Envelope(name, Producer(_PUBLISHER), now, event))
