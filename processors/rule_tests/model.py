"""A test file as it is written: promtool's keys, validated, nothing else allowed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from processors.rules.duration import milliseconds
from processors.rules.marked import Document, Path

MINUTE = 60_000


def _duration(value: object) -> int:
    return milliseconds(str(value))


def _moment(value: object) -> int:
    """RFC 3339 or seconds since 1970, in milliseconds."""
    written = str(value)
    try:
        return round(float(written) * 1000)
    except ValueError:
        pass
    try:
        when = datetime.fromisoformat(written)
    except ValueError as fault:
        raise ValueError(f"cannot parse {written!r} to a valid timestamp") from fault
    if when.tzinfo is None:
        raise ValueError(f"cannot parse {written!r} to a valid timestamp: it needs a zone, as in Z")
    return round(when.timestamp() * 1000)


_INFINITIES = {".inf", "+.inf", "-.inf"}


def _number(value: object) -> float:
    written = str(value).lower()
    if written in _INFINITIES:
        return float(written.replace(".", ""))
    if written in {".nan", ""}:
        return float("nan") if written else 0.0
    if written.lstrip("+-")[:2] in {"0x", "0o", "0b"}:
        return float(int(written, 0))
    if written.lstrip("+-")[:1] not in ".0123456789":
        raise ValueError(f"{value!r} is no number: write .inf and .nan")
    return float(written)


def _truth(value: object) -> bool:
    if str(value).lower() not in {"true", "false", "yes", "no", "on", "off", ""}:
        raise ValueError(f"{value!r} is neither true nor false")
    return str(value).lower() in {"true", "yes", "on"}


Duration = Annotated[int, BeforeValidator(_duration)]
Number = Annotated[float, BeforeValidator(_number)]


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WrittenSeries(_Written):
    """An input series."""

    series: str = ""
    values: str = ""


class ExpectedAlert(_Written):
    """A firing alert, by its labels (less `alertname`) and annotations."""

    exp_labels: Mapping[str, str] = {}
    exp_annotations: Mapping[str, str] = {}


class AlertTest(_Written):
    """The alerts of one name that fire at a time (ms after the start)."""

    eval_time: Duration = 0
    alertname: str = ""
    exp_alerts: tuple[ExpectedAlert, ...] = ()


class ExpectedSample(_Written):
    """A sample of an expression's result."""

    labels: str = ""
    value: Number = 0.0
    histogram: str = ""


class ExpressionTest(_Written):
    """What an expression is worth at a time (ms after the start)."""

    expr: str = ""
    eval_time: Duration = 0
    exp_samples: tuple[ExpectedSample, ...] = ()


class TestGroup(_Written):
    """Input series, and what is expected of them; `interval` 0 is the evaluation interval."""

    __test__ = False

    name: str = ""
    interval: Duration = 0
    input_series: tuple[WrittenSeries, ...] = ()
    alert_rule_test: tuple[AlertTest, ...] = ()
    promql_expr_test: tuple[ExpressionTest, ...] = ()
    external_labels: Mapping[str, str] = {}
    external_url: str = ""
    start_timestamp: Annotated[int, BeforeValidator(_moment)] = 0

    @property
    def longest(self) -> int:
        """The latest time that is asked about, in milliseconds."""
        times = [each.eval_time for each in self.alert_rule_test]
        times += [each.eval_time for each in self.promql_expr_test]
        return max(times, default=0)


class TestFile(_Written):
    """A whole file; times in milliseconds."""

    __test__ = False

    rule_files: tuple[str, ...] = ()
    evaluation_interval: Duration = 0
    group_eval_order: tuple[str, ...] = ()
    fuzzy_compare: Annotated[bool, BeforeValidator(_truth)] = False
    tests: tuple[TestGroup, ...] = ()

    @property
    def interval(self) -> int:
        """How often rules are evaluated."""
        return self.evaluation_interval or MINUTE


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong in a test file, and where."""

    line: int
    message: str

    def __str__(self) -> str:
        return f"  line {self.line}: {self.message}"


class BadTests(ValueError):
    """A test file that cannot be used; `problems` are all of them."""

    def __init__(self, problems: tuple[Wrong, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


_PLACES = {
    (): "the test file",
    ("tests",): "a test",
    ("tests", "input_series"): "an input series",
    ("tests", "alert_rule_test"): "an alert_rule_test",
    ("tests", "promql_expr_test"): "a promql_expr_test",
    ("tests", "alert_rule_test", "exp_alerts"): "an expected alert",
    ("tests", "promql_expr_test", "exp_samples"): "an expected sample",
}


def validated(document: Document, *, ignore_unknown: bool = False) -> TestFile:
    """The file's content by its model; raises BadTests."""
    content = document.content or {}
    problems: list[Wrong] = []
    if isinstance(content, dict):
        content = _filled(content)
    try:
        return TestFile.model_validate(content, extra="ignore" if ignore_unknown else "forbid")
    except ValidationError as fault:
        for error in fault.errors(include_url=False):
            problems.append(_wrong(document, tuple(error["loc"]), error))
    raise BadTests(tuple(sorted(problems, key=lambda each: each.line)))


def _filled(content: Any) -> Any:
    """The same without keys that have no value, which stand for their defaults as in promtool."""
    if isinstance(content, dict):
        return {
            key: _filled(value)
            for key, value in content.items()
            if value != "" or not isinstance(key, str) or key not in _MAY_BE_EMPTY
        }
    return [_filled(each) for each in content] if isinstance(content, list) else content


_MAY_BE_EMPTY = frozenset(
    {"rule_files", "group_eval_order", "tests", "input_series", "alert_rule_test", "exp_alerts",
     "promql_expr_test", "exp_samples", "exp_labels", "exp_annotations", "external_labels",
     "evaluation_interval", "interval", "start_timestamp"}
)  # fmt: skip


def _wrong(document: Document, path: Path, error: Any) -> Wrong:
    line = document.line(path)
    key = path[-1] if path else ""
    if error["type"] == "extra_forbidden":
        where = _PLACES.get(tuple(part for part in path[:-1] if isinstance(part, str)), "there")
        return Wrong(line, f"field {key} not found in {where}")
    message = error["msg"].removeprefix("Value error, ")
    shown = error["input"]
    got = f": got {shown!r}" if isinstance(shown, str) and repr(shown) not in message else ""
    where = ".".join(str(part) for part in path) or "the file"
    return Wrong(line, f"{where}: {message}{got}")
