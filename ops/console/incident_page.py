"""One incident: how it stands, what can be done about it, its alerts and its timeline."""

import asyncio
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from nicegui import ui

from notifiers.duration import milliseconds
from notifiers.explain.asked import Asked, fingerprint_of
from notifiers.incidents.view import IncidentView
from ops import incidents
from ops.commands import NotDone
from ops.console.frame import Card, button, column, header, name_input, show_health, table
from ops.console.glance import EVERY
from ops.console.incident_rows import alert_lines, clock, timeline_lines, title, who
from ops.console.look import Eyes
from ops.console.why_rows import WhyLine, more_text, why_lines
from ops.explaining import explain
from schemas.incidents import IncidentAction, IncidentState

NO_INCIDENT: Final = "This alert is in no incident now: nobody was paged for it, or it is over."
_STATE: Final = """<q-td :props="props"><span :class="'tc-state tc-' + props.row.state">
 {{ props.row.state }}</span></q-td>"""
_ALERT: Final = """<q-td :props="props"><div class="tc-alert">{{ props.row.alert }}</div>
 <div class="tc-summary">{{ props.row.summary }}</div></q-td>"""
_CARD: Final = """<div class="tc-item"><div class="tc-line">
 <span :class="'tc-state tc-' + props.row.state">{{ props.row.state }}</span>
 <span class="tc-far">{{ props.row.covered }}</span></div>
 <div class="tc-alert">{{ props.row.alert }}</div>
 <div class="tc-summary">{{ props.row.summary }}</div>
 <div class="tc-faint">{{ props.row.labels }}</div></div>"""
_COLUMNS: Final = [
    column("state", "State"),
    column("alert", "Alert"),
    column("labels", "Labels", sortable=False),
    column("covered", "", sortable=False),
]


class IncidentPage:
    """One browser's page of one incident."""

    def __init__(self, eyes: Eyes, name: str) -> None:
        self.eyes = eyes
        self.name = name[:200]
        self._shown: IncidentView | None = None
        self._build()

    async def open(self) -> None:
        """Show it, and go on looking."""
        await self.refresh()
        ui.timer(EVERY, self.refresh, immediate=False)
        # Not before the page is sent: history may take its time.
        ui.timer(0.1, self._explain, once=True)

    async def refresh(self, *, anew: bool = False) -> None:
        """Look again."""
        show_health(self.health, self.reason, (await self.eyes.present()).health)
        try:
            known = await self.eyes.incidents.look(anew=anew)
            found = await asyncio.to_thread(self._found, known)
        except NotDone as fault:
            self._miss(str(fault))
            return
        self._show(found)

    def _miss(self, why: str) -> None:
        """There is none; of an alert it still says why nobody was paged."""
        is_alert = fingerprint_of(self.name) != ""
        self.gone.set_text(NO_INCIDENT if is_alert else why)
        self.gone.set_visibility(True)
        self.why_card.set_visibility(is_alert)
        for part in self.parts:
            part.set_visibility(False)

    def _found(self, known: Sequence[IncidentView]) -> IncidentView:
        services = self.eyes.services
        found = next((one for one in known if one.id == self.name), None)
        return incidents.whole(services, found or incidents.found(services, self.name))

    def _show(self, found: IncidentView) -> None:
        now = self.eyes.services.now()
        self.gone.set_visibility(False)
        for part in (*self.parts, self.why_card):
            part.set_visibility(True)
        self.title.set_text(title(found))
        self.state.set_text(str(found.state))
        for state in IncidentState:
            self.state.classes(**{"add" if state is found.state else "remove": f"tc-{state}"})
        self.who.set_text(who(found, now))
        told = ", ".join((found.receiver, *found.also))
        policy = f" · policy {found.policy}" if found.policy else ""
        self.facts.set_text(f"told {told} · opened {clock(found.opened_at)}{policy} · {found.id}")
        over = found.state is IncidentState.RESOLVED
        self.acknowledge.set_visibility(found.state is IncidentState.OPEN)
        self.unacknowledge.set_visibility(found.state is IncidentState.ACKNOWLEDGED)
        self.resolve.set_visibility(not over)
        self.silence.set_visibility(not over)
        self.wrong.set_visibility(not found.false_positive)
        self.lasts.set_visibility(not over)
        self.alerts.rows = alert_lines(found)
        self.alerts.set_visibility(bool(found.alerts))
        self.none.set_visibility(not found.alerts)
        if self._shown is None or self._shown.timeline != found.timeline:
            self._tell(found)
        self._shown = found

    def _tell(self, found: IncidentView) -> None:
        self.timeline.clear()
        with self.timeline:
            for line in timeline_lines(found):
                with ui.element("div").classes("tc-happening"):
                    ui.label(line["at"]).classes("tc-faint tc-when")
                    with ui.element("div"):
                        by = f" by {line['by']}" if line["by"] else ""
                        ui.label(f"{line['what']}{by}").classes("tc-alert")
                        if line["detail"]:
                            ui.label(line["detail"]).classes("tc-summary")
            if found.dropped:
                ui.label(f"{found.dropped} lines are only in history").classes("tc-faint")

    async def _explain(self) -> None:
        asked = Asked(fingerprint=fingerprint_of(self.name))
        if self._shown is not None:
            asked = Asked(incident=self._shown.id)
        elif not asked.fingerprint:
            return
        found = await asyncio.to_thread(explain, self.eyes.services, asked)
        self.why.clear()
        with self.why:
            for line in why_lines(found):
                _show_why(line)
            if text := found.nothing or more_text(found):
                ui.label(text).classes("tc-faint")

    def _build(self) -> None:
        self.health, self.reason = header("/incidents")
        with ui.element("main").classes("tc-page"):
            self.gone = ui.label("").classes("tc-banner").mark("gone")
            self.gone.set_visibility(False)
            with ui.element("div").classes("tc-parts"):
                head = self._head()
                with Card("Alerts") as alerts:
                    self.none = ui.label("It is over; the timeline names its alerts.").classes(
                        "tc-quiet"
                    )
                    self.alerts = table(_COLUMNS, _CARD)
                    self.alerts.add_slot("body-cell-state", _STATE)
                    self.alerts.add_slot("body-cell-alert", _ALERT)
                with Card("Why was somebody paged, or nobody?") as self.why_card:
                    self.why = ui.element("div").classes("tc-timeline").mark("why")
                    with self.why_card.heading:
                        button("Look again", self._explain, "flat color=primary")
                with Card("Timeline") as timeline:
                    self.timeline = ui.element("div").classes("tc-timeline").mark("timeline")
        self.parts = (head, alerts, timeline)

    def _head(self) -> ui.element:
        with ui.element("section").classes("tc-card tc-incident") as head:
            with ui.element("div").classes("tc-line"):
                self.title = ui.label("…").classes("tc-big-title")
                self.state = ui.label("").classes("tc-state tc-far").mark("state")
            self.who = ui.label("").classes("tc-whose")
            self.facts = ui.label("").classes("tc-faint tc-wrap")
            with ui.element("div").classes("tc-acts"):
                self.by = name_input()
                self.lasts = ui.input("For", placeholder="as configured")
                self.note = ui.input("Note")
                for field in (self.lasts, self.note):
                    field.props("outlined dense")
                self.lasts.mark("lasts")
                self.note.mark("note")
            with ui.element("div").classes("tc-buttons"):
                self.acknowledge = self._act("Acknowledge", IncidentAction.ACKNOWLEDGE, "primary")
                self.unacknowledge = self._act(
                    "Give it back", IncidentAction.UNACKNOWLEDGE, "warning"
                )
                self.resolve = self._act("Resolve", IncidentAction.RESOLVE, "positive")
                self._act("Add note", IncidentAction.NOTE, "")
                self.silence = button("Silence …", self._silence, "outline color=primary")
                self.wrong = self._act("False positive", IncidentAction.FALSE_POSITIVE, "")
        return head

    def _act(self, text: str, action: IncidentAction, colour: str) -> ui.button:
        look = f"color={colour}" if colour else "outline color=primary"
        return button(text, lambda: self._do(action), look).mark(action.replace(" ", "-"))

    def _silence(self) -> None:
        name = self.name if self._shown is None else self._shown.id
        ui.navigate.to(f"/silences?incident={quote(name, safe='')}")

    async def _do(self, action: IncidentAction) -> None:
        try:
            wish = self._wish(action)
            await asyncio.to_thread(incidents.act, self.eyes.services, self.name, wish)
        except NotDone as fault:
            ui.notify(str(fault), type="negative")
            return
        self.note.set_value("")
        await self.refresh(anew=True)

    def _wish(self, action: IncidentAction) -> incidents.Act:
        by, note = str(self.by.value or "").strip(), str(self.note.value or "").strip()
        text = str(self.lasts.value or "").strip()
        lasts = None
        if text and action is IncidentAction.ACKNOWLEDGE:
            try:
                lasts = milliseconds(text)
            except ValueError as fault:
                raise NotDone(400, f"for: {fault}") from fault
        return incidents.Act(action, by, note, lasts)


def _show_why(line: WhyLine) -> None:
    with ui.element("div").classes("tc-why"):
        ui.label(line.title).classes("tc-alert")
        ui.label(line.answer)
        for text in (line.spent, line.limits):
            if text:
                ui.label(text).classes("tc-faint tc-wrap")
        for one in line.channels:
            with ui.element("div").classes("tc-channel"):
                ui.label(one.standing).classes("tc-state")
                with ui.element("div"):
                    ui.label(f"{one.name}: {one.text}" if one.text else one.name)
                    for text in one.causes:
                        ui.label(text).classes("tc-summary")
                    if one.way:
                        ui.label(one.way).classes("tc-faint tc-code tc-wrap")
