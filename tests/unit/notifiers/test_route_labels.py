import json

from notifiers.channels.payload import payload
from notifiers.config import read
from notifiers.templating import Templates
from notifiers.templating.group_labels import group_labels
from tests.unit.notifiers.scenario import Scenario

CONFIG = """
route:
  receiver: ops
  group_by: [alertname]
  group_wait: 10s
  labels:
    reason: '{{ .GroupLabels.alertname }}'
    description: '{{ .GroupLabels.alertname }} firing ({{ routeLabels "reason" }})'
  routes:
  - matchers: [service="db"]
    labels: {reason: 'database {{ .CommonLabels.database }}'}
receivers: [{name: ops, webhook_configs: [{url: http://127.0.0.1:1/}]}]
"""


def told(**labels: str) -> dict[str, str]:
    day = Scenario(CONFIG).fires(0, "Full", **labels).until(20)
    body = payload(Templates().routed(day.deliveries[0][1]))
    found: dict[str, str] = json.loads(json.dumps(body))["routeLabels"]
    return found


def test_a_route_inherits_labels_and_overrides_them() -> None:
    assert told() == {"reason": "Full", "description": "Full firing (Full)"}
    assert told(service="db", database="orders") == {
        "reason": "database orders",
        "description": "Full firing (database orders)",
    }


def test_a_label_that_is_no_template_is_refused_with_its_line() -> None:
    text = CONFIG.replace("{{ .GroupLabels.alertname }}'", "{{ .Group'", 1)
    _, problems = read(text, "r.yml")
    assert [str(one) for one in problems] == [
        "r.yml:7: route.labels: reason: template 1:4: unclosed action"
    ]


def test_the_groups_of_the_api_show_them() -> None:
    day = Scenario(CONFIG).fires(0, "Full", service="db", database="orders").until(20)
    (group,) = day.router.groups()
    assert group_labels(group)["description"] == "Full firing (database orders)"
