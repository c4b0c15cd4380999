"""A rule file as it is written: Prometheus's keys, validated, nothing else allowed."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from processors.promql.labels import METRIC_NAME
from processors.rules.duration import milliseconds


def _duration(value: object) -> int:
    return milliseconds(str(value))


def _label(name: str) -> str:
    if name in {"", METRIC_NAME}:
        raise ValueError(f"invalid label name: {name!r}")
    return name


MAX_NAME = 500
"""Characters of the name of a group, a label or an annotation, as an alert can hold them."""
MAX_LABELS = 64
MAX_ANNOTATIONS = 128


def _short(name: str) -> str:
    if len(name) > MAX_NAME:
        raise ValueError(f"{name[:40]}…: a name has at most {MAX_NAME} characters")
    return name


Duration = Annotated[int, BeforeValidator(_duration)]


def _annotation(name: str) -> str:
    if not name:
        raise ValueError("invalid annotation name: ''")
    return name


LabelName = Annotated[str, AfterValidator(_short), BeforeValidator(_label)]


MAY_BE_EMPTY = frozenset(
    {"for", "keep_firing_for", "labels", "annotations", "interval", "query_offset", "limit"}
)
"""Keys that may stand without a value, which then is their default."""


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WrittenRule(_Written):
    """One rule, alerting or recording; durations in milliseconds."""

    alert: str = ""
    record: str = ""
    expr: str = ""
    detect: Mapping[str, Any] | None = None
    wait: Duration = Field(0, alias="for")
    keep_firing_for: Duration = 0
    labels: Mapping[LabelName, str] = Field({}, max_length=MAX_LABELS)
    annotations: Mapping[
        Annotated[str, AfterValidator(_short), BeforeValidator(_annotation)], str
    ] = Field({}, max_length=MAX_ANNOTATIONS)
    evaluation: Literal["interval"] | None = None
    """Ours: only at the group's instants, and not as samples arrive."""

    @model_validator(mode="after")
    def _is_one_kind(self) -> "WrittenRule":
        if bool(self.alert) == bool(self.record):
            some = "only one of 'record' and" if self.alert else "one of 'record' or"
            raise ValueError(f"{some} 'alert' must be set")
        if self.detect is not None and (self.expr or self.record):
            raise ValueError("'detect' stands in place of 'expr', in an alerting rule")
        if self.record:
            foreign = (
                ("annotations", self.annotations),
                ("for", self.wait),
                ("keep_firing_for", self.keep_firing_for),
                ("evaluation", self.evaluation),
            )
            wrong = [f"invalid field '{key}' in recording rule" for key, given in foreign if given]
            if "{" in self.record or "}" in self.record:
                wrong.append("braces present in the recording rule name; should it be in expr?")
            if wrong:
                raise ValueError("; ".join(wrong))
        return self


class WrittenGroup(_Written):
    """A group less its rules, which are validated one by one."""

    name: Annotated[str, AfterValidator(_short)] = Field(min_length=1)
    interval: Duration | None = None
    query_offset: Duration = 0
    limit: int = 0
    labels: Mapping[LabelName, str] = {}
    evaluation: Literal["interval"] | None = None
    """As of a rule, for all of the group's."""
