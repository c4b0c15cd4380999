"""The live page in a real browser: Debian's Chromium, skipped where there is none (not in CI)."""

from urllib.parse import urlsplit

from ops.history.errors import HistoryAway
from ops.services import QueryResult, StageStatus
from tests.support.console_stand import MARKS, PHONE, Stand, picture
from tests.support.fake_services import FakeAlert, FakeServices
from tests.support.fleet import HOSTILE
from tests.support.waiting import patience

pytestmark = MARKS


def test_the_page_shows_alerts_hosts_and_a_chart(stand: Stand, services: FakeServices) -> None:
    with stand.page(color_scheme="light") as page:
        assert page.locator(".tc-health").inner_text() == "Healthy"
        alerts = page.locator(".tc-table").first
        assert "DiskAlmostFull" in alerts.inner_text()
        assert "database" in alerts.inner_text()
        hosts = page.locator(".tc-table").nth(1)
        assert "db-1.example.org" in hosts.inner_text()
        assert "3 / 4" in page.locator(".tc-tiles").inner_text()
        assert page.locator(".tc-chart canvas").count() == 1
        assert page.title() == "(2) Tocsin"
        page.wait_for_timeout(300)  # the chart's first frame, for the picture alone
        picture(page, "console-desktop-light")
    with stand.page(color_scheme="dark") as page:
        page.wait_for_timeout(300)
        picture(page, "console-desktop-dark")


def test_on_a_phone_nothing_is_cut_off(stand: Stand, services: FakeServices) -> None:
    with stand.page(PHONE, color_scheme="dark", is_mobile=True, has_touch=True) as page:
        page.wait_for_selector(".tc-item")
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0
        assert "DiskAlmostFull" in page.locator(".tc-item").first.inner_text()
        page.wait_for_timeout(300)
        picture(page, "console-phone-dark")


def test_stages_stand_side_by_side(stand: Stand, services: FakeServices) -> None:
    both = {"workers": 2.0, "lag": 4_321.0}
    services.stages = [
        StageStatus("follower", True, True),
        StageStatus("detector", True, True, figures=both),
        StageStatus("router", True, True, figures={"workers": 2.0}),
        StageStatus("courier", False, True, "no worker runs"),
        StageStatus(HOSTILE, True, False),
    ]
    with stand.page() as page:
        page.get_by_text("ready · 2 workers · lag 4,321").wait_for(timeout=6_000 * patience())
        assert page.locator(".tc-stage").count() == 5
        tops = {page.locator(".tc-stage").nth(n).bounding_box()["y"] for n in range(5)}
        assert len(tops) == 1
        assert page.locator(".tc-stage.tc-down").inner_text().split("\n")[0] == "courier"
        assert page.evaluate("window.pwned") is None
        picture(page, "console-stages")
    with stand.page(PHONE) as page:
        page.locator(".tc-stage.tc-down").wait_for()
        assert page.locator(".tc-stage.tc-up").first.is_hidden()
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
        picture(page, "console-stages-phone")


def test_changes_come_without_a_reload(stand: Stand, services: FakeServices) -> None:
    services.known = ()
    with stand.page() as page:
        page.evaluate("window.same = true")
        page.locator(".tc-quiet").wait_for()  # the page before may have looked just now
        services.known = [FakeAlert({"alertname": "Fresh", "severity": "high"})]
        page.get_by_text("Fresh").wait_for(timeout=6_000 * patience())
        page.locator(".tc-quiet").wait_for(state="hidden")
        page.wait_for_function("document.title == '(1) Tocsin'")
        assert page.evaluate("window.same")


def test_the_chart_shows_what_is_chosen(stand: Stand, services: FakeServices) -> None:
    asked: list[str] = []
    before = services.ranges
    services.ranges = lambda expr, *rest: asked.append(expr) or before(expr, *rest)  # type: ignore[func-returns-value]  # append, then ask
    with stand.page() as page:
        page.get_by_role("button", name="Network").click()
        page.wait_for_function(
            "document.querySelector('.tc-toggle [aria-pressed=true]').innerText == 'Network'"
        )
        page.wait_for_timeout(500)
        picture(page, "console-network")
    assert any("node_network_receive_bytes_total" in expr for expr in asked)


def test_while_history_is_away_the_page_says_so_and_alerts_go_on(
    stand: Stand, services: FakeServices
) -> None:
    def away(expr: str, at: int | None) -> QueryResult:
        raise HistoryAway("the engine restarts")

    with stand.page() as page:
        assert page.locator(".tc-banner").is_hidden()
        services.answer = away
        page.get_by_text("History is away").wait_for(timeout=6_000 * patience())
        services.known = [FakeAlert({"alertname": "StillPaged", "severity": "critical"})]
        page.get_by_text("StillPaged").wait_for(timeout=6_000 * patience())
        assert "db-1.example.org" in page.locator(".tc-table").nth(1).inner_text()
        picture(page, "console-history-away")


def test_hostile_text_is_text(stand: Stand, services: FakeServices) -> None:
    with stand.page() as page:
        page.get_by_text(HOSTILE).first.wait_for()
        page.locator(".tc-chart").hover()
        page.mouse.move(640, 700)
        page.get_by_text("{{ constructor }} <script>").wait_for()
        assert page.evaluate("window.pwned") is None
        assert page.locator("img[src=x]").count() == 0
        assert page.locator(".tc-table b").count() == 0


def test_everything_comes_from_this_server(stand: Stand, services: FakeServices) -> None:
    with stand.page() as page:
        origin = urlsplit(stand.url).netloc
        hosts = {urlsplit(url).netloc for url in page.requests if not url.startswith("data:")}
        assert hosts == {origin}
        assert any(url.startswith("ws://") for url in page.requests)
