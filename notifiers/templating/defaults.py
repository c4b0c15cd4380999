"""Templates under Alertmanager's well-known names; the texts that they give are Alertmanager's.

A file of the user may define each of them anew, and what calls it follows.
"""

from typing import Final

from notifiers.templating.mail import MAIL, PARTS

_SUBJECT = "__subject"
_LINK = "__alertmanagerURL"
_PRODUCT = "__alertmanager"

_ALIASES: Final = {
    "slack.default.title": _SUBJECT,
    "slack.default.titlelink": _LINK,
    "slack.default.username": _PRODUCT,
    "pagerduty.default.description": _SUBJECT,
    "pagerduty.default.client": _PRODUCT,
    "pagerduty.default.clientURL": _LINK,
    "email.default.subject": _SUBJECT,
    "msteams.default.summary": _SUBJECT,
    "msteams.default.title": _SUBJECT,
    "msteamsv2.default.title": _SUBJECT,
    "sns.default.subject": _SUBJECT,
    "jira.default.summary": _SUBJECT,
}
"""Names of templates that say what another one says."""
_EMPTY: Final = (
    "__description",
    *(f"slack.default.{part}" for part in ("callbackid", "text", "footer")),
    *(f"slack.default.{part}" for part in ("iconemoji", "iconurl")),
)
_LISTS: Final = ("msteams.default.text", "msteamsv2.default.text", "jira.default.description")
"""Names of templates that list alerts in Markdown."""


def _defined(name: str, body: str) -> str:
    return '{{define "' + name + '"}}' + body + "{{end}}"


def _called(name: str, about: str = ".") -> str:
    return '{{template "' + name + '" ' + about + "}}"


def _sections(heading: str, listing: str) -> str:
    """The firing ones under their heading, then the resolved ones, each with blank lines around."""
    parts = (
        "{{with .Alerts."
        + state
        + "}}\n"
        + heading
        + state
        + ":\n"
        + _called(listing)
        + "\n{{end}}"
        for state in ("Firing", "Resolved")
    )
    # `with` makes the alerts the dot, where an empty list counts as nothing.
    return "\n".join(parts) + "\n"


# Alertmanager's two colours, and a third for what somebody has taken on.
_COLOR = (
    '{{if or (ne .Status "firing") (eq .NotificationReason "incident resolved by hand")}}good'
    "{{else if .AcknowledgedBy}}warning{{else}}danger{{end}}"
)
_PAIRS = " - {{.Name}} = {{.Value}}\n"
_ALERT = (
    "Labels:\n{{range .Labels.SortedPairs}}" + _PAIRS + "{{end}}"
    "Annotations:\n{{range .Annotations.SortedPairs}}" + _PAIRS + "{{end}}"
    "Source: {{.GeneratorURL}}\n"
)
_MARKDOWN_ALERT = (
    "\nLabels:\n{{range .Labels.SortedPairs}} " + _PAIRS + "{{end}}"
    "\nAnnotations:\n{{range .Annotations.SortedPairs}} " + _PAIRS + "{{end}}"
    "\nSource: {{.GeneratorURL}}\n"
)
# Alertmanager's texts come after what only we have to say; it is empty for what it says, too.
_SAID = "{{with .Notice}}{{.}}\n{{end}}"
_SUBJECT_TEXT = (
    "{{with .Summary}}{{.}} {{end}}"
    '[{{toUpper .Status}}{{if eq "firing" .Status}}:{{len .Alerts.Firing}}{{end}}] '
    '{{.GroupLabels.Values.Join " "}} '
    "{{if lt (len .GroupLabels) (len .CommonLabels)}}("
    '{{with .CommonLabels.Remove .GroupLabels.Names}}{{.Values.Join " "}}{{end}}'
    "){{end}}"
)
# The highest severity decides; what resolved counts only where nothing that fires has one.
_PRIORITY_OF = (
    '{{$found := ""}}{{range .}}{{$severity := .Labels.severity}}'
    '{{if eq $severity "critical"}}{{$found = "High"}}'
    '{{else if and (eq $severity "warning") (ne $found "High")}}{{$found = "Medium"}}'
    '{{else if and (eq $severity "info") (not $found)}}{{$found = "Low"}}{{end}}{{end}}'
)
_PRIORITY = (
    _PRIORITY_OF.replace("range .", "range .Alerts.Firing")
    + "{{if not $found}}{{range .Alerts.Resolved}}"
    + _PRIORITY_OF.split("{{range .}}")[1]
    + "{{end}}{{$found}}"
)

DEFAULTS: Final = "".join(
    [
        _defined(_PRODUCT, "Alertmanager"),
        _defined(_LINK, "{{.ExternalURL}}/#/alerts?receiver={{urlquery .Receiver}}"),
        _defined(_SUBJECT, _SUBJECT_TEXT),
        _defined("__text_alert_list", "{{range .}}" + _ALERT + "{{end}}"),
        _defined("__text_alert_list_markdown", "{{range .}}" + _MARKDOWN_ALERT + "{{end}}\n"),
        *(_defined(name, _called(target)) for name, target in _ALIASES.items()),
        *(_defined(name, "") for name in _EMPTY),
        _defined(
            "slack.default.fallback",
            _called("slack.default.title") + " | " + _called("slack.default.titlelink"),
        ),
        _defined("slack.default.color", _COLOR),
        _defined("slack.default.pretext", "{{.Notice}}"),
        _defined("pagerduty.default.instances", _called("__text_alert_list")),
        _defined(
            "telegram.default.message", _SAID + "\n" + _sections("Alerts ", "__text_alert_list")
        ),
        _defined(
            "sns.default.message",
            '{{.CommonAnnotations.Values.Join " "}}\n' + _sections("Alerts ", "__text_alert_list"),
        ),
        *(
            _defined(name, _SAID + "\n" + _sections("# Alerts ", "__text_alert_list_markdown"))
            for name in (
                "msteams.default.text",
                "msteamsv2.default.text",
                "jira.default.description",
            )
        ),
        _defined("jira.default.priority", _PRIORITY),
        _defined("email.default.html", MAIL),
        *(_defined(name, body) for name, body in PARTS.items()),
    ]
)
"""The text of all definitions."""
