"""Incidents: those that somebody has to look after, and those that are over."""

from typing import Final

from nicegui import ui

from ops.console.frame import Card, column, header, show_health, table
from ops.console.glance import EVERY
from ops.console.incident_rows import incident_rows
from ops.console.look import Eyes

_STATE: Final = """<q-td :props="props"><span :class="'tc-state tc-' + props.row.state">
 {{ props.row.state }}</span></q-td>"""
_TITLE: Final = """<q-td :props="props"><a class="tc-alert tc-link" :href="'incidents/' +
 encodeURIComponent(props.row.id)">{{ props.row.title }}</a>
 <div class="tc-summary">{{ props.row.names }}</div></q-td>"""
_CARD: Final = """<a class="tc-item tc-plain" :href="'incidents/' +
 encodeURIComponent(props.row.id)"><div class="tc-line">
 <span :class="'tc-state tc-' + props.row.state">{{ props.row.state }}</span>
 <span class="tc-far">{{ props.row.opened }}</span></div>
 <div class="tc-alert">{{ props.row.title }}</div>
 <div class="tc-summary">{{ props.row.names }}</div>
 <div class="tc-summary">{{ props.row.who }}</div>
 <div class="tc-faint">{{ props.row.receiver }} · {{ props.row.alerts }} alerts</div></a>"""
_COLUMNS: Final = [
    column("state", "State"),
    column("title", "Incident"),
    column("who", "Who", sortable=False),
    column("receiver", "Told"),
    column("alerts", "Alerts", "right"),
    column("opened", "Opened", "right", sortable=False),
]


class IncidentsPage:
    """One browser's page."""

    def __init__(self, eyes: Eyes) -> None:
        self.eyes = eyes
        self._build()

    async def open(self) -> None:
        """Show what there is, and go on looking."""
        await self.refresh()
        ui.timer(EVERY, self.refresh, immediate=False)

    async def refresh(self) -> None:
        """Look again."""
        show_health(self.health, self.reason, (await self.eyes.present()).health)
        found, now = await self.eyes.incidents.look(), self.eyes.services.now()
        live = incident_rows(found, now, over=False)
        past = incident_rows(found, now, over=True)
        if live != self.live.rows:
            self.live.rows = live
        if past != self.past.rows:
            self.past.rows = past
        self.live.set_visibility(bool(live))
        self.quiet.set_visibility(not live)
        self.over.set_visibility(bool(past))

    def _build(self) -> None:
        self.health, self.reason = header("/incidents")
        with ui.element("main").classes("tc-page"):
            with Card("Incidents"):
                self.quiet = ui.label("Nobody has been paged for anything that goes on.")
                self.quiet.classes("tc-quiet")
                self.live = table(_COLUMNS, _CARD)
            with Card("Resolved") as self.over:
                self.past = table(_COLUMNS, _CARD)
        for made in (self.live, self.past):
            made.add_slot("body-cell-state", _STATE)
            made.add_slot("body-cell-title", _TITLE)
