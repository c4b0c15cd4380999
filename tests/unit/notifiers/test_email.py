import logging
import socket
from pathlib import Path
from time import monotonic

import pytest

from notifiers.channels.address import LOOPBACK
from notifiers.channels.channel import DeliveryFailed, Failure, Sent
from notifiers.channels.config import ChannelKind
from notifiers.channels.email import Email
from notifiers.channels.email_config import EmailConfig, Login
from notifiers.channels.tls_config import TlsConfig
from notifiers.templating import Templates
from tests.unit.notifiers.deliveries import message
from tests.unit.notifiers.mail_server import AUTHORITY, PASSWORD, certificate, mailing
from tests.unit.notifiers.servers import Behave, hang, hang_up, serving

# The server warns of what it is told to do here.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH")
LOGIN = Login("ops", "", PASSWORD)
SUBJECT = (("Subject", "hot"),)


def email(port: int, **fields: object) -> Email:
    named: dict[str, object] = {
        "to": "Ops <ops@example.com>, dev@example.com",
        "sender": "Tocsin <tocsin@example.com>",
        "host": "localhost",
        "port": port,
        "require_tls": False,
        "html": "<p>hot</p>",
        "headers": SUBJECT,
    }
    config = EmailConfig(ChannelKind.EMAIL, **(named | fields))  # type: ignore[arg-type]
    return Email(config, templates=Templates(), allow=LOOPBACK, resolver=lambda *_: ["127.0.0.1"])


def failure(channel: Email, timeout: float = 5.0, **fields: object) -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        channel.send(message(timeout, **fields))
    assert "canary" not in repr(caught.value)
    assert caught.value.__cause__ is None or "canary" not in repr(caught.value.__cause__)
    return caught.value


@pytest.fixture
def trusted(tmp_path: Path) -> TlsConfig:
    AUTHORITY.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return TlsConfig(ca_file=str(tmp_path / "ca.pem"))


def test_a_mail_reaches_all_recipients() -> None:
    with mailing() as server:
        assert email(server.port).send(message()) is None
    [taken] = server.mails
    assert (taken.mail_from, taken.rcpt_tos) == (
        "tocsin@example.com",
        ["ops@example.com", "dev@example.com"],
    )
    assert server.message()["To"] == "Ops <ops@example.com>, dev@example.com"
    assert server.message().get_content() == "<p>hot</p>\r\n"


def test_starttls_is_used_and_the_name_checked(trusted: TlsConfig) -> None:
    with mailing(starttls=certificate()) as server:
        email(server.port, require_tls=True, tls=trusted).send(message())
    assert server.was_encrypted == [True]


def test_without_starttls_nothing_is_sent_where_it_is_wanted() -> None:
    with mailing() as server:
        failed = failure(email(server.port, require_tls=True))
    assert (failed.reason, failed.retry, server.mails) == (Failure.MISCONFIGURED, False, [])


def test_implicit_tls(trusted: TlsConfig) -> None:
    with mailing(implicit=certificate()) as server:
        email(server.port, implicit_tls=True, require_tls=True, tls=trusted).send(message())
    assert server.was_encrypted == [True]


@pytest.mark.parametrize("implicit", [True, False])
def test_a_certificate_of_nobody_is_not_trusted(implicit: bool) -> None:
    named = {"implicit": certificate()} if implicit else {"starttls": certificate()}
    with mailing(**named) as server:  # type: ignore[arg-type]
        failed = failure(email(server.port, require_tls=True, implicit_tls=implicit))
    assert (failed.reason, failed.retry) == (Failure.UNREACHABLE, True)
    assert "certificate is not trusted" in failed.detail
    assert server.mails == []


@pytest.mark.parametrize("implicit", [True, False])
def test_a_certificate_for_another_name_is_refused_unless_that_is_wanted(
    implicit: bool, trusted: TlsConfig
) -> None:
    made = certificate("mail.example.com")
    named = {"implicit": made} if implicit else {"starttls": made}
    with mailing(**named) as server:  # type: ignore[arg-type]
        channel = email(server.port, require_tls=True, implicit_tls=implicit, tls=trusted)
        assert "not trusted" in failure(channel).detail
        other = TlsConfig(ca_file=trusted.ca_file, server_name="mail.example.com")
        email(server.port, require_tls=True, implicit_tls=implicit, tls=other).send(message())
        blind = TlsConfig(insecure_skip_verify=True)
        email(server.port, require_tls=True, implicit_tls=implicit, tls=blind).send(message())
    assert server.was_encrypted == [True, True]


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_logs_in(mechanism: str, trusted: TlsConfig) -> None:
    with mailing(starttls=certificate(), login=True, mechanisms=(mechanism,)) as server:
        email(server.port, require_tls=True, tls=trusted, login=LOGIN).send(message())
    assert server.logins == [(mechanism, b"ops", PASSWORD.encode())]
    assert len(server.mails) == 1


def test_the_password_comes_from_a_file_at_each_send(tmp_path: Path) -> None:
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    login = Login("ops", password_file=str(tmp_path / "password"))
    with mailing(login=True) as server:
        channel = email(server.port, login=login)
        channel.send(message())
        (tmp_path / "password").unlink()
        assert failure(channel).reason is Failure.MISCONFIGURED


def test_a_wrong_password_is_final_and_not_repeated() -> None:
    with mailing(login=True) as server:
        failed = failure(email(server.port, login=Login("ops", "", "canary-wrong")))
    assert (failed.reason, failed.retry) == (Failure.NOT_AUTHORISED, False)
    assert "535" in failed.detail


def test_a_login_that_is_missing_is_not_authorised() -> None:
    with mailing(login=True) as server:
        assert failure(email(server.port)).reason is Failure.NOT_AUTHORISED


def test_a_password_is_not_sent_in_clear() -> None:
    with mailing(login=True) as server:
        failed = failure(email(server.port, login=LOGIN, host="mail.example.com"))
    assert (failed.reason, failed.retry) == (Failure.MISCONFIGURED, False)
    assert server.logins == []


@pytest.mark.parametrize(
    ("answer", "reason", "retry"),
    [
        ("451 4.3.0 canary later", Failure.SERVER_ERROR, True),
        ("452 4.2.2 full", Failure.SERVER_ERROR, True),
        ("552 5.3.4 canary too large", Failure.REJECTED, False),
        ("554 5.7.1 spam", Failure.REJECTED, False),
        ("530 5.7.0 canary", Failure.NOT_AUTHORISED, False),
    ],
)
def test_a_status_decides_whether_to_try_again(answer: str, reason: Failure, retry: bool) -> None:
    with mailing() as server:
        server.answer = answer
        failed = failure(email(server.port))
    assert (failed.reason, failed.retry) == (reason, retry)
    assert failed.detail == f"status {answer[:9]}"


def test_a_recipient_who_is_refused_is_named_and_the_others_are_told() -> None:
    with mailing() as server:
        server.refuse = {"dev@example.com": "550 5.1.1 canary"}
        said = email(server.port).send(message())
    assert said == Sent("taken for 1 of 2 recipients; refused: dev@example.com (status 550 5.1.1)")
    assert [mail.rcpt_tos for mail in server.mails] == [["ops@example.com"]]


def test_a_recipient_who_is_deferred_is_tried_again_alone() -> None:
    with mailing() as server:
        channel = email(server.port)
        server.refuse = {"dev@example.com": "450 4.2.0 greylisted"}
        failed = failure(channel)
        server.refuse = {}
        assert channel.send(message()) is None
    assert (failed.reason, failed.retry) == (Failure.SERVER_ERROR, True)
    assert [mail.rcpt_tos for mail in server.mails] == [["ops@example.com"], ["dev@example.com"]]
    assert server.message(0)["Message-ID"] == server.message(1)["Message-ID"]


def test_a_recipient_who_is_deferred_and_then_refused_does_not_have_the_others_told_again() -> None:
    with mailing() as server:
        channel = email(server.port)
        server.refuse = {"dev@example.com": "450 4.2.0 greylisted"}
        failure(channel)
        server.refuse = {"dev@example.com": "550 5.1.1 nobody"}
        said = channel.send(message())
    assert said is not None
    assert "dev@example.com (status 550" in said.note
    assert len(server.mails) == 1


def test_if_nobody_is_taken_nothing_is_sent() -> None:
    with mailing() as server:
        server.refuse = dict.fromkeys(("ops@example.com", "dev@example.com"), "550 5.1.1 nobody")
        failed = failure(email(server.port))
    assert (failed.reason, failed.retry, server.mails) == (Failure.REJECTED, False, [])


def test_without_an_allow_list_only_global_addresses_are_reached() -> None:
    with mailing() as server:
        config = EmailConfig(
            ChannelKind.EMAIL,
            to="a@b.c",
            sender="d@e.f",
            host="localhost",
            port=server.port,
        )
        failed = failure(Email(config, templates=Templates(), allow=()))
    assert (failed.reason, failed.retry) == (Failure.ADDRESS_REFUSED, False)
    assert server.mails == []


def test_the_socket_goes_to_the_address_that_was_checked() -> None:
    answers = iter([["10.0.0.1", "127.0.0.1"]])
    with mailing() as server:
        config = EmailConfig(
            ChannelKind.EMAIL,
            to="a@b.c",
            sender="d@e.f",
            host="mail.example.com",
            port=server.port,
            require_tls=False,
        )
        channel = Email(
            config, templates=Templates(), allow=LOOPBACK, resolver=lambda *_: next(answers)
        )
        channel.send(message())
    assert len(server.mails) == 1


def drip(peer: socket.socket, stopped: object) -> None:
    """A greeting that never ends."""
    while True:
        peer.sendall(b"220-slow\r\n")
        if stopped.wait(0.05):  # type: ignore[attr-defined]
            return


def flood(peer: socket.socket, stopped: object) -> None:
    """A greeting of 1 GB."""
    for _ in range(1_000):
        peer.sendall(b"2" * 1_048_576)


def speaking(behave: Behave, timeout: float = 5.0) -> DeliveryFailed:
    """What becomes of a mail to a server that behaves so from the start."""
    with serving(behave, speaks_first=True) as server:
        return failure(email(server.port), timeout)


@pytest.mark.parametrize("behave", [hang, drip])
def test_the_deadline_is_total(behave: Behave) -> None:
    began = monotonic()
    failed = speaking(behave, timeout=0.4)
    assert (failed.reason, failed.retry) == (Failure.TIMED_OUT, True)
    assert monotonic() - began < 3


def test_a_server_that_talks_without_end_is_left() -> None:
    failed = speaking(flood)
    assert (failed.reason, failed.retry) == (Failure.UNREACHABLE, True)


def test_a_server_that_hangs_up_is_tried_again() -> None:
    failed = speaking(hang_up)
    assert (failed.reason, failed.retry) == (Failure.UNREACHABLE, True)


def test_a_server_that_is_no_mail_server_is_tried_again() -> None:
    failed = speaking(lambda peer, stopped: peer.sendall(b"HTTP/1.1 400 Bad\r\n\r\n"))
    assert (failed.reason, failed.retry) == (Failure.UNREACHABLE, True)


def test_a_port_where_nobody_listens_is_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    failed = failure(email(port))
    assert (failed.reason, failed.retry) == (Failure.UNREACHABLE, True)


def test_a_huge_mail_is_refused_by_its_size_and_a_large_one_taken() -> None:
    with mailing() as server:
        assert email(server.port, html="<p>x</p>\n" * 100_000).send(message()) is None
        failed = failure(email(server.port, html="x" * 40_000_000), timeout=20.0)
    assert (failed.reason, failed.retry) == (Failure.REJECTED, False)
    assert len(server.mails) == 1


def test_no_secret_is_logged_or_shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with mailing(login=True) as server:
        channel = email(server.port, login=LOGIN)
        channel.send(message())
        assert "canary" not in repr(channel._config)
    ours = [one for one in caplog.records if not one.name.startswith("mail.")]
    assert ours
    assert not [one for one in ours if "canary" in one.getMessage()]
