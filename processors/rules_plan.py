"""What a detector's plan holds: the rule files as written, and what they depend on."""

from typing import Self

import ormsgpack
from pydantic import BaseModel, ConfigDict, Field

from processors.limits import Limits
from processors.partials.planning import planned
from processors.promql.labels import Labels, of
from processors.promql.plan import LOOKBACK
from processors.rules.file import RuleFile, load


class RulesPlan(BaseModel):
    """Rule files by name, what they depend on (times in ms), and labels all alerts may use."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    files: tuple[tuple[str, str], ...] = ()
    evaluation_interval: int = Field(default=15_000, ge=100)
    lookback_delta: int = Field(default=LOOKBACK, ge=1)
    external_labels: dict[str, str] = {}
    external_url: str = ""
    limits: Limits = Limits()

    def pack(self) -> bytes:
        """The content of a plan; equal plans pack to equal bytes."""
        return ormsgpack.packb(self.model_dump(), option=ormsgpack.OPT_SORT_KEYS)

    @classmethod
    def unpack(cls, content: bytes) -> Self:
        """Raises ValueError when the content is no plan."""
        return cls.model_validate(ormsgpack.unpackb(content))

    def load(self) -> tuple[RuleFile, ...]:
        """The files compiled, for a detector; raises `BadRules`."""
        back, step = self.lookback_delta, self.evaluation_interval
        return tuple(
            load(text, name, lookback=back, default_step=step, planning=planned)
            for name, text in self.files
        )

    @property
    def external(self) -> Labels:
        """The external labels as a label set."""
        return of(self.external_labels.items())
