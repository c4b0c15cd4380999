"""What of a routing file is kept in the log."""

from notifiers.config import read
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
