"""A small helpdesk on loopback with a REST of its own, and every fault of real ones on demand.

    GET  /account                    {"name": …}
    GET  /queues                     {"items": [{"id": …, "name": …}]}
    GET  /customers /priorities      the same
    GET  /tickets?key=… or ?ids=1,2  {"tickets": [ticket]}
    GET  /tickets/7                  {"ticket": ticket, "comments": [{"by": …, "text": …}]}
    POST /tickets                    201 {"ticket": ticket}
    POST /tickets/7/comments         201 {"comment": {"text": …}}
    PUT  /tickets/7                  {"ticket": ticket}

A key is sent as `Authorization: Bearer …`. Of a merged ticket GET answers with its target.
"""

from __future__ import annotations

import itertools
import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from functools import partial
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.loopback import LoopbackServer

TOKEN, POWERLESS_TOKEN = "portal-token-1234567890", "powerless-token-123456"
READER_TOKEN = "reader-token-1234567890"
ACCOUNTS = {TOKEN: "portal", POWERLESS_TOKEN: "powerless", READER_TOKEN: "reader"}
"""Who only reads may open and comment as well, and is told 200 to all else."""
QUEUES = {"support": "Support", "network": "Network team"}
CUSTOMERS = {f"c{number}": f"Customer {number}" for number in range(1, 61)}
PRIORITIES = {"1": "Low", "2": "Normal", "3": "High"}
LONGEST_SUBJECT = 200


class Fault(StrEnum):
    """What happens to one write."""

    LATE = "late"
    """Carried out at once; the answer waits for `release`."""
    ERROR_BEFORE = "error_before"
    ERROR_AFTER = "error_after"
    LOSES_ANSWER = "loses_answer"
    """Carried out, and hangs up."""
    DOES_LATER = "does_later"
    """Hangs up, and carries it out once `catch_up` is called, or after `delay` seconds;
    a ticket is opened after `opening_delay`, where that is set."""
    CUT_OFF = "cut_off"
    """Carried out, and the answer breaks off in the middle."""
    NO_JSON = "no_json"
    """Carried out, and a proxy answers 200 with a page."""
    REFUSES = "refuses"
    """200 with a sentence; nothing is done."""
    BUSY = "busy"
    """429, to be asked again in 7 seconds."""
    DOWN = "down"
    """503 with Retry-After."""
    MOVED = "moved"


class Search(StrEnum):
    WORKS = "works"
    IGNORES_KEY = "ignores_key"
    FINDS_NOTHING = "finds_nothing"
    """For want of a right."""


@dataclass(slots=True)
class Ticket:
    id: int
    url: str
    queue: str
    customer: str
    priority: str
    subject: str
    body: str
    key: str
    state: str = "open"
    touched_by: str = ""
    comments: list[dict[str, str]] = field(default_factory=list)
    merged_into: int | None = None

    def tell(self) -> dict[str, Any]:
        told = asdict(self)
        del told["comments"]
        return told


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    data: Any


class SimulatedHelpdesk:
    """`plan` holds what befalls the next writes, `choose` what befalls those after them; None for
    nothing. The verbs of people are methods, and need no request."""

    def __init__(self) -> None:
        self.tickets: dict[int, Ticket] = {}
        self.plan: list[Fault | None] = []
        self.choose: Callable[[], Fault | None] = lambda: None
        self.search = Search.WORKS
        self.drops_key = False
        self.delay: float | None = None
        self.opening_delay: float | None = None
        self.requests: list[str] = []
        """Each as `POST /tickets`."""
        self.lock = threading.RLock()
        self._numbers = itertools.count(1001)
        self._by_key: dict[str, list[Ticket]] = {}
        self._late: list[Callable[[], object]] = []
        self._released = threading.Event()
        self._server = LoopbackServer(self._make_handler())
        self.url = self._server.url

    def stop(self) -> None:
        self.release()
        self._server.stop()

    def release(self) -> None:
        """Late answers go out."""
        self._released.set()

    def catch_up(self) -> None:
        """What was left for later is done now."""
        with self.lock:
            while self._late:
                self._late.pop(0)()

    def list_by_key(self, key: str) -> list[Ticket]:
        with self.lock:
            return list(self._by_key.get(key, ()))

    def touch(self, reference: str, text: str = "I am on it.", *, by: str = "anna") -> None:
        with self.lock:
            ticket = self.tickets[int(reference)]
            ticket.comments.append({"by": by, "text": text})
            ticket.touched_by = by

    def set_state(self, reference: str, state: str, *, by: str = "anna") -> None:
        with self.lock:
            ticket = self.tickets[int(reference)]
            ticket.state, ticket.touched_by = state, by

    def move(self, reference: str, queue: str, *, by: str = "anna") -> None:
        with self.lock:
            ticket = self.tickets[int(reference)]
            ticket.queue, ticket.touched_by = queue, by

    def delete(self, reference: str) -> None:
        with self.lock:
            ticket = self.tickets.pop(int(reference))
            self._by_key[ticket.key].remove(ticket)

    def merge(self, reference: str, into: str, *, by: str = "anna") -> None:
        """The key stays behind, where nobody finds it."""
        with self.lock:
            self.tickets[int(reference)].merged_into = int(into)
            self.tickets[int(into)].touched_by = by

    # What is asked of it over HTTP.

    def answer(self, method: str, target: str, account: str, data: Any) -> Answer:
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        _, room, *rest = parts.path.split("/")
        with self.lock:
            if method == "GET" and not rest:
                return self._list(room, query, account)
            if account == "powerless":
                return Answer(403, {"error": "Permission denied"})
            if method == "POST" and not rest:
                return self._open(data)
            ticket = self.tickets.get(int(rest[0])) if re.fullmatch(r"\d+", rest[0]) else None
            if ticket is None:
                return Answer(404, {"error": "No such ticket"})
            return self._do(method, ticket, account, data, is_comment=rest[1:] == ["comments"])

    def _list(self, room: str, query: dict[str, str], account: str) -> Answer:
        if room == "account":
            return Answer(200, {"name": account})
        if room == "tickets":
            return Answer(200, {"tickets": [each.tell() for each in self._find(query)]})
        names = {"queues": QUEUES, "customers": CUSTOMERS, "priorities": PRIORITIES}[room]
        return Answer(200, {"items": [{"id": id, "name": name} for id, name in names.items()]})

    def _find(self, query: dict[str, str]) -> list[Ticket]:
        found: Iterable[Ticket | None] = self._by_key.get(query.get("key", ""), ())
        if "ids" in query:
            numbers = [each for each in query["ids"].split(",") if each.isdecimal()]
            found = (self.tickets.get(int(each)) for each in numbers)
        elif self.search is Search.FINDS_NOTHING:
            return []
        elif self.search is Search.IGNORES_KEY:
            found = self.tickets.values()
        return [each for each in found if each is not None and each.merged_into is None]

    def _open(self, data: Any) -> Answer:
        if data.get("queue") not in QUEUES:
            return Answer(422, {"error": "Queue not set"})
        number = next(self._numbers)
        ticket = Ticket(
            id=number,
            url=f"{self.url}/show/{number}",
            queue=data["queue"],
            customer=data.get("customer", ""),
            priority=data.get("priority") or "2",
            subject=data.get("subject", "")[:LONGEST_SUBJECT],
            body=data.get("body", ""),
            key="" if self.drops_key else data.get("key", ""),
        )
        self.tickets[number] = ticket
        self._by_key.setdefault(ticket.key, []).append(ticket)
        return Answer(201, {"ticket": ticket.tell()})

    def _do(
        self, method: str, ticket: Ticket, account: str, data: Any, *, is_comment: bool
    ) -> Answer:
        if method == "GET":
            target = self.tickets[ticket.merged_into] if ticket.merged_into else ticket
            return Answer(200, {"ticket": target.tell(), "comments": target.comments})
        if is_comment:
            ticket.comments.append({"by": account, "text": data["text"]})
            return Answer(201, {"comment": {"text": data["text"]}})
        if account == "reader":
            return Answer(200, {"message": "Permission denied"})
        ticket.state = data["state"]
        return Answer(200, {"ticket": ticket.tell()})

    # What befalls it.

    def _suffer(self, handler: _Handler, do: Callable[[], Answer]) -> None:
        with self.lock:
            fault = self.plan.pop(0) if self.plan else self.choose()
        if fault is None:
            return handler.tell(do())
        answered = do() if fault in _CARRIED_OUT else Answer(0, None)
        match fault:
            case Fault.LATE:
                self._released.wait(60)
                handler.tell(answered)
            case Fault.LOSES_ANSWER:
                handler.close_connection = True
            case Fault.DOES_LATER:
                is_opening = handler.command == "POST" and handler.path == "/tickets"
                self._leave(do, is_opening=is_opening)
                handler.close_connection = True
            case Fault.CUT_OFF:
                handler.tell(answered, missing=5)
            case Fault.NO_JSON:
                handler.tell(Answer(200, "<html>Welcome</html>"), content_type="text/html")
            case Fault.REFUSES:
                handler.tell(Answer(200, {"message": "Permission denied"}))
            case Fault.BUSY | Fault.DOWN:
                status = 429 if fault is Fault.BUSY else 503
                handler.tell(Answer(status, {"error": "Later"}), headers={"Retry-After": "7"})
            case Fault.MOVED:
                handler.tell(Answer(302, {}), headers={"Location": f"{self.url}/elsewhere"})
            case Fault.ERROR_BEFORE | Fault.ERROR_AFTER:
                handler.tell(Answer(500, {"error": "Oops"}))
        return None

    def _leave(self, do: Callable[[], object], *, is_opening: bool) -> None:
        delay = (self.opening_delay if is_opening else None) or self.delay
        if delay is None:
            with self.lock:
                self._late.append(do)
            return
        timer = threading.Timer(delay, do)
        timer.daemon = True
        timer.start()

    def _make_handler(self) -> type[_Handler]:
        simulated = self

        class Handler(_Handler):
            helpdesk = simulated

        return Handler


_CARRIED_OUT = (
    *(Fault.LATE, Fault.ERROR_AFTER, Fault.LOSES_ANSWER),
    *(Fault.CUT_OFF, Fault.NO_JSON),
)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    helpdesk: SimulatedHelpdesk

    def _take(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.helpdesk.requests.append(f"{self.command} {self.path}")
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        account = ACCOUNTS.get(token)
        if account is None:
            return self.tell(Answer(401, {"error": f"Unknown key {token}"}))
        data = json.loads(body) if body else None
        do = partial(self.helpdesk.answer, self.command, self.path, account, data)
        if self.command == "GET":
            return self.tell(do())
        return self.helpdesk._suffer(self, do)

    do_GET = do_POST = do_PUT = _take  # noqa: N815

    def tell(
        self,
        answer: Answer,
        *,
        headers: dict[str, str] | None = None,
        content_type: str = "application/json",
        missing: int = 0,
    ) -> None:
        is_text = isinstance(answer.data, str)
        body = (answer.data if is_text else json.dumps(answer.data)).encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: len(body) - missing])
        self.close_connection = self.close_connection or missing > 0

    def log_message(self, *_args: object) -> None:
        pass


@contextmanager
def simulated() -> Iterator[SimulatedHelpdesk]:
    helpdesk = SimulatedHelpdesk()
    try:
        yield helpdesk
    finally:
        helpdesk.stop()
