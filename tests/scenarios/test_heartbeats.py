"""Jobs that are heard of and missed, fire drills, dead letters: with a real `tocsin up`."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from tests.support.tocsin_process import Tocsin, run
from tests.support.waiting import eventually
from tests.support.webhook import Page, Webhook

ONLY = ("router", "courier", "console")
ID = "3f2b6a0e-8a53-4c53-9a39-1d3c7f3d7c11"
ROUTES = """
route: {{receiver: hook, group_by: [alertname], group_wait: 0s, group_interval: 1s}}
receivers:
- name: hook
  webhook_configs: [{{url: '{url}'}}]
- name: two
  webhook_configs: [{{url: '{url}'}}, {{url: '{url}gone'}}]
heartbeats:
- {{name: backup, id: {id}, period: {period}, grace: 1s, labels: {{severity: critical}}}}
"""
OUT = "dead_mans_switch: {receiver: hook, interval: 1s}\n"


def routes(hook: Webhook, period: str = "2s") -> str:
    return ROUTES.format(url=hook.url, id=ID, period=period)


def ping(tocsin: Tocsin, signal: str = "", **request: Any) -> httpx.Response:
    return httpx.post(f"{tocsin.url}/ping/{ID}{signal}", trust_env=False, **request)


def pages(hook: Webhook, alertname: str) -> list[Page]:
    return [page for page in hook.pages if page.labels("alertname") == {alertname}]


def says(page: Page, summary: str) -> bool:
    return bool(page.body["commonAnnotations"].get("summary") == summary)


def command(tocsin: Tocsin, *arguments: str) -> tuple[int, Any]:
    done = run(*arguments, "--json", "--config", "tocsin.yaml", cwd=tocsin.home)
    return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr


def test_a_job_that_is_not_heard_of_pages_until_its_next_ping(tmp_path: Path) -> None:
    with Webhook() as hook, Tocsin(tmp_path, routes=routes(hook) + OUT, only=ONLY) as tocsin:
        tocsin.start().ready()
        assert eventually(lambda: ping(tocsin).text == "OK")
        # On a slow machine it is missed once before its first ping, too.
        words = "Heartbeat backup: no ping for 3s, expected every 2s + 1s grace"
        first = eventually(
            lambda: [one for one in pages(hook, "HeartbeatMissed") if says(one, words)]
        )[0]
        assert first.labels("heartbeat") == {"backup"}
        assert first.labels("severity") == {"critical"}
        code, said = command(tocsin, "heartbeats", "list")
        assert (code, said["heartbeats"][0]["state"]) == (1, "down")

        ping(tocsin)
        eventually(lambda: pages(hook, "HeartbeatMissed")[-1].status == "resolved")

        ping(tocsin, "/3", content=b"disk full")
        failed = eventually(lambda: pages(hook, "HeartbeatFailed"))[0]
        notes: Mapping[str, str] = failed.body["commonAnnotations"]
        assert notes["last_body"] == "disk full"
        assert notes["summary"].endswith("the job failed with exit status 3")
        assert len(pages(hook, "TocsinHeartbeat")) >= 3
        incident_less = tocsin.json("/api/v2/alerts/groups")
        assert {group["labels"]["alertname"] for group in incident_less} <= {
            "HeartbeatMissed",
            "HeartbeatFailed",
        }


def test_a_drill_reports_each_channel_and_a_dead_letter_arrives_once_its_receiver_is_mended(
    tmp_path: Path,
) -> None:
    with Webhook() as hook, Tocsin(tmp_path, routes=routes(hook, "1d"), only=ONLY) as tocsin:
        tocsin.start().ready()
        eventually(lambda: tocsin.json("/api/tocsin/v1/heartbeats")["heartbeats"])
        code, drill = command(tocsin, "routes", "drill", "hook", "--by", "ada")
        assert code == 0
        assert [one["fate"] for one in drill["channels"]] == ["delivered"]
        [page] = pages(hook, "TocsinDrill")
        assert page.body["commonAnnotations"]["summary"].startswith("FIRE DRILL: ")
        code, error = command(tocsin, "routes", "drill", "hok")
        assert code == 2
        assert 'no receiver "hok"' in error
        assert "hook" in error

        hook.refuse_next = 1
        code, drill = command(tocsin, "routes", "drill", "hook")
        assert (code, drill["channels"][0]["fate"]) == (1, "refused")
        letters = command(tocsin, "dead-letters", "list")[1]["letters"]
        assert [one["reason"] for one in letters] == ["delivery failed"]
        number = str(letters[0]["number"])
        code, said = command(tocsin, "dead-letters", "resend", number)
        assert code == 0
        assert said["resent"][0]["fate"] == "delivered"
        refused, again = hook.pages[-2:]
        assert refused.key == again.key == letters[0]["delivery"]
        assert (refused.attempt, again.attempt) == (1, 2)
        shown = command(tocsin, "dead-letters", "show", number)[1]
        assert shown["resent"]["fate"] == "delivered"


def test_a_ping_that_was_answered_is_not_lost_when_everything_is_killed(tmp_path: Path) -> None:
    with Webhook() as hook, Tocsin(tmp_path, routes=routes(hook, "1d"), only=ONLY) as tocsin:
        tocsin.start().ready()
        eventually(lambda: tocsin.json("/api/tocsin/v1/heartbeats")["heartbeats"])
        hook.hang()
        assert ping(tocsin, "/fail", content=b"killed").text == "OK"
        tocsin.kill()
        hook.hang(still=False)
        before = len(hook.pages)
        tocsin.start()
        failed = eventually(lambda: pages(hook, "HeartbeatFailed")[before:], 40)[-1]
        assert failed.body["commonAnnotations"]["last_body"] == "killed"
        [job] = tocsin.json("/api/tocsin/v1/heartbeats")["heartbeats"]
        assert (job["state"], job["last_body"]) == ("down", "killed")
