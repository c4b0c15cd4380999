"""Templates as people publish them, and a delivery to try them on."""
# ruff: noqa: E501 (templates are easier to read whole)

from schemas.alerts import AlertLevel, AlertState
from schemas.deliveries import Delivery, Why
from tests.unit.notifiers.deliveries import delivery


def three_alerts() -> Delivery:
    """Two that fire and one that resolved, with all that must be escaped somewhere."""
    common = {"alertname": "DiskFull", "job": "node", "team": "a&b"}
    alerts = [
        AlertLevel(
            labels={**common, "instance": "web-1:9100", "severity": "critical"},
            annotations={"summary": 'Disk <b>"/var"</b> & co', "value": "93.5"},
            state=AlertState.FIRING,
            active_at=1_700_000_000_000,
            starts_at=1_700_000_060_250,
            generator_url="http://tocsin/graph?g0.expr=disk%3E90&g0.tab=1",
        ),
        AlertLevel(
            labels={**common, "instance": "web-2:9100", "severity": "warning"},
            annotations={"summary": "it's 91 % + more", "value": "91"},
            state=AlertState.FIRING,
            active_at=1_700_003_600_000,
            starts_at=1_700_003_600_000,
            generator_url="http://tocsin/graph?g0.expr=disk",
        ),
        AlertLevel(
            labels={**common, "instance": "db-1:9100", "severity": "warning"},
            annotations={"summary": "é ok", "value": "70"},
            state=AlertState.RESOLVED,
            active_at=1_700_000_000_000,
            starts_at=1_700_000_000_000,
            ends_at=1_700_007_384_500,
        ),
    ]
    return delivery(
        receiver="ops.team (eu)",
        why=Why.GREW,
        group_labels={"alertname": "DiskFull", "job": "node"},
        common_labels=common,
        common_annotations={"runbook": "https://wiki/disk?a=1&b=2"},
        alerts=tuple(alerts),
        external_url="https://tocsin.example/",
        truncated=0,
    )


def nothing_common() -> Delivery:
    """One resolved alert, hardly labelled."""
    alert = AlertLevel(
        labels={"instance": "a"},
        state=AlertState.RESOLVED,
        active_at=0,
        ends_at=1_700_000_000_000,
    )
    return delivery(group_labels={}, common_labels={"instance": "a"}, alerts=(alert,))


NAMED = (
    *("__alertmanager", "__alertmanagerURL", "__subject", "__description"),
    *(f"slack.default.{part}" for part in ("title", "username", "fallback", "callbackid")),
    *(f"slack.default.{part}" for part in ("pretext", "titlelink", "iconemoji", "iconurl")),
    *(f"slack.default.{part}" for part in ("text", "footer", "color")),
    *(f"pagerduty.default.{part}" for part in ("description", "client", "clientURL")),
    *("email.default.subject", "msteams.default.summary", "msteams.default.title"),
    *("msteams.default.text", "msteamsv2.default.title", "msteamsv2.default.text"),
    *("sns.default.subject", "sns.default.message", "telegram.default.message"),
    *("jira.default.summary", "jira.default.description", "jira.default.priority"),
)
"""Well-known names that give text."""

TEXTS = (
    *('{{ template "' + name + '" . }}' for name in NAMED),
    *('{{ template "' + name + '" .Alerts.Firing }}' for name in (
        "pagerduty.default.instances", "__text_alert_list", "__text_alert_list_markdown",
    )),
    "{{ .Status | toUpper }}: {{ .CommonLabels.alertname }} ({{ .Alerts.Firing | len }})",
    "[{{ .Status | toUpper }}{{ if eq .Status \"firing\" }}:{{ .Alerts.Firing | len }}{{ end }}]",
    "{{ range .Alerts }}*Alert:* {{ .Annotations.summary }} - `{{ .Labels.severity }}`\n{{ end }}",
    "{{ range .Alerts.Firing }}<{{ .GeneratorURL }}|:graph:> {{ .Labels.instance }}\n{{ end }}",
    "{{ range .Labels.SortedPairs }}{{ .Name }}{{ end }}",
    "{{ range .Alerts -}}\n{{ range .Labels.SortedPairs }} • *{{ .Name }}:* `{{ .Value }}`\n"
    "{{ end }}{{- end }}",
    "{{ .GroupLabels.SortedPairs.Values | join \" \" }}",
    "{{ .CommonLabels.Names | join \",\" }} {{ .CommonLabels.Values.Join \";\" }}",
    "{{ with .CommonLabels.Remove .GroupLabels.Names }}({{ .Values | join \" \" }}){{ end }}",
    "{{ (.CommonLabels.Remove (stringSlice \"job\" \"team\")).SortedPairs }}",
    "{{ .CommonLabels }} {{ .GroupLabels.SortedPairs }} {{ .CommonLabels.Names }}",
    "{{ (index .Alerts 0).Labels.instance }} {{ index .CommonLabels \"job\" }}",
    "{{ with index .Alerts 1 }}{{ .Labels.severity }} {{ .Fingerprint | len }}{{ end }}",
    "{{ .CommonLabels.nothing }}|{{ .CommonAnnotations.runbook }}",
    "{{ range .Alerts }}{{ .StartsAt }} {{ .EndsAt }}\n{{ end }}",
    "{{ range .Alerts }}{{ .StartsAt.Format \"2006-01-02 15:04:05 MST\" }}\n{{ end }}",
    "{{ range .Alerts }}{{ (.StartsAt.Add 28800e9).Format \"2006-01-02 15:04:05\" }}\n{{ end }}",
    "{{ range .Alerts }}{{ .StartsAt.Format \"Mon, 02 Jan 06 03:04:05.000 PM -0700 Z07:00\" }}"
    "{{ end }}",
    "{{ (index .Alerts 0).StartsAt.Format \"Monday _2 January .999 002 __2 3:4:5pm _2006\" }}",
    "{{ range .Alerts }}{{ .StartsAt | tz \"Europe/Paris\" | date \"15:04:05 MST -07:00\" }} {{ end }}",
    "{{ range .Alerts }}{{ .StartsAt | tz \"Asia/Kathmandu\" | date \"Jan 2 15:04 MST\" }} {{ end }}",
    "{{ range .Alerts.Resolved }}{{ (.EndsAt.Sub .StartsAt) }} "
    "{{ .EndsAt.Sub .StartsAt | humanizeDuration }} {{ (.EndsAt.Sub .StartsAt).Minutes }}{{ end }}",
    "{{ range .Alerts }}{{ .StartsAt.Unix }} {{ .StartsAt.UTC.Hour }} {{ .StartsAt.Weekday }} "
    "{{ .StartsAt.Month }} {{ .EndsAt.IsZero }} {{ .EndsAt.After .StartsAt }}\n{{ end }}",
    "{{ humanizeDuration 3661 }} {{ humanizeDuration \"0.0012\" }} {{ humanizeDuration 1e6 }}",
    "{{ title \"hello wORLD-wide foo_bar it's\" }} {{ trimSpace \"\\t x \\n\" }}{{ toLower \"ÀB\" }}",
    "{{ match \"^web-\" (index .Alerts 0).Labels.instance }} {{ match \"z$\" \"abc\" }}",
    "{{ range .Alerts }}{{ reReplaceAll \"(.*):(\\\\d+)\" \"$1 ($2)\" .Labels.instance }} {{ end }}",
    "{{ urlUnescape \"a%20b+c%3D\" }} {{ .Receiver | urlquery }} {{ .Receiver }}",
    "{{ toJson .CommonLabels }} {{ .Alerts | toJson }}",
    "{{ toJson . }}",
    "{{ toJson .CommonLabels.SortedPairs }} {{ toJson (.CommonLabels.Names) }} {{ toJson 1.5 }}",
    "{{ (dict \"a\" 1 \"b\" \"<x>\").b }} {{ dict \"k\" .Status | toJson }} {{ (dict).no }}",
    "{{ $l := list 1 \"b\" }}{{ $l = append $l .Status }}{{ len $l }}{{ range $l }} {{ . }}{{ end }}",
    "{{ base64encode \"a?>b é\" }} {{ base64encode \"xyz\" | base64decode }}",
    "{{ (toDate \"2006-01-02\" \"2024-02-29\").Format \"Mon Jan 2 2006\" }} "
    "{{ (toDate \"15:04\" \"x\").IsZero }} {{ mustToDate \"2006-01-02T15:04:05Z07:00\" "
    "\"2024-02-29T12:00:00.5+02:00\" | date \"15:04:05.0 -0700\" }}",
    "{{ define \"row\" }}<{{ .Name }}>{{ end }}{{ range .CommonLabels.SortedPairs }}"
    "{{ template \"row\" . }}{{ end }}",
    "{{ define \"__subject\" }}mine {{ .Status }}{{ end }}{{ template \"slack.default.title\" . }}",
    "{{ define \"__subject\" }} {{ end }}{{ template \"slack.default.title\" . }}",
    "{{ template \"nobody.defines.it\" . }}",
    "{{ range $i, $a := .Alerts }}{{ if $i }}, {{ end }}{{ $i }}={{ $a.Labels.instance }}{{ end }}",
    "{{ range $k, $v := .CommonLabels }}{{ $k }}={{ $v }};{{ end }}",
    "{{ $x := \"none\" }}{{ range .Alerts }}{{ if eq .Labels.severity \"critical\" }}"
    "{{ $x = .Labels.instance }}{{ end }}{{ end }}{{ $x }}",
    "{{ if and (eq .Status \"firing\") (gt (len .Alerts) 2) }}many{{ else }}few{{ end }}",
    "{{ if or .CommonLabels.severity .CommonLabels.job }}{{ $.Receiver }}{{ end }}",
    "{{- /* note */ -}} {{ printf \"%-8s|%5.1f|%q|%d|%v\" .Status 2.25 .Receiver (len .Alerts) true }}",
    "{{ printf \"%s %q\" .CommonLabels .CommonLabels.Names }}",
    "{{ if gt (len .Alerts.Resolved) 0 -}}\n  {{ len .Alerts.Resolved }} resolved\n{{- end }}",
    "{{ .ExternalURL }}/#/silences/new?filter=%7B{{ range .CommonLabels.SortedPairs }}"
    "{{ if ne .Name \"alertname\" }}{{ .Name }}%3D%22{{ .Value }}%22%2C%20{{ end }}{{ end }}%7D",
    "{{ range .Alerts }}{{ range .Annotations.SortedPairs }}{{ .Name }} = {{ .Value | html }}\n"
    "{{ end }}{{ end }}{{ safeHtml \"<b>\" }}{{ safeUrl \"a?b&c\" }}",
    "{{ .NotificationReason }} {{ .RouteLabels }} {{ routeLabels \"x\" }}",
    "{{ slice .Status 0 3 }} {{ not .CommonLabels.no }} {{ eq .Status \"a\" \"firing\" }}",
    "{{ range .Alerts.Firing }}{{ else }}nothing fires{{ end }}{{ range 3 }}{{ . }}{{ end }}",
    "{{ range .Alerts }}{{ if eq .Status \"resolved\" }}{{ break }}{{ end }}{{ .Status }} {{ end }}",
    "{{ with $x := .CommonLabels.team }}{{ $x }}{{ end }}{{ block \"b\" . }}[{{ .Status }}]{{ end }}",
)  # fmt: skip

PAGES = (
    "<p>{{ .CommonLabels.team }}</p>",
    "{{ range .Alerts }}<li>{{ .Annotations.summary }}</li>{{ end }}",
    "{{ range .Alerts }}<td>{{ .Annotations.summary | safeHtml }}</td>{{ end }}",
    '<b>{{ template "__subject" . }}</b>',
    '<i>{{ (dict).no }}{{ html "<a>" }}{{ .CommonLabels }}</i>',
    '<p>{{ printf "%s+%d" .CommonLabels.team 3 }}</p>',
    '<p>{{ .CommonLabels.team | urlquery }} {{ safeUrl "x?a&b" }}</p>',
)
"""HTML in whose contexts escaping is plain HTML escaping."""
