"""What an `slo:` section says, and the burn rates that follow from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from processors.detect.counted import latency
from processors.detect.kind import Options
from processors.rules.duration import milliseconds
from processors.rules.model import Duration, LabelName

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
MOST_ALERTS = 8


def _days(value: object) -> str:
    return f"{milliseconds(str(value)) / DAY:g}d"


class BurnAlert(Options):
    """A pair of windows, and the percentage of the budget that the long one may burn."""

    budget: float = Field(gt=0, le=100)
    long: Duration = Field(ge=5 * MINUTE, le=3 * DAY)
    short: Duration = Field(ge=5 * MINUTE, le=DAY)
    severity: str = Field(default="page", min_length=1)

    @model_validator(mode="after")
    def _is_ordered(self) -> Self:
        if self.short >= self.long:
            raise ValueError("'short' must be shorter than 'long'")
        return self


# The SRE workbook, chapter 5, table 5-8, and the fourth pair from the rules below it.
WORKBOOK = tuple(
    BurnAlert.model_validate({"budget": budget, "long": long, "short": short, "severity": severity})
    for budget, long, short, severity in (
        (2, "1h", "5m", "page"),
        (5, "6h", "30m", "page"),
        (10, "1d", "2h", "ticket"),
        (10, "3d", "6h", "ticket"),
    )
)


class Latency(Options):
    """A classic histogram, and the seconds that a good request takes at the most."""

    histogram: str = Field(min_length=1)
    threshold: float = Field(gt=0)


class SloOptions(Options):
    """`objective` in percent; `good` or `bad` beside `total`, or `latency`."""

    name: str = Field(min_length=1, max_length=200)
    objective: float = Field(gt=0, lt=100)
    window: Annotated[Literal["30d", "28d"], BeforeValidator(_days)] = "30d"
    good: str = ""
    bad: str = ""
    total: str = ""
    latency: Latency | None = None
    by: tuple[LabelName, ...] | None = None
    alerts: tuple[BurnAlert, ...] = Field(default=WORKBOOK, min_length=1, max_length=MOST_ALERTS)
    min_requests: int = Field(default=100, ge=1)
    min_short_requests: int = Field(default=10, ge=1)
    min_errors: int = Field(default=2, ge=1)
    hold: Duration = Field(default=HOUR, le=DAY)
    max_series: int = Field(default=1000, ge=1, le=5000)

    @model_validator(mode="after")
    def _has_one_indicator(self) -> Self:
        given = [bool(self.good), bool(self.bad), self.latency is not None]
        if sum(given) != 1 or bool(self.total) is (self.latency is not None):
            raise ValueError("needs one indicator: good and total, bad and total, or latency")
        if len({(each.long, each.short) for each in self.alerts}) < len(self.alerts):
            raise ValueError("two of 'alerts' have the same windows")
        return self

    @property
    def ratio(self) -> float:
        """The objective as a ratio: 0.999 exactly where 99.9 is written."""
        return float(Decimal(str(self.objective)) / 100)

    @property
    def budget(self) -> float:
        """The share of requests that may be bad."""
        return float(1 - Decimal(str(self.objective)) / 100)

    @property
    def window_ms(self) -> int:
        """The window of the error budget."""
        return milliseconds(self.window)


@dataclass(frozen=True, slots=True)
class Burn:
    """When budget burns too fast: at more than `rate` times the pace that spends it exactly."""

    long: int
    short: int
    rate: float
    severity: str

    @property
    def labels(self) -> tuple[tuple[str, str], ...]:
        """What tells its alerts from those of other windows."""
        return (
            ("burn", f"{self.rate:.4g}"),
            ("long_window", text(self.long)),
            ("severity", self.severity),
            ("short_window", text(self.short)),
        )


def burns(options: SloOptions) -> tuple[Burn, ...]:
    """Burn rate = share of the budget × its window / long window."""
    return tuple(
        Burn(
            each.long,
            each.short,
            each.budget / 100 * options.window_ms / each.long,
            each.severity,
        )
        for each in options.alerts
    )


def unreachable(options: SloOptions) -> list[tuple[int, str]]:
    """Of which alerts (by place) the burn rate needs more errors than there can be requests."""
    found = []
    for place, burn in enumerate(burns(options)):
        share = burn.rate * options.budget
        if share >= 1:
            least = 100 * (1 - 1 / burn.rate)
            found.append(
                (
                    place,
                    f"burn rate {burn.rate:.4g} over {text(burn.long)} can never be exceeded: "
                    f"at an objective of {options.objective:g} % it is an error ratio of "
                    f"{100 * share:.4g} %; raise the objective above {least:.4g} %, "
                    "or lower 'budget' of this alert",
                )
            )
    return found


def indicator(options: SloOptions) -> Sequence[tuple[str, str, str]]:
    """What is counted: (option, expression, "good", "bad" or "total"); raises Refused."""
    if options.latency is not None:
        good, total = latency(options.latency.histogram, options.latency.threshold)
        return (("latency", good, "good"), ("latency", total, "total"))
    part = "good" if options.good else "bad"
    return ((part, options.good or options.bad, part), ("total", options.total, "total"))


def text(span: int) -> str:
    """A duration as Prometheus writes it, of whole units: 1h, 30m, 3d."""
    for unit, size in (("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", 1000)):
        if span % size == 0:
            return f"{span // size}{unit}"
    return f"{span}ms"
