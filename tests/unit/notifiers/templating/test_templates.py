import re
from html.parser import HTMLParser

import pytest

from notifiers.channels.email_config import HTML
from notifiers.templating import TemplateFailed, Templates, check
from notifiers.templating.templates import CUT, parsed
from notifiers.wording import headline, notice, summary
from schemas.deliveries import Why, told
from tests.unit.notifiers.deliveries import delivery as made
from tests.unit.notifiers.templating.cases import nothing_common, three_alerts


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{{ .Status", "template 1:4: unclosed action"),
        ("a\n  {{ shout .Status }}", 'template 2:6: function "shout" not defined'),
        ("{{ if .x }}", "template 1:10: unexpected EOF"),
        ("{{ call .x }}", 'template 1:4: function "call" is not supported: there are no functions'),
        ("{{ $x }}", 'template 1:4: undefined variable "$x"'),
        ("{{ query `up` }}", 'template 1:4: function "query" not defined'),
    ],
)
def test_what_is_no_template_is_refused_with_its_place(template: str, reason: str) -> None:
    with pytest.raises(ValueError) as refused:
        check(template)
    assert str(refused.value).startswith(reason)
    with pytest.raises(TemplateFailed):
        Templates().text(template, three_alerts())


def test_templates_that_nobody_defines_are_refused_with_their_place() -> None:
    templates = Templates(parsed('{{ define "mine" }}x{{ end }}').definitions)
    templates.check('{{ template "mine" . }}{{ template "slack.default.title" . }}')
    with pytest.raises(ValueError, match=r'^template 2:\d+: template "yours" not defined$'):
        templates.check('\n{{ if .x }}{{ template "yours" . }}{{ end }}')


def test_the_users_definition_takes_the_place_of_the_default() -> None:
    mine = parsed('{{ define "__subject" }}mine: {{ .Status }}{{ end }}').definitions
    assert Templates(mine).text('{{ template "slack.default.title" . }}', three_alerts()) == (
        "mine: firing"
    )


def test_now_is_the_instant_of_the_decision_so_that_attempts_say_the_same() -> None:
    delivery = three_alerts()
    templates = Templates()
    expected = (delivery.decided_at - 1_700_000_060_250) * 10**6
    assert templates.text("{{ now.UnixMilli }}", delivery) == str(delivery.decided_at)
    since = templates.text('{{ printf "%d" (since (index .Alerts 0).StartsAt) }}', delivery)
    assert since == str(expected)


def test_labels_of_a_route_may_name_one_another() -> None:
    labels = {
        "description": '{{ .GroupLabels.alertname }} ({{ routeLabels "reason" }})',
        "reason": "of {{ .CommonLabels.job | toUpper }}",
        "plain": "words",
        "circle": '{{ routeLabels "circle" }}',
    }
    delivery = made(
        group_labels={"alertname": "Disk"}, common_labels={"job": "db"}, route_labels=labels
    )
    routed = Templates().routed(delivery)
    assert routed.route_labels == {
        "description": "Disk (of DB)",
        "reason": "of DB",
        "plain": "words",
    }
    text = '{{ routeLabels "description" }}, {{ .RouteLabels.plain }}{{ routeLabels "no" }}'
    assert Templates().text(text, routed) == "Disk (of DB), words"


def test_a_template_that_calls_itself_fails() -> None:
    loop = '{{ define "a" }}{{ template "a" . }}{{ end }}{{ template "a" . }}'
    with pytest.raises(TemplateFailed, match="depth"):
        Templates().text(loop, three_alerts())


def test_what_goes_on_for_ever_is_cut_so_that_the_page_arrives() -> None:
    endless = "a{{ range 1000000000 }}b{{ end }}c"
    assert re.fullmatch(r"ab+" + re.escape(CUT), Templates().text(endless, three_alerts()))
    long = "a{{ range 1000 }}" + "b" * 2_000 + "{{ end }}"
    assert Templates().text(long, three_alerts()) == "a" + "b" * 999_999 + CUT
    once = '{{ "<" }}{{ range 20 }}{{ $.GroupLabels.x }}{{ end }}'
    text = Templates().html(once, made(group_labels={"x": "&" * 50_000}))
    assert text == "&lt;" + ("&amp;" * 1_000_000)[: 1_000_000 - 4] + CUT


def test_what_only_we_have_to_say_stands_before_alertmanagers_texts() -> None:
    said = made(why=Why.DRILL, notice="a test,\n nothing burns", acknowledged_by="ada")
    subject = Templates().text('{{ template "slack.default.title" . }}', said)
    assert subject == "FIRE DRILL: a test, nothing burns [FIRING:1] CPU "
    for name in ("telegram.default.message", "msteamsv2.default.text", "jira.default.description"):
        text = Templates().text(f'{{{{ template "{name}" . }}}}', said)
        assert text.startswith("FIRE DRILL: a test,\n nothing burns\n")
    assert ">FIRE DRILL: a test,\n nothing burns</div>" in Templates().html(HTML, said)
    assert "FIRE" not in Templates().text("{{ . }}", said)


@pytest.mark.parametrize(
    ("why", "said"),
    [
        (Why.FIRST, ""),
        (Why.ESCALATED, "Escalated to you"),
        (Why.ACKNOWLEDGED, "Acknowledged by ada"),
        (Why.UNACKNOWLEDGED, "No longer acknowledged"),
        (Why.CLOSED, "Resolved by hand"),
        (Why.DIGEST, "Digest"),
        (Why.REMINDER, "Reminder"),
        (Why.HEARTBEAT, "Heartbeat"),
    ],
)
def test_each_reason_of_ours_has_its_words(why: Why, said: str) -> None:
    by = "ada" if why is Why.ACKNOWLEDGED else ""
    one = made(why=why, acknowledged_by=by)
    assert (headline(one), notice(one), summary(one)) == (said, said, said)
    told = made(why=why, acknowledged_by=by, notice="x " * 200)
    assert len(summary(told)) == 120
    assert notice(told).startswith(f"{said}: x" if said else "x")


def test_what_a_notice_says_already_is_not_said_twice() -> None:
    assert notice(made(why=Why.DRILL, notice="Fire drill: a test")) == "Fire drill: a test"


def test_what_grows_while_somebody_has_it_says_who() -> None:
    assert headline(made(why=Why.GREW, acknowledged_by="ada")) == "Acknowledged by ada"


class Page(HTMLParser):
    """Text, links, and tags that are open."""

    VOID = frozenset({"meta", "br", "img"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remembers it."""
        if tag not in self.VOID:
            self.open.append(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_endtag(self, tag: str) -> None:
        """Must close the innermost."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Remembers it."""
        self.words.append(data)


def test_the_mail_is_whole_and_shows_every_value_as_text() -> None:
    for delivery in (three_alerts(), nothing_common()):
        page = Page()
        page.feed(Templates().html('{{ template "email.default.html" . }}', delivery))
        assert page.open == []
        words = re.sub(r"\s+", " ", "".join(page.words))
        for alert in delivery.alerts:
            shown = {k: v for k, v in alert.labels.items() if k != "alertname"}
            for value in (*shown.values(), *alert.annotations.values()):
                assert value in words
            if alert.generator_url:
                assert alert.generator_url in page.links


def test_the_mail_links_to_no_script() -> None:
    alert = three_alerts().alerts[0].model_copy(update={"generator_url": "javascript:alert(1)"})
    delivery = three_alerts().model_copy(update={"told": told((alert,))})
    page = Page()
    page.feed(Templates().html('{{ template "email.default.html" . }}', delivery))
    assert page.links == ["https://tocsin.example//#/alerts?receiver=ops%5C.team+%5C%28eu%5C%29"]
