"""Silences, windows and incidents in a real browser, over a real router."""

from typing import Any

import pytest

from schemas.deliveries import Why
from tests.support.console_stand import MARKS, PHONE, Stand, picture
from tests.support.fake_services import FakeServices
from tests.support.fleet import HOSTILE
from tests.support.routed_services import RoutedServices

pytestmark = MARKS


@pytest.fixture
def routed(services: FakeServices) -> RoutedServices:
    """A router behind the console, with alerts that fire."""
    routed = RoutedServices()
    routed.day.fires(0, "DiskFull", "LoadHigh", service="shop", instance="db-1").until(60)
    names = ("silences", "windows", "alerts", "incidents", "groups", "now", "routing", "explained")
    vars(services).update({name: getattr(routed, name) for name in names})
    vars(services)["publish"] = routed.publish
    return routed


def fill(page: Any, label: str, text: str) -> None:
    page.get_by_label(label, exact=True).fill(text)


def test_a_silence_is_previewed_made_and_expired(stand: Stand, routed: RoutedServices) -> None:
    with stand.page(path="silences", wait=".tc-quiet", color_scheme="light") as page:
        page.get_by_role("button", name="New").click()
        fill(page, "Matchers, one a line", "alertname=DiskFull\nservice=shop")
        fill(page, "For", "2h")
        fill(page, "Owner", "ada")
        fill(page, "Comment", "new disks")
        page.get_by_role("button", name="Preview").click()
        page.get_by_text("Hides 1 of 2 alerts now.").wait_for()
        page.wait_for_timeout(400)
        picture(page, "silences-form-light")
        page.get_by_role("button", name="Make it").click()
        page.get_by_text('alertname="DiskFull" service="shop"').wait_for()
        page.wait_for_timeout(600)
        picture(page, "silences-desktop-light")
        (made,) = routed.silences()
        assert (made.silence.created_by, made.silence.comment) == ("ada", "new disks")
        page.get_by_role("button", name="Expire").click()
        page.get_by_role("button", name="End it").click()
        page.get_by_text("Nothing is silenced").wait_for()
        assert [str(one.state) for one in routed.silences()] == ["expired"]


def test_a_window_recurs_and_foretells_when(stand: Stand, routed: RoutedServices) -> None:
    with stand.page(path="silences", wait=".tc-quiet", color_scheme="dark") as page:
        page.get_by_role("button", name="New").click()
        page.get_by_role("button", name="Recurring").click()
        fill(page, "Matchers, one a line", "service=shop")
        fill(page, "Every", "tuesday 02:00 for 2h in Europe/Berlin")
        fill(page, "Owner", "ada")
        page.get_by_role("button", name="Preview").click()
        page.get_by_text("Tue 21 Nov 02:00 – 04:00 CET").wait_for()
        page.wait_for_timeout(400)
        picture(page, "windows-form-dark")
        page.get_by_role("button", name="Make it").click()
        page.get_by_text("Tue 02:00 for 2h, Europe/Berlin").wait_for()
        assert [one.window.wish.owner for one in routed.windows()] == ["ada"]


def test_what_hides_too_much_wants_a_second_word(stand: Stand, routed: RoutedServices) -> None:
    with stand.page(path="silences", wait=".tc-quiet") as page:
        page.get_by_role("button", name="New").click()
        page.get_by_role("button", name="Make it").click()
        page.get_by_text("matchers: at least one matcher is wanted").wait_for()
        fill(page, "Matchers, one a line", "alertname=~.+")
        fill(page, "For", "1h")
        fill(page, "Owner", "ada")
        page.get_by_role("button", name="Make it").click()
        page.get_by_text("match every alert").wait_for()
        assert routed.silences() == []
        page.get_by_text("Hide it all the same").click()
        page.get_by_role("button", name="Make it").click()
        page.get_by_text('alertname=~".+"').wait_for()


def test_an_incident_is_taken_and_resolved(stand: Stand, routed: RoutedServices) -> None:
    with stand.page(path="incidents", wait=".tc-link", color_scheme="light") as page:
        picture(page, "incidents-desktop-light")
        page.locator(".tc-link").first.click()
        page.get_by_text("nobody has it").wait_for()
        page.get_by_text("r / webhook: ").first.wait_for()
        page.get_by_role("button", name="Acknowledge").click()
        page.get_by_text("by: say who does this").wait_for()
        fill(page, "Your name", "ada")
        fill(page, "For", "1h")
        fill(page, "Note", "on it")
        page.get_by_role("button", name="Acknowledge").click()
        page.get_by_text("ada has it, for 1h").wait_for()
        page.get_by_role("button", name="Look again").click()
        page.wait_for_timeout(3_000)
        picture(page, "incident-desktop-light")
        page.get_by_role("button", name="Resolve").click()
        page.get_by_text("resolved by ada").first.wait_for()
        (incident,) = routed.incidents()
        assert (str(incident.state), incident.resolved_by) == ("resolved", "ada")
    assert routed.told()[0].why is Why.FIRST


def test_the_overview_leads_to_incidents(stand: Stand, routed: RoutedServices) -> None:
    with stand.page(color_scheme="light") as page:
        # The console looks once a second, and may have looked before this router was there.
        page.get_by_text("nobody has it").first.wait_for()
        page.wait_for_timeout(300)
        picture(page, "overview-incidents-light")
        assert page.locator(".tc-tiles a").inner_text().split("\n")[0] == "1"
        links = page.locator(".tc-incident-link")
        assert links.count() == 2
        assert "nobody has it" in links.first.inner_text()
        links.first.click()
        page.get_by_role("button", name="Acknowledge").wait_for()
        (incident,) = routed.incidents()
        assert page.url.endswith(f"/incidents/{incident.id}")
    with stand.page(PHONE, color_scheme="dark", is_mobile=True, has_touch=True) as page:
        page.locator(".tc-incident-link").first.wait_for()
        page.wait_for_timeout(300)
        picture(page, "overview-incidents-phone")
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
        page.locator(".tc-tiles a").click()
        page.wait_for_url("**/incidents")


def test_hostile_text_stays_text_here_too(stand: Stand, routed: RoutedServices) -> None:
    routed.day.fires(61, HOSTILE, service="{{ constructor }}").until(400)
    with stand.page(path="incidents", wait=".tc-link") as page:
        page.locator(".tc-link").first.click()
        page.get_by_text(HOSTILE).first.wait_for()
        page.get_by_text("service={{ constructor }}").first.wait_for()
        assert page.evaluate("window.pwned") is None
    with stand.page(path="silences", wait=".tc-quiet") as page:
        page.get_by_role("button", name="New").click()
        fill(page, "Matchers, one a line", f'alertname="{HOSTILE}"')
        fill(page, "For", "1h")
        fill(page, "Owner", HOSTILE)
        fill(page, "Comment", "{{ constructor }}")
        page.get_by_role("button", name="Preview").click()
        page.get_by_text(f"firing: {HOSTILE}").wait_for()
        page.get_by_role("button", name="Make it").click()
        page.get_by_text("{{ constructor }}", exact=True).wait_for()
        assert page.locator("img[src=x]").count() == 0
        assert page.evaluate("window.pwned") is None


def test_an_incident_that_is_not_there_says_so(stand: Stand, routed: RoutedServices) -> None:
    with stand.page(path="incidents/nope", wait=".tc-banner") as page:
        assert "no incident" in page.locator(".tc-banner").inner_text()


@pytest.mark.parametrize("path", ["silences", "incidents"])
def test_on_a_phone_nothing_is_cut_off(stand: Stand, routed: RoutedServices, path: str) -> None:
    phone = {"color_scheme": "dark", "is_mobile": True, "has_touch": True}
    with stand.page(PHONE, path=path, wait=".tc-card", **phone) as page:
        if path == "silences":
            page.get_by_role("button", name="New").click()
            fill(
                page, "Matchers, one a line", 'instance=~"a-very-long-name-of-a-host-.*example.org"'
            )
            fill(page, "For", "1h")
            fill(page, "Owner", "ada")
            page.get_by_role("button", name="Preview").click()
            page.get_by_text("Hides 0 of 2").wait_for()
            page.wait_for_timeout(400)
            picture(page, "silences-form-phone-dark")
            page.get_by_role("button", name="Make it").click()
            page.locator(".tc-item").first.wait_for()
        else:
            page.locator(".tc-item").first.click()
            page.get_by_text("nobody has it").wait_for()
        page.wait_for_timeout(600)
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
        picture(page, f"{path}-phone-dark")
