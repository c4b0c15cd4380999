"""The form in which a silence or a window is written, looked at beforehand, and made."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from nicegui import ui

from ops import maintenance
from ops.commands import NotDone
from ops.console.frame import button, name_input
from ops.console.maintenance_rows import preview_lines, span_lines
from ops.services import Services

KINDS: Final = {
    "silence": "Silence",
    "once": "Once",
    "recurring": "Recurring",
    "deploy": "Deploys",
}
_FIELDS: Final = {
    "silence": ("for",),
    "once": ("from", "for"),
    "recurring": ("every", "until"),
    "deploy": ("timeout",),
}
"""Which of the fields about time belong to a kind."""
_HINTS: Final = {
    "from": ("From", "now, or 2026-12-24T18:00:00+01:00"),
    "for": ("For", "2h"),
    "every": ("Every", "tuesday 02:00 for 2h in Europe/Berlin"),
    "until": ("Until, for good", "never, or 2027-01-01T00:00:00Z"),
    "timeout": ("At most", "30m"),
}


class WindowForm:
    """A dialog; `made` is called after something was made."""

    def __init__(self, services: Services, made: Callable[[], Awaitable[None]]) -> None:
        self._services = services
        self._made = made
        self.kind = "silence"
        self._build()

    def open(self) -> None:
        """Show it, as it was left."""
        self.preview.set_visibility(False)
        self.fault.set_visibility(False)
        self.dialog.open()

    def open_for(self, matchers: Sequence[str], comment: str) -> None:
        """Show it filled in, to hide what these matchers match."""
        self.matchers.set_value("\n".join(matchers))
        self.comment.set_value(comment)
        self.open()

    def body(self) -> dict[str, Any]:
        """What was typed, as the API takes it."""
        lines = [line.strip() for line in str(self.matchers.value or "").splitlines()]
        given = {name: str(self.times[name].value or "").strip() for name in _FIELDS[self.kind]}
        given |= {
            "remind_before": str(self.remind.value or "").strip(),
            "remind_to": str(self.remind_to.value or "").strip(),
        }
        return {
            "matchers": [line for line in lines if line],
            "owner": str(self.owner.value or "").strip(),
            "comment": str(self.comment.value or "").strip(),
            "force": bool(self.force.value),
            **{name: text for name, text in given.items() if text},
        }

    def _build(self) -> None:
        with ui.dialog() as self.dialog, ui.card().classes("tc-dialog"):
            ui.label("Hide alerts").classes("tc-title")
            ui.toggle(
                KINDS, value=self.kind, on_change=lambda event: self._turn(event.value)
            ).props('dense no-caps toggle-color="primary" unelevated').classes("tc-toggle")
            self.matchers = ui.textarea("Matchers, one a line", placeholder='service="shop"')
            self.matchers.props("outlined dense autogrow input-class=tc-code").mark("matchers")
            with ui.element("div").classes("tc-pair"):
                self.times = {
                    name: ui.input(label, placeholder=hint).props("outlined dense").mark(name)
                    for name, (label, hint) in _HINTS.items()
                }
            with ui.element("div").classes("tc-pair"):
                self.owner = name_input("Owner")
                self.comment = ui.input("Comment").props("outlined dense").mark("comment")
                self.remind = ui.input("Remind before the end", placeholder="15m")
                self.remind_to = ui.input("Remind whom", placeholder="the owner's receiver")
                for field in (self.remind, self.remind_to):
                    field.props("outlined dense")
            self.fault = ui.label("").classes("tc-fault").mark("fault")
            self.preview = ui.element("div").classes("tc-preview").mark("preview")
            self.force = ui.checkbox("Hide it all the same").props("dense").mark("force")
            with ui.element("div").classes("tc-buttons"):
                button("Cancel", self.dialog.close, "flat")
                button("Preview", self._look, "outline color=primary").mark("look")
                button("Make it", self._make, "color=primary").mark("make")
        self.force.set_visibility(False)
        self._turn(self.kind)

    def _turn(self, kind: str) -> None:
        self.kind = kind if kind in KINDS else "silence"
        for name, field in self.times.items():
            field.set_visibility(name in _FIELDS[self.kind])

    async def _look(self) -> None:
        found = await self._try(self._previewed)
        if found is None:
            return
        self.preview.clear()
        with self.preview:
            for line in preview_lines(found):
                ui.label(line).classes("tc-preview-line")
            for local, utc in span_lines(found):
                ui.label(local).classes("tc-preview-span")
                if local != utc:
                    ui.label(utc).classes("tc-faint")
            if not found.spans:
                ui.label("It holds at no time in the next 400 days.").classes("tc-fault")
            if found.reach.too_broad:
                ui.label(f"Very broad: {found.reach.too_broad}.").classes("tc-fault")
        self.force.set_visibility(bool(found.reach.too_broad))
        self.preview.set_visibility(True)

    async def _make(self) -> None:
        if await self._try(self._command) is None:
            return
        self.force.set_value(False)
        self.force.set_visibility(False)
        self.dialog.close()
        await self._made()

    def _previewed(self, text: str) -> maintenance.Preview:
        return maintenance.previewed(self._services, maintenance.wish_of(self._services, text))

    def _command(self, text: str) -> str:
        wish = maintenance.wish_of(self._services, text)
        if self.kind == "silence":
            return maintenance.add_silence(self._services, wish)
        return maintenance.set_window(self._services, wish).window.id

    async def _try(self, do: Callable[[str], Any]) -> Any:
        try:
            found = await asyncio.to_thread(do, json.dumps(self.body()))
        except NotDone as fault:
            self.fault.set_text(str(fault))
            self.fault.set_visibility(True)
            self.force.set_visibility(fault.status == 409)
            return None
        self.fault.set_visibility(False)
        return found
