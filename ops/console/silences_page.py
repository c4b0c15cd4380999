"""Silences and maintenance windows: what is hidden, making one with its preview, ending one."""

import asyncio
from typing import Any, Final

from nicegui import ui

from ops import incidents, maintenance
from ops.commands import NotDone
from ops.console.frame import Card, button, column, header, show_health, table
from ops.console.glance import EVERY
from ops.console.look import Eyes
from ops.console.maintenance_rows import hidden_rows, incident_matchers
from ops.console.window_form import WindowForm

_STATE: Final = """<q-td :props="props"><span :class="'tc-state tc-' + props.row.state">
 {{ props.row.state }}</span></q-td>"""
_WHAT: Final = """<q-td :props="props"><div class="tc-alert tc-code">{{ props.row.matchers }}</div>
 <div class="tc-summary">{{ props.row.comment }}</div></q-td>"""
_WHEN: Final = """<q-td :props="props"><div>{{ props.row.when }}</div>
 <div class="tc-faint">{{ props.row.detail }}</div></q-td>"""
_END: Final = """<q-td :props="props"><q-btn flat dense no-caps color="primary"
 :label="props.row.kind === 'silence' ? 'Expire' : 'End'"
 @click="$parent.$emit('end', props.row)"/></q-td>"""
_CARD: Final = """<div class="tc-item"><div class="tc-line">
 <span :class="'tc-state tc-' + props.row.state">{{ props.row.state }}</span>
 <span class="tc-faint">{{ props.row.kind }}</span>
 <span class="tc-far">{{ props.row.when }}</span></div>
 <div class="tc-alert tc-code">{{ props.row.matchers }}</div>
 <div class="tc-summary">{{ props.row.comment }}</div>
 <div class="tc-faint">{{ [props.row.detail, props.row.owner].filter(Boolean).join(' · ') }}</div>
 %s</div>"""
_CARD_END: Final = """<div><q-btn outline dense no-caps color="primary" class="tc-do"
 :label="props.row.kind === 'silence' ? 'Expire' : 'End'"
 @click="$parent.$emit('end', props.row)"/></div>"""
_COLUMNS: Final = [
    column("state", "State"),
    column("kind", "Kind"),
    column("matchers", "Hides"),
    column("when", "When", sortable=False),
    column("owner", "Owner"),
]


class SilencesPage:
    """One browser's page."""

    def __init__(self, eyes: Eyes) -> None:
        self.eyes = eyes
        self._build()

    async def open(self, incident: str = "") -> None:
        """Show what there is, and go on looking; with an incident, the form that silences it."""
        await self.refresh()
        if incident:
            await self._silence(incident)
        ui.timer(EVERY, self.refresh, immediate=False)

    async def refresh(self, *, anew: bool = False) -> None:
        """Look again."""
        show_health(self.health, self.reason, (await self.eyes.present()).health)
        silences, windows = await self.eyes.hidden.look(anew=anew)
        now = self.eyes.services.now()
        live = hidden_rows(silences, windows, now, over=False)
        past = hidden_rows(silences, windows, now, over=True)
        if live != self.live.rows:
            self.live.rows = live
        if past != self.past.rows:
            self.past.rows = past
        self.live.set_visibility(bool(live))
        self.quiet.set_visibility(not live)
        self.over.set_visibility(bool(past))

    async def _silence(self, name: str) -> None:
        try:
            found = await asyncio.to_thread(incidents.found, self.eyes.services, name)
        except NotDone as fault:
            ui.notify(str(fault), type="negative")
            return
        self.form.open_for(incident_matchers(found), f"incident {found.id[:12]}")

    def _build(self) -> None:
        self.health, self.reason = header("/silences")
        self.form = WindowForm(self.eyes.services, self._made)
        with ui.element("main").classes("tc-page"):
            with Card("Silences and maintenance windows") as card:
                with card.heading:
                    button("New", self.form.open, "icon=add color=primary").mark("new")
                self.quiet = ui.label("Nothing is silenced, and no maintenance is planned.")
                self.quiet.classes("tc-quiet")
                self.live = table([*_COLUMNS, column("end", "", sortable=False)], _CARD % _CARD_END)
                self._slots(self.live)
                self.live.add_slot("body-cell-end", _END)
                self.live.on("end", lambda event: self._ask(event.args))
            with Card("Over") as self.over:
                self.past = table(_COLUMNS, _CARD % "")
                self._slots(self.past)

    @staticmethod
    def _slots(made: ui.table) -> None:
        made.add_slot("body-cell-state", _STATE)
        made.add_slot("body-cell-matchers", _WHAT)
        made.add_slot("body-cell-when", _WHEN)

    async def _made(self) -> None:
        await self.refresh(anew=True)

    async def _ask(self, row: dict[str, Any]) -> None:
        """Whether it shall really end."""
        kind, name = str(row.get("kind", "")), str(row.get("id", ""))
        with ui.dialog() as dialog, ui.card().classes("tc-dialog"):
            ui.label(f"End this {'silence' if kind == 'silence' else 'window'} now?")
            ui.label(str(row.get("matchers", ""))).classes("tc-code tc-alert")
            ui.label("What still fires may page at once.").classes("tc-faint")
            with ui.element("div").classes("tc-buttons"):
                button("Keep it", lambda: dialog.submit(False), "flat")
                button("End it", lambda: dialog.submit(True), "color=negative").mark("sure")
        if await dialog:
            await self._end(kind, name)
        dialog.delete()

    async def _end(self, kind: str, name: str) -> None:
        do = maintenance.expire_silence if kind == "silence" else maintenance.end_window
        try:
            await asyncio.to_thread(do, self.eyes.services, name, "console")
        except NotDone as fault:
            ui.notify(str(fault), type="negative")
        await self.refresh(anew=True)
