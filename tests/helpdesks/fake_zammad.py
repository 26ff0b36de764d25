"""A small Zammad on loopback, made from its documentation alone: nobody has held it against a real
one. It has what the portal asks for, and an index that can be missing, or behind."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PORTAL, READER, ANNA = (
    "portal-token-1234567890",
    "reader-token-1234567890",
    "annas-token-1234567890",
)
USERS = {
    2: {"id": 2, "login": "portal@msp.example", "firstname": "Portal", "lastname": ""},
    3: {"id": 3, "login": "reader@msp.example", "firstname": "Reader", "lastname": ""},
    4: {"id": 4, "login": "anna", "firstname": "Anna", "lastname": "Berg"},
    **{
        10 + number: {
            "id": 10 + number,
            "login": f"c{number}@acme.example",
            "email": f"c{number}@acme.example",
            "firstname": "Customer",
            "lastname": f"Number {number}",
        }
        for number in range(1, 5)
    },
}
TOKENS = {PORTAL: 2, READER: 3, ANNA: 4}
GROUPS = [
    {"id": 1, "name": "Support", "active": True},
    {"id": 2, "name": "Network", "active": True},
    {"id": 3, "name": "Old", "active": False},
]
PRIORITIES = [
    {"id": id, "name": name, "active": True} for id, name in ((1, "1 low"), (3, "3 high"))
]
STATES = ("new", "open", "closed", "merged")
OWN_FIELDS = ("portal_key",)
"""What was added to tickets; anything else is dropped."""

Told = tuple[int, Any]


class FakeZammad:
    """With `is_behind`, new tickets are not in the index yet."""

    def __init__(self) -> None:
        self.tickets: dict[int, dict[str, Any]] = {}
        self.articles: dict[int, list[dict[str, Any]]] = {}
        self.parents: dict[int, int] = {}
        self.indexed: set[int] = set()
        self.has_index, self.is_behind = True, False
        self.lock = threading.RLock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._make_handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def write(self, number: int, body: str, token: str) -> dict[str, Any]:
        """An article."""
        with self.lock:
            user = USERS[TOKENS[token]]
            article = {
                "id": sum(map(len, self.articles.values())) + 1,
                "ticket_id": number,
                "from": f"{user['firstname']} {user['lastname']}".strip(),
                "body": body,
                "content_type": "text/plain",
                "type": "note",
                "internal": True,
                "created_by_id": user["id"],
            }
            self.articles.setdefault(number, []).append(article)
            self.change(number, {}, token)
            return article

    def change(self, number: int, values: dict[str, Any], token: str) -> None:
        with self.lock:
            its = self.tickets[number]
            its |= {name: value for name, value in values.items() if name in its}
            its |= {"updated_by_id": TOKENS[token], "updated_at": datetime.now(UTC).isoformat()}
            its["article_count"] = len(self.articles.get(number, ()))

    # What is asked of it over HTTP.

    def answer(self, method: str, target: str, token: str, data: Any) -> Told:
        if token not in TOKENS:
            return 401, {"error": f"Can’t find user for token {token}"}
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        path = parts.path.removeprefix("/api/v1/")
        with self.lock:
            if method == "GET":
                return self._get(path, query, token)
            if token == READER:
                return 403, {"error": "Not authorized"}
            if path == "tickets":
                return self._open(data, token)
            if path == "ticket_articles":
                return 201, self.write(data["ticket_id"], data["body"], token)
            return self._put(int(path.rpartition("/")[2]), data, token)

    def _get(self, path: str, query: dict[str, str], token: str) -> Told:
        lists = {"groups": GROUPS, "ticket_priorities": PRIORITIES, "users": [*USERS.values()]}
        if path in lists:
            return 200, lists[path]
        if path == "tickets":
            return 200, [*self.tickets.values()][: int(query["per_page"])]
        if path == "users/me":
            return 200, USERS[TOKENS[token]]
        if path == "tickets/search":
            return 200, self._search(query["query"])
        number = int(path.rpartition("/")[2]) if path != "links" else 0
        if path == "links":
            return 200, {"links": self._list_links(int(query["link_object_value"]))}
        if path.startswith("ticket_articles/by_ticket/"):
            return 200, self.articles[number]
        if number not in self.tickets:
            return 404, {"error": "Couldn't find Ticket"}
        its = self.tickets[number]
        return 200, its | {"updated_by": USERS[its["updated_by_id"]]["login"]}

    def _search(self, query: str) -> Any:
        """Without an index it looks for the whole text in titles."""
        field, _, value = query.partition(":")
        wanted = value.strip('"')
        if self.has_index:
            hits = [n for n in self.indexed & self.tickets.keys() if self._has(n, field, wanted)]
        else:
            hits = [number for number, its in self.tickets.items() if query in its["title"]]
        assets = {str(number): self.tickets[number] for number in hits}
        return {"tickets": hits, "tickets_count": len(hits), "assets": {"Ticket": assets}}

    def _has(self, number: int, field: str, wanted: str) -> bool:
        return str(self.tickets[number].get(field, "")) == wanted

    def _list_links(self, number: int) -> list[dict[str, Any]]:
        if number not in self.parents:
            return []
        target = self.parents[number]
        return [{"link_type": "parent", "link_object": "Ticket", "link_object_value": target}]

    def _open(self, data: Any, token: str) -> Told:
        if str(data.get("group_id")) not in {str(group["id"]) for group in GROUPS}:
            return 422, {"error": "Group can't be blank", "error_human": "Group can't be blank"}
        if not re.fullmatch(r"guess:\S+@\S+|[0-9]+", str(data.get("customer_id"))):
            return 422, {"error": "Customer can't be blank"}
        number = max(self.tickets, default=0) + 1
        self.tickets[number] = {
            "id": number,
            "number": f"31{number:03}",
            "title": data["title"],
            "group_id": data["group_id"],
            "state": "new",
            "created_by_id": TOKENS[token],
            **{name: data.get(name, "") for name in OWN_FIELDS},
        }
        self.write(number, data["article"]["body"], token)
        if not self.is_behind:
            self.indexed.add(number)
        return 201, self.tickets[number]

    def _put(self, number: int, data: Any, token: str) -> Told:
        if data["state"] not in STATES:
            return 422, {"error": "No lookup value found for 'state'"}
        self.change(number, data, token)
        return 200, self.tickets[number]

    def _make_handler(self) -> type[BaseHTTPRequestHandler]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def _take(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                token = (self.headers.get("Authorization") or "").removeprefix("Token token=")
                data = json.loads(body) if body else None
                status, told = fake.answer(self.command, self.path, token, data)
                answer = json.dumps(told).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_POST = do_PUT = _take  # noqa: N815

            def log_message(self, *_args: object) -> None:
                pass

        return Handler


@contextmanager
def fake_zammad() -> Iterator[FakeZammad]:
    fake = FakeZammad()
    try:
        yield fake
    finally:
        fake.stop()
