"""The newest sample that an alert's expression could read, by its own selectors in history."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from notifiers.explain.past import Sample
from ops.history.samples import conditions
from ops.services import Services
from processors.promql.errors import Refused
from processors.promql.plan import LOOKBACK, compile

MOST_SELECTORS: Final = 5
_NEWEST: Final = """
SELECT toUnixTimestamp64Milli(max(time)), toUnixTimestamp64Milli(argMax(appended, time)), count()
FROM samples
WHERE series IN (SELECT id FROM series WHERE {where})
    AND time > fromUnixTimestamp64Milli({{after:Int64}})
    AND time <= fromUnixTimestamp64Milli({{until:Int64}})
"""


def newest_sample(
    services: Services, generator_url: str, labels: Mapping[str, str], at: int
) -> Sample | None:
    """The newest at or before this instant (ms), of series whose labels do not contradict `labels`.

    None where the alert's address has no expression that is served, or no sample is there.
    """
    try:
        # Whoever posts an alert writes its address.
        expr = parse_qs(urlsplit(generator_url).query).get("g0.expr", [""])[0]
        selectors = {use.selector for use in compile(expr).selectors} if expr else set()
    except (Refused, ValueError):
        return None
    found = []
    for selector in sorted(selectors, key=str)[:MOST_SELECTORS]:
        wanted = [(each.name, str(each.op), each.value) for each in selector.matchers]
        where, params = conditions(wanted)
        more, values = _compatible(labels)
        bounds: dict[str, Any] = {"after": at - LOOKBACK, "until": at}
        sql = _NEWEST.format(where=f"{where} AND {more}")
        [[time, appended, count]] = services.history_rows(sql, params | values | bounds)
        if count:
            found.append(Sample(int(time), int(appended)))
    return max(found, key=lambda one: one.at, default=None)


def _compatible(labels: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Series with these values, or without these labels: rules add labels of their own."""
    clauses = ["1"]
    params: dict[str, str] = {}
    for number, (name, value) in enumerate(sorted(labels.items())):
        label = f"labels[{{ln{number}:String}}]"
        clauses.append(f"({label} = '' OR {label} = {{lv{number}:String}})")
        params |= {f"ln{number}": name, f"lv{number}": value}
    return " AND ".join(clauses), params
