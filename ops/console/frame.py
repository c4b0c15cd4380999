"""What all pages have: the header with its ways, cards, tables, and who is looking at them.

Text from outside goes into labels, table cells and inputs alone, which escape it.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from nicegui import ui

from ops.console.theme import COLOURS, STYLE

WAYS: Final = (
    ("/", "Overview"),
    ("/incidents", "Incidents"),
    ("/silences", "Silences"),
    ("/graph", "Query"),
)
_NAME: Final = "tocsin-name"


class Card(ui.element):
    """A titled part of the page."""

    def __init__(self, title: str) -> None:
        super().__init__("section")
        self.classes("tc-card")
        with self:
            self.heading = ui.element("div").classes("tc-heading")
            with self.heading:
                ui.label(title).classes("tc-title")


def header(here: str) -> tuple[ui.badge, ui.label]:
    """The header of the page at this path: the badge of health, and the label of its reason."""
    ui.add_css(STYLE)
    ui.colors(**COLOURS)
    dark = ui.dark_mode(None)
    with ui.header(elevated=False).classes("tc-header"), ui.element("div").classes("tc-top"):
        ui.icon("notifications_active").classes("tc-bell")
        ui.label("Tocsin").classes("tc-name")
        with ui.element("nav").classes("tc-ways"):
            for path, title in WAYS:
                way = ui.link(title, path).classes("tc-way")
                if path == here:
                    way.classes("tc-here").props('aria-current="page"')
        health = ui.badge("…", color="grey-7").classes("tc-health").mark("health")
        reason = ui.label("").classes("tc-reason tc-clip")
        ui.space()
        # Auto follows the browser; the button is for those who know better.
        button = ui.button(icon="contrast").props("flat round dense color=white")
        button.props('aria-label="Dark or light"')
        button.on("click", js_handler="() => emit(Quasar.Dark.isActive)")
        button.on("click", lambda event: dark.set_value(not event.args))
    return health, reason


def show_health(badge: ui.badge, reason: ui.label, health: tuple[str, str, str]) -> None:
    """Put the word of health into the header."""
    word, colour, why = health
    badge.set_text(word)
    badge.props(f"color={colour}")
    reason.set_text(why)
    reason.set_visibility(bool(why))


def table(columns: list[dict[str, Any]], card: str) -> ui.table:
    """A table, which is a list of cards on a narrow screen."""
    made = ui.table(columns=columns, rows=[], row_key="id", pagination=25)
    made.props('flat :grid="Quasar.Screen.lt.sm" hide-pagination').classes("tc-table")
    made.add_slot("item", card)
    return made


def column(name: str, label: str, align: str = "left", *, sortable: bool = True) -> dict[str, Any]:
    """A column of a table."""
    return {"name": name, "label": label, "field": name, "align": align, "sortable": sortable}


def name_input(title: str = "Your name") -> ui.input:
    """Who does this; the browser remembers the name."""
    field = ui.input(title).props("outlined dense").mark("who")
    field.on("blur", js_handler=f"(e) => localStorage.setItem('{_NAME}', e.target.value)")

    async def recall() -> None:
        known = await ui.run_javascript(f"localStorage.getItem('{_NAME}') || ''", timeout=5)
        if isinstance(known, str) and not field.value:
            field.set_value(known[:200])

    # Not a timer: that waits for the browser, and then NiceGUI sends the page before it is filled.
    ui.context.client.on_connect(recall)
    return field


def button(title: str, do: Callable[[], Awaitable[None] | None], look: str = "") -> ui.button:
    """A button in the page's manner."""
    return ui.button(title, on_click=do).props(f"no-caps unelevated dense {look}").classes("tc-do")
