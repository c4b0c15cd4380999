"""The live page: what `rows` says, put where people look; this file and `mount` know NiceGUI.

Text from outside goes into labels, table cells and chart names alone, which escape it; never into
HTML, props or scripts.
"""

import asyncio
from typing import Final

from nicegui import ui

from ops.console.frame import Card, column, header, show_health, table
from ops.console.glance import EVERY
from ops.console.look import Eyes, Look
from ops.console.rows import METRICS
from ops.console.theme import chart_options

PATIENCE: Final = 1.0
"""Seconds that the page waits for its first look."""

_SEVERITY = """<q-td :props="props"><span
 :class="'tc-badge tc-is-' + props.row.look">{{ props.row.severity }}</span></q-td>"""
_STATE = """<q-td :props="props"><span :class="'tc-state tc-' + props.row.state">
 {{ props.row.state }}</span></q-td>"""
_BAR = """<q-td :props="props"><div v-if="props.row.%(name)s !== null" class="tc-bar">
 <q-linear-progress :value="props.row.%(name)s" :color="props.row.%(name)s_colour"
 size="6px" rounded instant-feedback aria-hidden="true"/><span>{{ props.row.%(name)s_text }}</span>
 </div><span v-else>–</span></q-td>"""
_SUMMARY = """<q-td :props="props"><a class="tc-alert tc-link" :href="'incidents/' +
 encodeURIComponent(props.row.id)">{{ props.row.alert }}</a>
 <div class="tc-summary">{{ props.row.summary }}</div></q-td>"""
_INCIDENT = """<q-td :props="props"><a v-if="props.row.incident" class="tc-link tc-incident-link"
 :href="'incidents/' + encodeURIComponent(props.row.incident)">
 <span :class="'tc-state tc-' + props.row.incident_state">{{ props.row.incident_state }}</span>
 <div class="tc-summary">{{ props.row.whose }}</div></a><span v-else>–</span></q-td>"""
_ALERT_CARD = """<div class="tc-item"><div class="tc-line">
 <span :class="'tc-badge tc-is-' + props.row.look">{{ props.row.severity }}</span>
 <span :class="'tc-state tc-' + props.row.state">{{ props.row.state }}</span>
 <span class="tc-far">{{ props.row.since }}</span></div>
 <a class="tc-alert tc-link" :href="'incidents/' +
 encodeURIComponent(props.row.id)">{{ props.row.alert }}</a>
 <div class="tc-summary">{{ props.row.summary }}</div>
 <div class="tc-faint">{{ [props.row.service, props.row.instance].filter(Boolean).join(' · ') }}
 · {{ props.row.value }}</div>
 <a v-if="props.row.incident" class="tc-link tc-incident-link"
 :href="'incidents/' + encodeURIComponent(props.row.incident)">
 <span :class="'tc-state tc-' + props.row.incident_state">Incident
 {{ props.row.incident_state }}</span>
 <span class="tc-faint"> {{ props.row.whose }}</span></a></div>"""
_HOST_CARD = """<div class="tc-item"><div class="tc-line"><span class="tc-alert tc-clip">
 {{ props.row.instance }}</span><span class="tc-far"><span
 :class="'tc-state tc-' + props.row.state">{{ props.row.state }}</span></span></div>
 <div class="tc-grid"><template v-for="[key, name] in
 [['cpu', 'CPU'], ['memory', 'Memory'], ['disk', 'Disk']]"><span>{{ name }}</span>
 <q-linear-progress :value="props.row[key] || 0" :color="props.row[key + '_colour']"
 size="6px" rounded instant-feedback aria-hidden="true"/>
 <span class="tc-number">{{ props.row[key + '_text'] }}</span>
 </template></div><div class="tc-faint">load {{ props.row.load }} · {{ props.row.seen }}</div>
 </div>"""


_ALERTS = [
    column("severity", "Severity", sortable=False),
    column("state", "State"),
    column("alert", "Alert"),
    column("service", "Service"),
    column("instance", "Instance"),
    column("incident_state", "Incident"),
    column("since", "Since", "right", sortable=False),
    column("value", "Value", "right", sortable=False),
]
_HOSTS = [
    column("instance", "Instance"),
    column("state", "State"),
    column("cpu", "CPU"),
    column("memory", "Memory"),
    column("disk", "Fullest disk"),
    column("load", "Load", "right"),
    column("seen", "Last seen", "right", sortable=False),
]


class Page:
    """One browser's page; `show` brings it up to a look."""

    def __init__(self, eyes: Eyes) -> None:
        self.eyes = eyes
        self.metric = "cpu"
        self._shown: dict[str, object] = {}
        self._build()

    async def open(self) -> None:
        """Show a first look if it comes soon, and go on looking."""
        first = asyncio.create_task(self.eyes.look(self.metric))
        # NiceGUI gives up a page that is not built within three seconds.
        await asyncio.wait({first}, timeout=PATIENCE)
        if first.done():
            self.show(await first)
        # Not before: a timer waits for the browser, and then NiceGUI sends the page as it stands.
        ui.timer(EVERY, self.refresh, immediate=not first.done())

    async def refresh(self) -> None:
        """Look again."""
        self.show(await self.eyes.look(self.metric))

    async def choose(self, metric: str) -> None:
        """Another metric in the chart."""
        self.metric = metric
        look = await self.eyes.look(metric)
        self.chart.options.clear()
        self.chart.options.update(chart_options(METRICS[metric], look.past.lines, look.past.span))
        self.chart.update()
        self._shown["lines"] = (look.past.lines, look.past.span)
        self.show(look)

    def show(self, look: Look) -> None:
        """Send what changed."""
        firing = sum(1 for row in look.present.alerts if row["state"] == "firing")
        alive = sum(1 for row in look.past.hosts if row["state"] == "up")
        if self._new("health", look.present.health):
            show_health(self.health, self.reason, look.present.health)
        if self._new("stages", look.present.stages):
            self.stages.clear()
            with self.stages:
                for stage in look.present.stages:
                    _stage(stage)
        if self._new("incidents", look.present.incidents):
            self.tiles["incidents"].set_text(str(look.present.incidents))
        if self._new("tiles", (firing, len(look.present.alerts), alive, len(look.past.hosts))):
            self.tiles["firing"].set_text(str(firing))
            alarm = {"add": "tc-alarm"} if firing else {"remove": "tc-alarm"}
            self.tiles["firing"].classes(**alarm)
            self.tiles["pending"].set_text(str(len(look.present.alerts) - firing))
            self.tiles["hosts"].set_text(f"{alive} / {len(look.past.hosts)}")
            ui.page_title(f"({firing}) Tocsin" if firing else "Tocsin")
        if self._new("fault", look.past.fault):
            self.away.set_visibility(bool(look.past.fault))
            self.why_away.set_text(look.past.fault)
        if self._new("alerts", look.present.alerts):
            self.alerts.rows = list(look.present.alerts)
            self.quiet.set_visibility(not look.present.alerts)
            self.alerts.set_visibility(bool(look.present.alerts))
        if self._new("hosts", look.past.hosts):
            self.hosts.rows = list(look.past.hosts)
        if self._new("lines", (look.past.lines, look.past.span)):
            start, end = look.past.span
            fresh = {"series": list(look.past.lines), "xAxis": {"min": start, "max": end}}
            # Not update(): that would draw anew and show again the lines that people hid.
            self.chart.run_chart_method("setOption", fresh)

    def _new(self, part: str, value: object) -> bool:
        if self._shown.get(part) == value:
            return False
        self._shown[part] = value
        return True

    def _build(self) -> None:
        self.health, self.reason = header("/")
        with ui.element("main").classes("tc-page"):
            self._banner()
            with ui.element("div").classes("tc-tiles"):
                self.tiles = {
                    name: _tile(title, way)
                    for name, title, way in (
                        ("firing", "Firing", ""),
                        ("pending", "Pending", ""),
                        ("incidents", "Incidents", "/incidents"),
                        ("hosts", "Hosts up", ""),
                    )
                }
            self.stages = ui.element("div").classes("tc-stages").mark("stages")
            with Card("Alerts"):
                self.quiet = ui.label("All quiet: no alert is firing or pending.")
                self.quiet.classes("tc-quiet")
                self.alerts = table(_ALERTS, _ALERT_CARD)
                self.alerts.add_slot("body-cell-severity", _SEVERITY)
                self.alerts.add_slot("body-cell-state", _STATE)
                self.alerts.add_slot("body-cell-alert", _SUMMARY)
                self.alerts.add_slot("body-cell-incident_state", _INCIDENT)
            with Card("Hosts"):
                self.hosts = table(_HOSTS, _HOST_CARD)
                self.hosts.props('no-data-label="No host has reported yet."')
                self.hosts.add_slot("body-cell-state", _STATE)
                for name in ("cpu", "memory", "disk"):
                    self.hosts.add_slot(f"body-cell-{name}", _BAR % {"name": name})
            with Card("Last 15 minutes") as card:
                titles = {name: metric.title for name, metric in METRICS.items()}
                with card.heading:
                    ui.toggle(
                        titles, value="cpu", on_change=lambda event: self.choose(event.value)
                    ).props('dense no-caps toggle-color="primary" unelevated').classes("tc-toggle")
                self.chart = ui.echart(chart_options(METRICS["cpu"], ())).classes("tc-chart")

    def _banner(self) -> None:
        self.away = ui.element("div").classes("tc-banner").mark("away")
        with self.away:
            ui.icon("cloud_off")
            with ui.element("div"):
                ui.label("History is away. Alerts go on; hosts and chart show what was last known.")
                self.why_away = ui.label("").classes("tc-faint")
        self.away.set_visibility(False)


def _tile(title: str, way: str = "") -> ui.label:
    """A number with a title, which may lead to another page."""
    tile = ui.link(target=way).classes("tc-plain") if way else ui.element("div")
    with tile.classes("tc-tile"):
        number = ui.label("–").classes("tc-big")
        ui.label(title).classes("tc-faint")
    return number


def _stage(stage: dict[str, str]) -> None:
    # The state is one of three words of ours, so it may name a class.
    with ui.element("div").classes(f"tc-stage tc-{stage['state']}"), ui.element("div"):
        ui.label(stage["name"]).classes("tc-stage-name")
        ui.label(stage["does"]).classes("tc-faint")
