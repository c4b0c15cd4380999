"""The law of fallbacks: a page that its receiver never takes reaches the fallback within bounds.

The first one within `fallback_after`; what comes later in the incident with the group's own rhythm,
for the fallback then hears of everything as the receiver does.
"""

from hypothesis import given, settings
from hypothesis import strategies as st

from notifiers.incidents.lifecycle import PAGES
from schemas.deliveries import Delivery, Fate, Receipt
from tests.unit.notifiers.scenario import Scenario, receipt

ROUTES = """
route: {{receiver: ops, group_wait: 10s, group_interval: 1m, repeat_interval: 5m}}
receivers:
- name: ops
  fallback: boss
  fallback_after: {after}s
  webhook_configs: [{{url: http://127.0.0.1:1/}}]
  file_configs: [{{path: f}}]
- name: boss
  webhook_configs: [{{url: http://127.0.0.1:1/}}]
"""
INTERVAL, HORIZON = 60, 1_000
FATES = st.sampled_from([Fate.REFUSED, Fate.RETRY, Fate.RETRY, None])
STEPS = st.lists(
    st.tuples(st.integers(0, 120), st.sampled_from(["a", "b", "c", "restart"])),
    min_size=1,
    max_size=8,
)


@settings(max_examples=25, deadline=None)
@given(STEPS, st.integers(1, 600), st.data())
def test_a_page_that_nobody_takes_reaches_the_fallback_in_time(
    steps: list[tuple[int, str]], after: int, data: st.DataObject
) -> None:
    def courier(delivery: Delivery, at: int) -> Receipt | None:
        if delivery.receiver == "boss":
            return receipt(delivery, at)
        fate = data.draw(FATES)
        wait = data.draw(st.integers(0, 7_200_000))
        return None if fate is None else receipt(delivery, at, fate, retry_at=at + wait)

    day, now = Scenario(ROUTES.format(after=after), courier=courier), 0
    for pause, what in steps:
        now += pause
        day.until(now)
        if what == "restart":
            day.restart()
        else:
            day.fires(now, what)
    day.until(now + HORIZON)
    bound = max(after, INTERVAL)
    told = day.told()
    rescues = [(one.at, set(one.firing.split())) for one in told if one.receiver == "boss"]
    first = next((page.at for page in told if page.receiver == "ops"), None)
    if first is not None:
        assert rescues[0][0] <= first + after
    for page in told:
        if page.receiver == "ops" and page.why in PAGES and page.at < now + HORIZON - bound:
            wanted = set(page.firing.split())
            assert any(at <= page.at + bound and firing >= wanted for at, firing in rescues)
