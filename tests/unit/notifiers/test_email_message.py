from collections.abc import Sequence
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifiers.channels.channel import DeliveryFailed, Failure
from notifiers.channels.chart import Point
from notifiers.channels.config import ChannelKind
from notifiers.channels.email_config import EmailConfig, read
from notifiers.channels.email_message import Mail, compose
from notifiers.channels.texts import Texts
from notifiers.global_config import Global
from notifiers.templating import Templates
from notifiers.yaml_reader import Reading
from notifiers.yaml_reader import compose as compose_yaml
from schemas.labels import fingerprint
from tests.unit.notifiers.deliveries import delivery
from tests.unit.notifiers.test_chart import pixels

TEMPLATES = Templates()
FULL = 'to: a@b.c\nfrom: d@e.f\nsmarthost: "mail:25"\n'


def mail(told: dict[str, object] | None = None, **fields: object) -> Mail:
    named: dict[str, object] = {"to": "ops@example.com", "sender": "tocsin@example.com"}
    config = EmailConfig(ChannelKind.EMAIL, **(named | fields))  # type: ignore[arg-type]
    return compose(config, Texts(TEMPLATES, delivery(**(told or {}))))


def parsed(made: Mail) -> EmailMessage:
    found = message_from_bytes(made.content, policy=default)
    assert isinstance(found, EmailMessage)
    return found


def config(text: str, defaults: Global | None = None) -> tuple[EmailConfig, list[str]]:
    reading = Reading("routes.yml")
    section = compose_yaml(text, reading)
    assert section is not None
    found = read(section, defaults or Global())
    return found, [str(one) for one in reading.problems]


def test_text_comes_first_and_html_is_preferred() -> None:
    found = parsed(mail(text="{{ .Status }}"))
    assert [part.get_content_type() for part in found.iter_parts()] == ["text/plain", "text/html"]
    assert found["Subject"] == "[FIRING:1] CPU"
    assert "CPU" in str(found.get_body(("html",)))


def test_a_group_is_one_thread_and_each_delivery_has_its_own_id() -> None:
    first, second = parsed(mail()), parsed(mail({"id": "other"}))
    other = parsed(mail({"group_key": "{}:{x}"}))
    assert first["Message-ID"] == "<0123456789abcdef01234567@example.com>"
    assert first["Message-ID"] != second["Message-ID"]
    assert first["References"] == second["References"] == first["In-Reply-To"]
    assert other["References"] != first["References"]
    assert mail().content.count(b"Message-ID") == 1
    assert parsed(mail(threading=""))["References"] is None
    daily = parsed(mail(threading="daily"))["References"]
    assert daily.endswith("-2023-11-14@example.com>")


def test_an_incident_is_one_thread_unless_threads_are_to_be_as_alertmanagers() -> None:
    first, again = {"incident": "i1"}, {"incident": "i1", "id": "b", "group_key": "c"}
    root = "<incident-i1@example.com>"
    assert parsed(mail(first))["References"] == parsed(mail(again))["References"] == root
    assert parsed(mail({"incident": "i2"}))["In-Reply-To"] == "<incident-i2@example.com>"
    assert config(FULL)[0].threading == "incident"
    found, problems = config(f"{FULL}threading: {{enabled: true}}")
    assert (found.threading, problems) == ("none", [])
    assert parsed(mail(first, threading="none"))["References"].startswith("<group-")


@given(st.text(max_size=300))
def test_no_text_can_add_a_header_or_a_recipient(text: str) -> None:
    labels = {"alertname": text}
    subject = (("Subject", "{{ .GroupLabels.alertname }}"), ("X-Rule", "r {{ .Status }}"))
    made = mail({"group_labels": labels}, headers=subject, text="x", html="y")
    head = made.content.partition(b"\r\n\r\n")[0].split(b"\r\n")
    names = [line.partition(b":")[0].lower() for line in head if line[:1] not in b" \t"]
    known = b"from to date message-id in-reply-to references subject x-rule mime-version"
    assert sorted(names) == sorted([*known.split(), b"content-type"])
    assert made.recipients == ("ops@example.com",)
    assert made.content.isascii()
    assert all(len(line) <= 998 for line in made.content.split(b"\r\n"))


@pytest.mark.parametrize(
    "to",
    ["", "ops", "ops@", "a@b c@d", "a@b\r\nRCPT TO:<x@y>", "ü@example.com", '"a b"@example.com'],
)
def test_what_is_no_address_is_refused(to: str) -> None:
    with pytest.raises(DeliveryFailed) as caught:
        mail(to=to)
    assert (caught.value.reason, caught.value.retry) == (Failure.MISCONFIGURED, False)


def test_addresses_are_told_once_and_names_beyond_ascii_travel_as_idna() -> None:
    made = mail(to='"Ops, the" <ops@bücher.example>, dev@b.c, dev@b.c')
    assert made.recipients == ("ops@xn--bcher-kva.example", "dev@b.c")


def test_a_mail_is_from_one_address() -> None:
    with pytest.raises(DeliveryFailed):
        mail(sender="a@b.c, d@e.f")


def test_the_entry_comes_before_global() -> None:
    defaults = Global(
        texts={
            "smtp_smarthost": "[::1]:465",
            "smtp_from": "d@e.f",
            "smtp_auth_username": "ops",
            "smtp_auth_password": "canary",
            "smtp_require_tls": "false",
        }
    )
    found, problems = config("to: a@b.c\nfrom: own@e.f", defaults)
    assert problems == []
    assert (found.host, found.port, found.implicit_tls, found.require_tls) == (
        *("::1", 465),
        *(True, False),
    )
    assert (found.sender, found.login.password) == ("own@e.f", "canary")
    assert "canary" not in repr(found)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("to: a@b.c", "no global SMTP smarthost set"),
        ("to: a@b.c\nsmarthost: mail:25", "no global SMTP from set"),
        ("from: a@b.c", "missing to address"),
        ("to: a@b.c\nsmarthost: mail", "not an address"),
        (f"{FULL}auth_password: a\nauth_password_file: b", "at most one of auth_password"),
        (f"{FULL}headers: {{Subject: a, subject: b}}", "duplicate header"),
        (f"{FULL}headers: {{Content-Type: a}}", "set by the message itself"),
        (f'{FULL}headers: {{"a b": a}}', "not the name of a header"),
        (f"{FULL}headers: {{A: '{{{{ .X'}}", "headers"),
        (f"{FULL}threading: {{enabled: true, thread_by_date: weekly}}", "'none' or 'daily'"),
        (f"{FULL}threading: {{enabled: true}}\nheaders: {{References: a}}", "conflicts"),
        (f"{FULL}html: '{{{{ end }}}}'", "html"),
        (f"{FULL}smart_host: a", 'did you mean "smarthost"?'),
    ],
)
def test_mistakes_are_named(text: str, said: str) -> None:
    _, problems = config(text)
    assert [one for one in problems if said in one], problems


class Known:
    """Values that rise with every minute, for one alert alone."""

    def __init__(self, name: str = "") -> None:
        self.name = name or fingerprint({"alertname": "CPU", "instance": "a"})
        self.asked: list[tuple[int, int]] = []

    def points(self, name: str, since: int, until: int) -> Sequence[Point]:
        self.asked.append((since, until))
        return [(since + n * 60_000, n / 2) for n in range(61)] if name == self.name else []


def pictured(charts: Known, told: dict[str, object] | None = None, **fields: object) -> Mail:
    named: dict[str, object] = {"to": "ops@example.com", "sender": "tocsin@example.com"}
    made = EmailConfig(ChannelKind.EMAIL, **(named | fields))  # type: ignore[arg-type]
    return compose(made, Texts(TEMPLATES, delivery(**(told or {}))), charts)


@pytest.mark.parametrize("text", ["", "{{ .Status }}"])
def test_the_value_of_a_firing_alert_is_a_picture_in_the_mail(text: str) -> None:
    charts = Known()
    found = parsed(pictured(charts, text=text))
    html = found.get_body(("related", "html"))
    assert isinstance(html, EmailMessage)
    assert html.get_content_type() == "multipart/related"
    page, image = html.iter_parts()
    assert image.get_content_type() == "image/png"
    assert image.get_content_disposition() == "inline"
    assert pixels(image.get_content())
    cid = image["Content-ID"].strip("<>")
    shown = page.get_content()
    assert f'src="cid:{cid}"' in shown
    assert shown.index("cid:") < shown.index("</body>")
    said = "alertname=CPU, instance=a: 30 at 22:14 UTC; between 0 and 30 since 21:14"
    assert shown.count(said) == 2
    assert charts.asked == [(1_699_996_460_000, 1_700_000_060_000)]
    assert pictured(charts, text=text).content.isascii()


def test_without_values_or_where_nobody_wants_them_there_are_no_pictures() -> None:
    assert b"image/png" not in pictured(Known("another")).content
    charts = Known()
    assert b"image/png" not in pictured(charts, chart=False).content
    assert charts.asked == []
    assert b"image/png" not in pictured(charts, html="", text="x").content


def test_pictures_are_for_mails_of_our_own_design_unless_they_are_wanted() -> None:
    assert config(FULL)[0].chart
    assert not config(f"{FULL}html: mine")[0].chart
    assert config(f"{FULL}html: mine\nchart: true")[0].chart
    assert not config(f"{FULL}chart: false")[0].chart


def test_a_label_in_a_caption_stays_text() -> None:
    labels = {"alertname": '"><script>'}
    alert = delivery().alerts[0].model_copy(update={"labels": labels})
    found = parsed(pictured(Known(fingerprint(labels)), {"alerts": (alert,)}, html="<p>x</p>"))
    body = found.get_body(("html",))
    assert body is not None
    assert "<script>" not in body.get_content()
