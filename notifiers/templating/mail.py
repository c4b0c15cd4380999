"""The HTML mail, `email.default.html`: plain tables with their styles inline, as mail needs it."""

from typing import Final

_FONT = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
_HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{{template "__subject" .}}</title>
<style>
@media (max-width:480px) { .page { padding:0 !important } .card { border-radius:0 !important } }
@media (prefers-color-scheme:dark) {
  body, .page { background:#14171a !important }
  .card { background:#1f2428 !important; border-color:#3a4147 !important }
  .card, .value { color:#e6e8ea !important }
  .name { color:#9aa4ad !important }
}
</style>
</head>
"""
_FRAME = f"""<body style="margin:0;background:#f2f4f6;{_FONT}">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0"><tr>
<td class="page" align="center" style="padding:24px 12px;background:#f2f4f6">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" style="max-width:640px"><tr>
"""
_BANNER = """<td style="padding:16px 20px;color:#ffffff;font-size:18px;font-weight:600;\
background:{{if eq .Status "firing"}}#b3261e{{else}}#1e7a46{{end}}">
{{with .Notice}}<div style="margin-bottom:6px;font-size:20px">{{.}}</div>{{end}}\
{{len .Alerts.Firing}} firing{{with .Alerts.Resolved}}, {{len .}} resolved{{end}}
{{with .GroupLabels.SortedPairs}}<div style="margin-top:4px;font-size:14px;font-weight:400">
{{range $at, $pair := .}}{{if $at}}, {{end}}{{.Name}}={{.Value}}{{end}}</div>{{end}}
</td></tr>
{{with .Alerts.Firing}}{{template "__email_alerts" .}}{{end}}
{{with .Alerts.Resolved}}{{template "__email_alerts" .}}{{end}}
<tr><td style="padding:16px 20px;font-size:13px;color:#6b7680">
{{if match "^https?://" .ExternalURL}}<a href="{{template "__alertmanagerURL" .}}" \
style="color:#2f6fb0">All alerts of this receiver</a>{{else}}{{.ExternalURL}}{{end}}
</td></tr>
</table></td></tr></table></body></html>
"""
_ALERTS = """{{range .}}<tr><td class="card" style="padding:14px 20px;background:#ffffff;\
border-bottom:1px solid #dde2e6;border-left:4px solid \
{{if eq .Status "firing"}}#b3261e{{else}}#1e7a46{{end}};color:#1f2933">
<div style="font-size:16px;font-weight:600">{{or .Labels.alertname "Alert"}}</div>
<div class="name" style="margin:2px 0 8px;font-size:13px;color:#6b7680">{{.Status}} since \
{{.StartsAt.UTC.Format "2006-01-02 15:04:05 MST"}}{{if eq .Status "resolved"}} until \
{{.EndsAt.UTC.Format "2006-01-02 15:04:05 MST"}}{{end}}</div>
<table role="presentation" cellpadding="0" cellspacing="0" style="font-size:14px">
{{template "__email_pairs" .Annotations.SortedPairs}}
{{template "__email_pairs" (.Labels.Remove (stringSlice "alertname")).SortedPairs}}
</table>
{{if match "^https?://" .GeneratorURL}}<div style="margin-top:8px;font-size:14px">\
<a href="{{.GeneratorURL}}" style="color:#2f6fb0">Source</a></div>{{end}}
</td></tr>
{{end}}"""
_PAIRS = """{{range .}}<tr>
<td class="name" valign="top" style="padding:2px 12px 2px 0;color:#6b7680">{{.Name}}</td>
<td class="value" style="padding:2px 0;color:#1f2933;word-break:break-word">{{.Value}}</td>
</tr>{{end}}"""

MAIL: Final = _HEAD + _FRAME + _BANNER
PARTS: Final = {"__email_alerts": _ALERTS, "__email_pairs": _PAIRS}
"""Templates that the mail calls, by name."""
