"""What is wrong with a configuration: where, what, and what to do; all of it at once."""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from schemas.errors import Refused

Path = tuple[str | int, ...]
"""A key inside a configuration: ("agent", "checks", 0, "url")."""

_SECRET = re.compile(r"token|secret|password|credential|authorization", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value was written: a file and line, an environment variable, an option."""

    source: str
    line: int | None = None

    def __str__(self) -> str:
        return self.source if self.line is None else f"{self.source}:{self.line}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong."""

    origin: Origin
    key: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        parts = (str(self.origin), self.key, self.message, self.hint)
        return ": ".join(part for part in parts if part)


class Problems(Refused):
    """A configuration that was refused whole; `rest` is what it says beside its problems."""

    def __init__(self, problems: Iterable[Problem], rest: object = None) -> None:
        found = {str(p): p for p in problems}
        self.rest = rest
        self.problems = tuple(sorted(found.values(), key=_order))
        super().__init__("\n".join([*map(str, self.problems), self.summary()]))

    def summary(self) -> str:
        """The last line of the list."""
        count = len(self.problems)
        return f"{count} problem{'' if count == 1 else 's'}, nothing started"


def _order(problem: Problem) -> tuple[str, int, str, str]:
    return (problem.origin.source, problem.origin.line or 0, problem.key, problem.message)


def key_text(path: Iterable[str | int]) -> str:
    """`agent.checks[0].url`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def from_validation(
    fault: ValidationError, model: type[BaseModel], origins: Mapping[Path, Origin]
) -> list[Problem]:
    """Pydantic's findings, each at the place that people can edit."""
    return [_problem(error, model, origins) for error in fault.errors(include_url=False)]


def did_you_mean(word: str, known: Iterable[str], what: str = "keys") -> str:
    """The nearest known word, else all of them."""
    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if near:
        return f'did you mean "{near[0]}"?'
    return f"known {what}: {', '.join(names)}" if names else ""


def _problem(
    error: ErrorDetails, model: type[BaseModel], origins: Mapping[Path, Origin]
) -> Problem:
    # Pydantic's path also names the arms of unions, which nobody wrote: keep what was written.
    path: Path = ()
    for part in error["loc"]:
        if (*path, part) in origins:
            path = (*path, part)
    origin = origins.get(path, Origin("configuration"))
    if error["type"] == "missing":
        key = key_text((*path, error["loc"][-1]))
        return Problem(origin, key, "is missing", "add it")
    if error["type"] == "extra_forbidden":
        hint = did_you_mean(str(error["loc"][-1]), _known(model, path[:-1]))
        return Problem(origin, key_text(path), "unknown key", hint)
    hint = str(error.get("ctx", {}).get("hint", ""))
    message = re.sub(r"^Value error, ", "", error["msg"])
    message = re.sub(r"^(Input|String|List|Dictionary|Tuple) should", "must", message)
    got = _got(error, path)
    return Problem(origin, key_text(path), f"{message[:1].lower()}{message[1:]}{got}", hint)


def _got(error: ErrorDetails, path: Path) -> str:
    value = error["input"]
    if any(_SECRET.search(str(part)) for part in path) or not isinstance(value, str | int | float):
        return ""
    shown = str(value)
    if re.search(r"://[^/]*@", shown):
        return ""  # a password in an address
    return f' (got "{shown[:60]}{"…" if len(shown) > 60 else ""}")'


def _known(model: type[BaseModel], path: Path) -> list[str]:
    """The keys that the model at this path has."""
    at: list[type[BaseModel]] = [model]
    for part in path:
        if isinstance(part, int):
            continue
        fields = [m.model_fields[part].annotation for m in at if part in m.model_fields]
        at = [found for annotation in fields for found in models_in(annotation)]
    return [field.alias or name for m in at for name, field in m.model_fields.items()]


def models_in(annotation: Any) -> list[type[BaseModel]]:
    """The models that an annotation mentions: those of `tuple[A | B, ...]` are A and B."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in get_args(annotation) for found in models_in(part)]
