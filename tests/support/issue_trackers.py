"""Jira and GitHub as far as one group's issue goes: they refuse what the real ones would."""

import json
import re
from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.unit.notifiers.servers import response


def taken_apart(request: bytes) -> tuple[str, str, dict[str, str], Any]:
    """Method, target, headers by lower-case name, and the body as JSON."""
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    return method, target, headers, json.loads(body) if body else None


def _said(status: str, content: object = None) -> bytes:
    return response(status, b"" if content is None else json.dumps(content).encode())


@dataclass
class FakeGitHub:
    """One repository, owner/name."""

    issues: list[dict[str, Any]] = field(default_factory=list)
    comments: list[tuple[int, str]] = field(default_factory=list)
    statuses: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def respond(self, request: bytes) -> bytes:
        """The REST API's answer; 422 to what breaks its schema."""
        method, target, headers, body = taken_apart(request)
        assert headers["authorization"].startswith("Bearer ")
        parts = urlsplit(target)
        path = parts.path.removeprefix("/repos/owner/name/")
        with self.lock:
            if (method, path) == ("GET", "issues"):
                label = parse_qs(parts.query)["labels"][0]
                listed = [
                    one
                    for one in self.issues
                    if one["state"] == "open" and {"name": label} in one["labels"]
                ]
                return _said("200 OK", listed[:1])
            if (method, path) == ("POST", "issues"):
                return self._open(body)
            if method == "POST" and (found := re.fullmatch(r"issues/(\d+)/comments", path)):
                if not 0 < len(body["body"]) <= 65_536:
                    return _said("422 No")
                self.comments.append((int(found[1]), body["body"]))
                return _said("201 Created", {"id": 1})
            if method == "PATCH" and (found := re.fullmatch(r"issues/(\d+)", path)):
                self.issues[int(found[1]) - 1] |= body
                return _said("200 OK", self.issues[int(found[1]) - 1])
            if method == "POST" and (found := re.fullmatch(r"statuses/([0-9a-f]{40})", path)):
                if body["state"] not in ("error", "failure", "pending", "success"):
                    return _said("422 No")
                if len(body["description"]) > 140:
                    return _said("422 No")
                self.statuses.append((found[1], body))
                return _said("201 Created", {"id": 1})
        return _said("404 Not Found", {"message": "Not Found"})

    def _open(self, body: dict[str, Any]) -> bytes:
        labels = body["labels"]
        wrong = (
            not 0 < len(body["title"]) <= 256
            or len(body["body"]) > 65_536
            or len(labels) > 100
            or any(not 0 < len(label) <= 50 for label in labels)
        )
        if wrong:
            return _said("422 No")
        issue = body | {
            "number": len(self.issues) + 1,
            "state": "open",
            "labels": [{"name": label} for label in labels],
        }
        self.issues.append(issue)
        return _said("201 Created", issue)


@dataclass
class FakeJira:
    """One project below /rest/api/2; `searched` are the queries."""

    issues: dict[str, dict[str, Any]] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    searched: list[str] = field(default_factory=list)
    moved: list[tuple[str, str]] = field(default_factory=list)
    comments: list[tuple[str, Any]] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def respond(self, request: bytes) -> bytes:
        """The REST API's answer; 400 to what breaks its schema."""
        method, target, _, body = taken_apart(request)
        path = target.removeprefix("/rest/api/2/").removeprefix("/rest/api/3/")
        with self.lock:
            if (method, path) == ("POST", "search"):
                return self._search(body["jql"])
            if (method, path) == ("POST", "issue"):
                return self._keep(f"OPS-{len(self.issues) + 1}", body["fields"], "201 Created")
            found = re.fullmatch(r"issue/(OPS-\d+)(/transitions|/comment)?", path)
            if found is None or found[1] not in self.issues:
                return _said("404 Not Found")
            if found[2] is None:
                fields = self.issues[found[1]] | body["fields"]
                return self._keep(found[1], fields, "204 No Content")
            if found[2] == "/comment":
                assert method == "POST"
                return self._say(found[1], body["body"], is_document="/api/3/" in target)
            if method == "GET":
                names = {"11": "Reopen", "31": "Done"}
                listed = [{"id": number, "name": name} for number, name in names.items()]
                return _said("200 OK", {"transitions": listed})
            self.moved.append((found[1], body["transition"]["id"]))
            if body["transition"]["id"] == "31":
                self.done.add(found[1])
            else:
                self.done.discard(found[1])
            return _said("204 No Content")

    def _say(self, key: str, said: Any, *, is_document: bool) -> bytes:
        """A text of version 2, or a document of version 3 with one paragraph of text."""
        text = said["content"][0]["content"][0]["text"] if is_document else said
        if is_document and (said["type"], said["version"]) != ("doc", 1):
            return _said("400 Bad Request", {"errors": {"comment": "no"}})
        if not isinstance(text, str) or not 0 < len(text) <= 32_767:
            return _said("400 Bad Request", {"errors": {"comment": "no"}})
        self.comments.append((key, text))
        return _said("201 Created", {"id": "1"})

    def _search(self, jql: str) -> bytes:
        self.searched.append(jql)
        label = re.search(r'labels="(ALERT\{[0-9a-f]{64}\})"', jql)
        assert label is not None
        open_only = "statusCategory != Done" in jql
        issues = [
            {"key": key, "fields": {"status": {"statusCategory": {"key": self._category(key)}}}}
            for key, fields in self.issues.items()
            if label[1] in fields["labels"] and not (open_only and key in self.done)
        ]
        return _said("200 OK", {"issues": issues[:2]})

    def _category(self, key: str) -> str:
        return "done" if key in self.done else "new"

    def _keep(self, key: str, fields: dict[str, Any], status: str) -> bytes:
        wrong = (
            not 0 < len(fields["summary"]) <= 255
            or "\n" in fields["summary"]
            or len(fields.get("description", "")) > 32_767
            or any(" " in label or len(label) > 255 for label in fields["labels"])
        )
        if wrong:
            return _said("400 Bad Request", {"errors": {"summary": "no"}})
        self.issues[key] = fields
        return _said(status, {"key": key} if status.startswith("201") else None)
