"""An expression, its values now and lately: where the source links of alerts lead."""

import asyncio
from typing import Final

from nicegui import ui

from ops.console.frame import Card, button, column, header, show_health, table
from ops.console.glance import EVERY
from ops.console.graph_rows import MOST_ROWS, STRETCHES, count_text, lines_of, value_rows
from ops.console.look import Eyes
from ops.console.rows import Metric
from ops.console.theme import chart_options
from ops.services import QueryResult, Series
from schemas.errors import TocsinError

MOST_TEXT: Final = 20_000
"""Characters of an expression that are taken from a link."""
_PLAIN: Final = Metric("Values", "", "")
_SERIES: Final = """<q-td :props="props"><span class="tc-code tc-wrap">{{ props.row.series }}</span>
 </q-td>"""
_CARD: Final = """<div class="tc-item"><span class="tc-code tc-wrap">{{ props.row.series }}</span>
 <span class="tc-alert">{{ props.row.value }}</span></div>"""
_COLUMNS: Final = [column("series", "Series"), column("value", "Value", "right", sortable=False)]


class GraphPage:
    """One browser's page; nothing is asked but when it opens and when somebody asks."""

    def __init__(self, eyes: Eyes, expr: str) -> None:
        self.eyes = eyes
        self.stretch = "1h"
        self._build(expr[:MOST_TEXT])

    async def open(self) -> None:
        """Show the page, then the answer: history may take its time."""
        await self._look()
        ui.timer(EVERY, self._look, immediate=False)
        ui.timer(0.1, self.ask, once=True)

    async def ask(self) -> None:
        """Show what the expression gives."""
        expr = str(self.expr.value or "").strip()
        if not expr:
            return
        try:
            now, series, start, end = await asyncio.to_thread(self._asked, expr)
        except TocsinError as fault:
            self._show_fault(str(fault) or "history does not answer")
            return
        self.fault.set_visibility(False)
        rows = value_rows(now)
        self.values.rows = rows[:MOST_ROWS]
        self.values.set_visibility(bool(rows))
        self.count.set_text(count_text(len(rows)))
        self.chart.options.clear()
        self.chart.options.update(chart_options(_PLAIN, lines_of(series), (start, end)))
        self.chart.update()
        self.answer.set_visibility(True)

    def _asked(self, expr: str) -> tuple[QueryResult, list[Series], int, int]:
        length, step = STRETCHES[self.stretch]
        services = self.eyes.services
        end = services.now() // step * step
        now = services.query(expr, None)
        return now, list(services.query_range(expr, end - length, end, step)), end - length, end

    async def _choose(self, stretch: str) -> None:
        self.stretch = stretch
        await self.ask()

    async def _look(self) -> None:
        show_health(self.health, self.reason, (await self.eyes.present()).health)

    def _show_fault(self, text: str) -> None:
        self.fault.set_text(text)
        self.fault.set_visibility(True)
        self.answer.set_visibility(False)

    def _build(self, expr: str) -> None:
        self.health, self.reason = header("/graph")
        with ui.element("main").classes("tc-page"):
            with Card("Query"), ui.element("div").classes("tc-query"):
                self.expr = ui.textarea("PromQL", value=expr, placeholder="node_load1")
                self.expr.props("outlined dense autogrow input-class=tc-code").mark("expr")
                self.expr.on("keydown.ctrl.enter", self.ask)
                with ui.element("div").classes("tc-buttons"):
                    button("Ask", self.ask, "color=primary").mark("ask")
                self.fault = ui.label("").classes("tc-fault").mark("fault")
                self.fault.set_visibility(False)
            with ui.element("div").classes("tc-parts") as self.answer:
                with Card("Values over time") as card:
                    with card.heading:
                        ui.toggle(
                            list(STRETCHES),
                            value=self.stretch,
                            on_change=lambda event: self._choose(event.value),
                        ).props('dense no-caps toggle-color="primary" unelevated').classes(
                            "tc-toggle"
                        )
                    self.chart = ui.echart(chart_options(_PLAIN, ())).classes("tc-chart")
                with Card("Values now"):
                    self.count = ui.label("").classes("tc-quiet")
                    self.values = table(_COLUMNS, _CARD)
                    self.values.add_slot("body-cell-series", _SERIES)
            self.answer.set_visibility(False)
