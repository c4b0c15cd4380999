"""`tocsin rules backtest`: what rule files would have decided, on history."""

import argparse
import json
import math
import time
from typing import Any

from ops.cli.options import settings_of
from ops.cli.query import series_text, when
from ops.cli.rules_check import text_at
from ops.cli.terminal import age, complain, table
from ops.history.clickhouse import History
from ops.history.replay import replay
from ops.parts.history_server import server_of
from ops.settings import Settings
from processors.backtest import Backtest, Life
from processors.limits import Limits
from processors.promql.selector import Selector
from processors.rules.duration import milliseconds
from processors.rules.file import BadRules
from processors.rules_plan import RulesPlan
from schemas.errors import Refused

WARM_UP = 7_200_000
"""ms of the log that fill the windows before the stretch that is asked for begins."""


def run(arguments: argparse.Namespace) -> int:
    """Replay and print every alert; the exit code is 0 whether there were any or not."""
    settings = settings_of(arguments).settings
    end = round(time.time() * 1000)
    start = end - _since(arguments.since)
    backtest = Backtest(_plan(settings, arguments.files))
    history = _history(settings)
    try:
        _replay(backtest, history, start, end)
    finally:
        history.close()
    lives = [life for life in backtest.lives if (life.ended_at or end) > start]
    print(json.dumps(_report(backtest, lives)) if arguments.json else _text(backtest, lives, end))
    for reason, count in sorted(backtest.failures.items()):
        complain(f"{reason} ({count} times)")
    return 0


def _history(settings: Settings) -> History:
    # The files that say where the server listens are there from its first start on.
    try:
        address = server_of(settings).address
    except FileNotFoundError as fault:
        raise Refused(
            f"no history in {settings.data}: start `tocsin up --data {settings.data}`, "
            "or name a ClickHouse server in history.url"
        ) from fault
    return History(address)


def _replay(backtest: Backtest, history: History, start: int, end: int) -> None:
    longest = max((use.reach_ms for use in backtest.uses()), default=0)
    first = start - min(longest, WARM_UP)
    selectors = [_matchers(use.selector) for use in backtest.uses()]
    for record in replay(history, selectors, first, end):
        backtest.feed(record)
    backtest.finish(end)


def _since(text: str) -> int:
    try:
        return milliseconds(text)
    except ValueError as fault:
        raise Refused(f"rules backtest: --since: {fault}: write 7d, 12h or 90m") from fault


def _plan(settings: Settings, files: list[str]) -> RulesPlan:
    """The files as a plan of their own. Raises Refused with everything that is wrong."""
    plan = RulesPlan(
        files=tuple((file, text_at(file)) for file in files),
        evaluation_interval=round(settings.evaluation_interval.total_seconds() * 1000),
        lookback_delta=round(settings.lookback_delta.total_seconds() * 1000),
        external_labels=dict(settings.external_labels),
        external_url=settings.url,
        limits=Limits.model_validate(settings.detector.model_dump()),
    )
    try:
        plan.load()
    except BadRules as fault:
        raise Refused(str(fault)) from fault
    return plan


def _matchers(selector: Selector) -> list[tuple[str, str, str]]:
    return [(each.name, str(each.op), each.value) for each in selector.matchers]


def _report(backtest: Backtest, lives: list[Life]) -> dict[str, Any]:
    return {
        "samples": backtest.samples,
        "failures": backtest.failures,
        "alerts": [
            {
                "labels": dict(life.labels),
                "annotations": dict(life.annotations),
                "pending_at": when(life.pending_at / 1000),
                "fired_at": None if life.fired_at is None else when(life.fired_at / 1000),
                "ended_at": None if life.ended_at is None else when(life.ended_at / 1000),
                "value": life.value if math.isfinite(life.value) else str(life.value),
            }
            for life in lives
        ],
    }


def _text(backtest: Backtest, lives: list[Life], end: int) -> str:
    fired = [life for life in lives if life.fired_at is not None]
    rows = [
        (
            series_text({"__name__": name, **labels}),
            when(life.pending_at / 1000),
            "-" if life.fired_at is None else when(life.fired_at / 1000),
            "still" if life.ended_at is None else when(life.ended_at / 1000),
            age((life.ended_at or end) - life.pending_at),
        )
        for life in lives
        for labels in [dict(life.labels)]
        for name in [labels.pop("alertname", "")]
    ]
    head = ("ALERT", "PENDING", "FIRED", "ENDED", "LASTED")
    alerts = "1 alert" if len(fired) == 1 else f"{len(fired)} alerts"
    told = f"{backtest.samples} samples, {alerts} fired, {len(lives) - len(fired)} did not"
    return f"{table(head, rows)}\n{told}" if rows else told
