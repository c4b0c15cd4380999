"""What of a routing file is kept in the log."""

import pytest

from notifiers.config import read
from notifiers.heartbeats.sealed import named
from notifiers.redact import without_secrets

FILE = """
global: {resolve_timeout: 3m}
route: {receiver: hook, group_by: [service], routes: [{match: {a: yes}, receiver: file}]}
receivers:
  - name: hook
    webhook_configs:
      - url: https://hooks.example.org/services/T0/CANARY
        send_resolved: false
        max_alerts: 3
        http_config: {authorization: {credentials: CANARY}}
  - name: file
    file_configs: [{path: out.jsonl}]
"""


def test_no_address_and_no_credential_travels() -> None:
    assert "CANARY" not in without_secrets(FILE)


def test_what_the_router_decides_by_stays() -> None:
    before, problems = read(FILE, "f")
    after, _ = read(without_secrets(FILE), "f", bare=True)
    assert problems == []
    assert before is not None
    assert after is not None
    assert after.route == before.route
    assert after.resolve_timeout == before.resolve_timeout
    for name, receiver in before.receivers.items():
        routed = [(c.kind, c.send_resolved, c.max_alerts) for c in receiver.channels]
        kept = after.receivers[name].channels
        assert [(c.kind, c.send_resolved, c.max_alerts) for c in kept] == routed


BEATS = """
ping_key: CANARY-CANARY-CANARY-1
route: {receiver: r}
receivers: [{name: r}]
heartbeats:
- &first {name: a, id: CANARY-CANARY-CANARY-2, period: 1h}
- {<<: *first, name: b, id: CANARY-CANARY-CANARY-3}
- {<<: {id: CANARY-CANARY-CANARY-4}, name: c, period: 1h}
- {name: d, period: 1h}
"""


def test_the_secrets_of_pings_travel_sealed_and_still_open_their_heartbeats() -> None:
    text = without_secrets(BEATS)
    assert "CANARY" not in text
    config, problems = read(text, "f", bare=True)
    assert problems == []
    assert config is not None
    names = {path: one.name for one in config.heartbeats.values() for path in one.paths}
    for name, number in (("a", 2), ("b", 3), ("c", 4)):
        assert named(names, f"CANARY-CANARY-CANARY-{number}") == name
        assert named(names, f"CANARY-CANARY-CANARY-1/{name}") == name
    assert named(names, "CANARY-CANARY-CANARY-1/d") == "d"
    assert not [path for path in names if named(names, path) is not None]


def test_a_plan_of_an_older_version_has_secrets_open_and_they_still_open() -> None:
    config, _ = read(BEATS, "f")
    assert config is not None
    names = {path: one.name for one in config.heartbeats.values() for path in one.paths}
    assert named(names, "CANARY-CANARY-CANARY-2") == "a"
    assert named(names, "CANARY-CANARY-CANARY-1/d") == "d"
    assert named(names, "CANARY-CANARY-CANARY-9") is None


@pytest.mark.parametrize("nothing", ["~", "null", ""])
def test_a_heartbeat_without_an_id_has_none_where_it_travels_to(nothing: str) -> None:
    """A sealed nothing would be a secret that everybody knows."""
    text = (
        "route: {receiver: r}\nreceivers: [{name: r}]\nping_key: 5dW8nTqkV0yXc2RrB1mLzA\n"
        "heartbeats:\n"
        f"- {{name: one, id: {nothing}, period: 1h, grace: 1h}}\n"
        f"- {{name: two, id: {nothing}, period: 1h, grace: 1h}}\n"
    )
    config, problems = read(without_secrets(text), "plan", bare=True)
    assert config is not None, problems
    assert [len(one.paths) for one in config.heartbeats.values()] == [1, 1]
