"""How the page looks: one sheet for light and dark, wide and narrow; and the chart's frame."""

from collections.abc import Sequence
from typing import Any, Final

from ops.console.rows import Metric

GREY: Final = "#8a94a3"
COLOURS: Final = {
    "primary": "#2b78cf",
    "positive": "#1a7f4b",
    "negative": "#b3261e",
    "warning": "#9a6400",
}
"""Of buttons and badges: white is read on each of them."""
_BYTES: Final = (
    "value => value >= 1e6 ? (value / 1e6).toFixed(1) + ' MB/s' : "
    "value >= 1e3 ? (value / 1e3).toFixed(0) + ' kB/s' : value.toFixed(0) + ' B/s'"
)
_LABELS: Final = {
    "B/s": _BYTES,
    "%": "value => Math.round(value) + ' %'",
    "": "value => String(Number(value.toPrecision(6)))",
}
PALETTE: Final = [
    "#2f7ed8",
    "#12a594",
    "#e07b39",
    "#8e6fd8",
    "#d6457a",
    "#6b9e23",
    "#c79a00",
    "#4fb3d9",
]


def chart_options(
    metric: Metric,
    lines: Sequence[dict[str, Any]],
    span: tuple[int | None, int | None] = (None, None),
) -> dict[str, Any]:
    """ECharts' options; grey is read on white and on black."""
    text = {"color": GREY}
    line = {"lineStyle": text}
    label = _LABELS[metric.unit]
    return {
        "color": PALETTE,
        "animation": False,
        "grid": {"left": 12, "right": 24, "top": 36, "bottom": 8, "containLabel": True},
        "legend": {
            "type": "scroll",
            "top": 0,
            "left": 8,
            "icon": "roundRect",
            "itemWidth": 14,
            "itemHeight": 4,
            "textStyle": text,
        },
        # Drawn, not HTML: a host's name is whatever a stranger called it.
        "tooltip": {
            "trigger": "axis",
            "renderMode": "richText",
            "confine": True,
            ":valueFormatter": f"value => value == null ? '–' : ({label})(value)",
        },
        "xAxis": {
            "type": "time",
            "min": span[0],
            "max": span[1],
            "splitLine": {"show": False},
            "axisLine": line,
            "axisLabel": {**text, "hideOverlap": True},
        },
        "yAxis": {
            "type": "value",
            **({"min": 0} if metric.unit else {"scale": True}),
            **({} if metric.top is None else {"max": metric.top}),
            "axisLabel": {**text, ":formatter": label},
            "splitLine": {"lineStyle": {**text, "opacity": 0.18}},
        },
        "series": list(lines),
    }


STYLE: Final = """
:root { --tc-bg: #f3f5f8; --tc-card: #ffffff; --tc-line: #e2e6ec; --tc-text: #1b2430;
  --tc-faint: #5f6b7a; --tc-head: #16202c; --tc-red: #b3261e; --tc-amber: #8a5a00;
  --tc-green: #1a7f4b; }
.body--dark { --tc-bg: #0f141a; --tc-card: #18202a; --tc-line: #2a3440; --tc-text: #e6eaf0;
  --tc-faint: #97a3b2; --tc-head: #0b1016; --tc-red: #ff8a80; --tc-amber: #ffc266;
  --tc-green: #6fd8a0; }
body, .q-layout { background: var(--tc-bg) !important; color: var(--tc-text); }
.nicegui-content { padding: 0; align-items: stretch; }
.tc-header { background: var(--tc-head) !important; padding: 0; }
.tc-top { display: flex; align-items: center; gap: 10px; width: 100%; max-width: 1280px;
  margin: 0 auto; padding: 8px 20px; box-sizing: border-box; }
.tc-bell { font-size: 22px; color: #ffb74d; }
.tc-name { font-size: 18px; font-weight: 600; letter-spacing: .02em; }
.tc-health { font-size: 12px; padding: 4px 9px; border-radius: 10px; font-weight: 600; }
.tc-reason { font-size: 13px; opacity: .8; min-width: 0; }
.tc-clip { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.tc-page { display: grid; grid-template-columns: minmax(0, 1fr); gap: 16px; width: 100%;
  max-width: 1280px; margin: 0 auto; padding: 20px; box-sizing: border-box; }
.tc-tiles { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)); gap: 16px; }
.tc-tile, .tc-card { background: var(--tc-card); border: 1px solid var(--tc-line);
  border-radius: 10px; }
.tc-tile { padding: 14px 18px; }
.tc-ways { display: flex; gap: 2px; margin-left: 8px; }
.tc-way { color: #cfd8e3 !important; text-decoration: none !important; font-size: 14px;
  padding: 4px 10px; border-radius: 6px; }
.tc-way:hover { background: rgba(255, 255, 255, .08); }
.tc-here { color: #fff !important; background: rgba(255, 255, 255, .14); font-weight: 600; }
.tc-code { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
  font-size: 13px; font-weight: 500; }
.tc-dialog { width: 620px; max-width: 100%; display: grid !important; gap: 14px;
  grid-template-columns: minmax(0, 1fr); background: var(--tc-card) !important;
  color: var(--tc-text); padding: 20px; border-radius: 12px; overflow-wrap: anywhere; }
.tc-dialog .tc-toggle { justify-self: start; }
.tc-pair { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 12px; }
.tc-query { display: grid; gap: 10px; padding: 4px 18px 18px; }
.tc-buttons { display: flex; flex-wrap: wrap; gap: 8px; justify-content: flex-end; }
.tc-do { padding: 4px 14px; border-radius: 7px; font-size: 14px; }
.tc-fault { color: var(--tc-red); font-size: 14px; overflow-wrap: anywhere; }
.tc-preview { display: grid; gap: 4px; padding: 12px 14px; border: 1px solid var(--tc-line);
  border-radius: 8px; background: var(--tc-bg); max-height: 260px; overflow: auto; }
.tc-preview-line:first-child { font-weight: 600; }
.tc-preview-span { font-variant-numeric: tabular-nums; }
.tc-state.tc-open { color: var(--tc-red); }
.tc-state.tc-active { color: var(--tc-green); }
.tc-state.tc-acknowledged { color: var(--tc-amber); }
.tc-state.tc-resolved, .tc-state.tc-expired { color: var(--tc-faint); }
.tc-link { color: var(--tc-text); text-decoration: none; }
.tc-link:hover { text-decoration: underline; }
.tc-plain { color: inherit !important; text-decoration: none !important; }
a.tc-tile:hover { border-color: var(--tc-faint); }
.tc-incident-link { display: block; }
.tc-incident-link span + span { margin-left: 8px; }
.tc-parts { display: grid; grid-template-columns: minmax(0, 1fr); gap: 16px; }
.tc-incident { display: grid; gap: 10px; padding: 18px; }
.tc-big-title { font-size: 20px; font-weight: 600; line-height: 1.25; overflow-wrap: anywhere;
  min-width: 0; }
.tc-whose { font-size: 15px; }
.tc-wrap { overflow-wrap: anywhere; }
.tc-acts { display: grid; grid-template-columns: 180px 160px minmax(0, 1fr); gap: 12px; }
.tc-incident .tc-buttons { justify-content: flex-start; }
.tc-timeline { display: grid; gap: 10px; padding: 4px 18px 18px; }
.tc-happening { display: grid; grid-template-columns: 150px minmax(0, 1fr); gap: 12px; }
.tc-why { display: grid; gap: 4px; padding-bottom: 10px; overflow-wrap: anywhere; }
.tc-why + .tc-why { border-top: 1px solid var(--tc-line); padding-top: 10px; }
.tc-channel { display: grid; grid-template-columns: 90px minmax(0, 1fr); gap: 12px;
  padding-top: 4px; }
.body--dark .q-btn--outline, .body--dark .q-btn--flat { --q-primary: #7db8f5; }
.tc-when { font-variant-numeric: tabular-nums; padding-top: 2px; }
.tc-big { font-size: 28px; line-height: 1.15; font-weight: 600;
  font-variant-numeric: tabular-nums; }
.tc-stages { display: grid; grid-template-columns: repeat(auto-fill, minmax(185px, 1fr));
  gap: 8px; }
.tc-stage { display: flex; align-items: baseline; gap: 8px; min-width: 0; padding: 8px 12px;
  background: var(--tc-card); border: 1px solid var(--tc-line); border-radius: 8px; }
.tc-stage::before { content: ""; flex: none; width: 9px; height: 9px; border-radius: 50%;
  background: currentColor; }
.tc-stage-name { color: var(--tc-text); font-size: 13px; font-weight: 600; line-height: 1.3;
  overflow-wrap: anywhere; }
.tc-alarm { color: var(--tc-red); }
.tc-heading { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between;
  gap: 4px 12px; padding: 12px 18px 8px; }
.tc-title { font-size: 15px; font-weight: 600; }
.tc-quiet { padding: 4px 18px 18px; color: var(--tc-faint); }
.tc-faint, .tc-summary { color: var(--tc-faint); font-size: 13px; }
.tc-alert { font-weight: 600; }
.tc-summary, .tc-alert { overflow-wrap: anywhere; white-space: normal; }
.tc-badge { font-weight: 600; padding: 2px 8px; text-transform: uppercase; font-size: 11px;
  letter-spacing: .03em; border-radius: 5px; display: inline-block; max-width: 140px;
  background: #5f6b7a; color: #fff; overflow: hidden; text-overflow: ellipsis;
  white-space: nowrap; vertical-align: middle; }
.tc-is-critical { background: #b3261e; }
.tc-is-high { background: #c2410c; }
.tc-is-medium { background: #f5b942; color: #2a1c00; }
.tc-is-low { background: #1f6fb8; }
.tc-state { font-weight: 600; font-size: 13px; }
.tc-firing, .tc-down { color: var(--tc-red); }
.tc-pending, .tc-silent { color: var(--tc-amber); }
.tc-up { color: var(--tc-green); }
.tc-table { background: transparent !important; color: inherit; width: 100%; }
.tc-table th { color: var(--tc-faint); font-weight: 600; font-size: 12px; }
.tc-table td, .tc-table th { border-color: var(--tc-line) !important; }
.tc-table td { max-width: 380px; overflow-wrap: anywhere; white-space: normal !important;
  font-variant-numeric: tabular-nums; }
.tc-table th:first-child, .tc-table td:first-child { padding-left: 18px !important; }
.tc-table th:last-child, .tc-table td:last-child { padding-right: 18px !important; }
.tc-bar { display: grid; grid-template-columns: minmax(48px, 110px) 56px; gap: 10px;
  align-items: center; }
.tc-bar span { text-align: right; white-space: nowrap; }
.tc-banner { display: flex; gap: 12px; align-items: center; padding: 12px 18px;
  border: 1px solid var(--tc-amber); border-radius: 10px; background: var(--tc-card);
  overflow-wrap: anywhere; }
.tc-banner .q-icon { font-size: 24px; color: var(--tc-amber); }
.tc-toggle { border: 1px solid var(--tc-line); border-radius: 7px; overflow: hidden; }
.tc-toggle .q-btn { padding: 2px 12px; font-size: 13px; border-radius: 0; }
.tc-chart { height: 300px; padding: 0 8px 12px; box-sizing: border-box; width: 100%; }
.tc-item { width: 100%; padding: 12px 16px; border-top: 1px solid var(--tc-line); display: grid;
  gap: 4px; }
.tc-line { display: flex; align-items: center; gap: 10px; min-width: 0; }
.tc-far { margin-left: auto; color: var(--tc-faint); font-size: 13px; white-space: nowrap; }
.tc-grid { display: grid; grid-template-columns: 64px minmax(0, 1fr) 60px; gap: 4px 10px;
  align-items: center; font-size: 13px; }
.tc-number { text-align: right; font-variant-numeric: tabular-nums; }
@media (max-width: 599px) {
  .tc-stages .tc-up, .tc-stages:not(:has(.tc-down, .tc-silent)) { display: none; }
  .tc-page { padding: 12px; gap: 12px; }
  .tc-tiles { gap: 8px; }
  .tc-tile { padding: 10px 12px; }
  .tc-big { font-size: 22px; }
  .tc-top { padding: 8px 12px; }
  .tc-heading { padding: 10px 14px 6px; }
  .tc-top { flex-wrap: wrap; }
  .tc-ways { order: 9; width: 100%; margin: 0; }
  .tc-pair, .tc-acts { grid-template-columns: minmax(0, 1fr); }
  .tc-happening { grid-template-columns: minmax(0, 1fr); gap: 0; }
}
"""
