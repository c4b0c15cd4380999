"""How a detector is registered: its options, and how they become a detector."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from pydantic import BaseModel, ConfigDict

from processors.detect.model import Built
from processors.promql.plan import Plan

Compile: TypeAlias = Callable[[str], Plan]
"""Compiles PromQL with the file's settings; raises `promql.errors.Refused`."""


class Options(BaseModel):
    """What all detectors' options share: nothing unknown, nothing changed later."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True, slots=True)
class Kind:
    """A detector by its options; `build` raises `Complaint` and `Refused`.

    With other values of `learns_from` (None: of any option) a detector begins to learn anew; where
    only others changed, a detector that is `Resumes` goes on.
    """

    options: type[Options]
    build: Callable[[Any, Compile], Built]
    learns_from: frozenset[str] | None = None
