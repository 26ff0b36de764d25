"""The helpdesks that the contract is tried on, and what people do in them meanwhile."""

from __future__ import annotations

import json
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, Protocol

from portal.far_side.form import Secrets, Settings
from portal.helpdesks import KINDS, HelpdeskKind
from tests.helpdesks.fake_zammad import ANNA, PORTAL, READER, FakeZammad, fake_zammad
from tests.helpdesks.servers.redmine import Redmine, redmine
from tests.helpdesks.servers.request_tracker import RequestTracker, request_tracker
from tests.helpdesks.simulated import (
    CUSTOMERS,
    POWERLESS_TOKEN,
    READER_TOKEN,
    TOKEN,
    Search,
    SimulatedHelpdesk,
    simulated,
)
from tests.helpdesks.simulated_kind import SIMULATED


@dataclass(frozen=True, slots=True)
class Setup:
    settings: Settings
    secrets: Secrets
    fails_at: str = ""
    """The step of the probe at which it shows that it is wrong."""


class Bench(Protocol):
    """One helpdesk, used by the portal's account and by a person, Anna."""

    @property
    def kind(self) -> HelpdeskKind: ...

    @property
    def url(self) -> str: ...

    @property
    def queues(self) -> tuple[str, str]:
        """Ids of two that the account opens tickets in."""

    @property
    def customer(self) -> tuple[str, str]:
        """Id of one and a part of its name; empty where there are none."""

    @property
    def longest_subject(self) -> int: ...

    def list_setups(self) -> Mapping[str, Callable[[], Setup]]:
        """`good`, and every way in which one can be wrong."""

    def count(self, key: str) -> int: ...

    def read_subject(self, reference: str) -> str: ...

    def read_texts(self, reference: str) -> list[str]:
        """Of the ticket and of its comments."""

    def touch(self, reference: str) -> None: ...

    def set_state(self, reference: str, *, is_closed: bool) -> None: ...

    def move(self, reference: str, queue: str) -> None: ...

    def delete(self, reference: str) -> None: ...

    def merge(self, reference: str, into: str) -> bool:
        """Whether it knows that at all."""


@dataclass(frozen=True, slots=True)
class SimulatedBench:
    helpdesk: SimulatedHelpdesk
    kind: HelpdeskKind = SIMULATED
    queues: tuple[str, str] = ("support", "network")
    customer: tuple[str, str] = ("c7", "mer 7")
    longest_subject: int = 200

    @property
    def url(self) -> str:
        return self.helpdesk.url

    def list_setups(self) -> Mapping[str, Callable[[], Setup]]:
        return {
            "good": self._set_up,
            "wrong_key": lambda: self._set_up("wrong-token-12345", "account"),
            "powerless": lambda: self._set_up(POWERLESS_TOKEN, "open"),
            "reader": lambda: self._set_up(READER_TOKEN, "close"),
            "blind": lambda: self._set_up(TOKEN, "open", search=Search.FINDS_NOTHING),
            "drops_key": lambda: self._set_up(TOKEN, "open", drops_key=True),
            "ignores_key": lambda: self._set_up(TOKEN, "search", search=Search.IGNORES_KEY),
        }

    def _set_up(
        self,
        token: str = TOKEN,
        fails_at: str = "",
        *,
        search: Search = Search.WORKS,
        drops_key: bool = False,
    ) -> Setup:
        self.helpdesk.search, self.helpdesk.drops_key = search, drops_key
        return Setup({"url": self.url}, {"token": token}, fails_at)

    def count(self, key: str) -> int:
        return len(self.helpdesk.list_by_key(key))

    def read_subject(self, reference: str) -> str:
        return self.helpdesk.tickets[int(reference)].subject

    def read_texts(self, reference: str) -> list[str]:
        ticket = self.helpdesk.tickets[int(reference)]
        return [ticket.body, *(each["text"] for each in ticket.comments)]

    def touch(self, reference: str) -> None:
        self.helpdesk.touch(reference)

    def set_state(self, reference: str, *, is_closed: bool) -> None:
        self.helpdesk.set_state(reference, "closed" if is_closed else "open")

    def move(self, reference: str, queue: str) -> None:
        self.helpdesk.move(reference, queue)

    def delete(self, reference: str) -> None:
        self.helpdesk.delete(reference)

    def merge(self, reference: str, into: str) -> bool:
        self.helpdesk.merge(reference, into)
        return True


HTTP_SETTINGS: Settings = {
    **{each.name: each.default for each in KINDS["http"].fields if not each.is_secret},
    "queues": "support = Support\nnetwork=Network team",
    "open_reference": "ticket.id",
    "find_tickets": "tickets",
    "read_ticket": "ticket",
    "ticket_state": "state",
    "ticket_toucher": "touched_by",
    "close_body": '{"state": "closed"}',
    "reopen_body": '{"state": "open"}',
    "account_path": "/account",
    "customers": "\n".join(f"{id} = {name}" for id, name in CUSTOMERS.items()),
    "priorities": "1 = Low\n3 = High",
}
"""What a person enters for the simulated helpdesk; the rest is as the form offers it."""


@dataclass(frozen=True, slots=True)
class HttpBench(SimulatedBench):
    """The same helpdesk, described by a person."""

    kind: HelpdeskKind = KINDS["http"]

    def list_setups(self) -> Mapping[str, Callable[[], Setup]]:
        found = {name: partial(self._describe, make) for name, make in self._list_own().items()}
        return found | {
            "no_list": lambda: self._describe(self._set_up, "open", find_tickets="items"),
            "no_state": lambda: self._describe(self._set_up, "close", closed="done"),
            "no_comments": lambda: self._describe(self._set_up, "comment", comment_body="{}"),
        }

    def _list_own(self) -> Mapping[str, Callable[[], Setup]]:
        return SimulatedBench.list_setups(self)

    def _describe(self, make: Callable[[], Setup], fails_at: str = "", **own: str) -> Setup:
        setup = make()
        headers = f"Authorization: Bearer {setup.secrets['token']}"
        settings = {**HTTP_SETTINGS, **setup.settings, **own}
        return Setup(settings, {"headers": headers}, fails_at or setup.fails_at)


@dataclass(frozen=True, slots=True)
class ZammadBench:
    """A fake by the documentation: what a real Zammad does otherwise, this does not show."""

    server: FakeZammad
    kind: HelpdeskKind = KINDS["zammad"]
    queues: tuple[str, str] = ("1", "2")
    customer: tuple[str, str] = ("12", "Number 2")
    longest_subject: int = 200

    @property
    def url(self) -> str:
        return self.server.url

    def list_setups(self) -> Mapping[str, Callable[[], Setup]]:
        return {
            "good": self._set_up,
            "wrong_key": lambda: self._set_up("wrong-token-12345", "account"),
            "reader": lambda: self._set_up(READER, "open"),
            "no_elasticsearch": lambda: self._set_up(fails_at="account", has_index=False),
            "no_attribute": lambda: self._set_up(fails_at="open", field="no_such_key"),
            "wrong_state": lambda: self._set_up(fails_at="close", closed="solved"),
        }

    def _set_up(
        self, token: str = PORTAL, fails_at: str = "", *, has_index: bool = True, **own: str
    ) -> Setup:
        self.server.has_index = has_index
        defaults = {each.name: each.default for each in self.kind.fields if not each.is_secret}
        settings = {**defaults, "url": self.url, "customer": "noc@msp.example", **own}
        return Setup(settings, {"token": token}, fails_at)

    def count(self, key: str) -> int:
        return sum(each["portal_key"] == key for each in self.server.tickets.values())

    def read_subject(self, reference: str) -> str:
        return str(self.server.tickets[int(reference)]["title"])

    def read_texts(self, reference: str) -> list[str]:
        return [each["body"] for each in self.server.articles[int(reference)]]

    def touch(self, reference: str) -> None:
        self.server.write(int(reference), "I am on it.", ANNA)

    def set_state(self, reference: str, *, is_closed: bool) -> None:
        self._change(reference, state="closed" if is_closed else "open")

    def move(self, reference: str, queue: str) -> None:
        self._change(reference, group_id=int(queue))

    def delete(self, reference: str) -> None:
        del self.server.tickets[int(reference)]

    def merge(self, reference: str, into: str) -> bool:
        self.server.parents[int(reference)] = int(into)
        self._change(reference, state="merged")
        return True

    def _change(self, reference: str, **values: Any) -> None:
        self.server.change(int(reference), values, ANNA)


@dataclass(frozen=True)
class RtBench:
    server: RequestTracker
    kind: HelpdeskKind = KINDS["rt"]
    customer: tuple[str, str] = ("customer2@acme.example", "mer 2")
    longest_subject: int = 200

    @property
    def url(self) -> str:
        return self.server.url

    @cached_property
    def queues(self) -> tuple[str, str]:
        ids = {each["Name"]: each["id"] for each in self._ask("queues/all?fields=Name")["items"]}
        return ids["Support"], ids["Network"]

    def list_setups(self) -> Mapping[str, Callable[[], Setup]]:
        return {
            "good": lambda: self._set_up("portal"),
            "wrong_key": lambda: self._set_up("portal", "account", token="1-43-0123456789abcdef"),
            "powerless": lambda: self._set_up("powerless", "open"),
            "reader": lambda: self._set_up("reader", "comment"),
            "deaf": lambda: self._set_up("deaf", "comment"),
            "blind": lambda: self._set_up("blind", "open"),
            "no_field": lambda: self._set_up("portal", "open", field="NoSuchField"),
        }

    def _set_up(
        self, account: str, fails_at: str = "", *, token: str = "", field: str = "PortalKey"
    ) -> Setup:
        settings = {"url": self.url, "field": field, "closed": "resolved", "open": "open"}
        return Setup(settings, {"token": token or self.server.tokens[account]}, fails_at)

    def count(self, key: str) -> int:
        query = urllib.parse.quote(f"CF.{{PortalKey}} = '{key}'")
        return int(self._ask(f"tickets?query={query}")["total"])

    def read_subject(self, reference: str) -> str:
        return str(self._ask(f"ticket/{reference}")["Subject"])

    def read_texts(self, reference: str) -> list[str]:
        texts = self._ask(f"ticket/{reference}/attachments?fields=Content&per_page=100")
        return [each["Content"].replace("\r\n", "\n") for each in texts["items"]]

    def touch(self, reference: str) -> None:
        told = {"Content": "I am on it.", "ContentType": "text/plain"}
        self._ask(f"ticket/{reference}/comment", "POST", told)

    def set_state(self, reference: str, *, is_closed: bool) -> None:
        self._change(reference, Status="resolved" if is_closed else "open")

    def move(self, reference: str, queue: str) -> None:
        self._change(reference, Queue=queue)

    def delete(self, reference: str) -> None:
        self._change(reference, Status="deleted")

    def merge(self, reference: str, into: str) -> bool:
        self._change(reference, MergeInto=into)
        return True

    def _change(self, reference: str, **values: str) -> None:
        self._ask(f"ticket/{reference}", "PUT", values)

    def _ask(self, path: str, method: str = "GET", data: Any = None) -> Any:
        token = f"token {self.server.tokens['anna']}"
        return ask_as_anna(f"{self.url}/REST/2.0/{path}", {"Authorization": token}, method, data)


@dataclass(frozen=True)
class RedmineBench:
    server: Redmine
    kind: HelpdeskKind = KINDS["redmine"]
    customer: tuple[str, str] = ("", "")
    longest_subject: int = 255
    _statuses: Mapping[bool, int] = field(default_factory=lambda: {True: 5, False: 2})

    @property
    def url(self) -> str:
        return self.server.url

    @cached_property
    def queues(self) -> tuple[str, str]:
        projects = self._ask("projects.json")["projects"]
        ids = {each["identifier"]: str(each["id"]) for each in projects}
        return ids["support"], ids["network"]

    def list_setups(self) -> Mapping[str, Callable[[], Setup]]:
        return {
            "good": lambda: self._set_up("portal"),
            "wrong_key": lambda: self._set_up("portal", "account", key="0123456789abcdef"),
            "powerless": lambda: self._set_up("powerless", "account"),
            "reader": lambda: self._set_up("reader", "account"),
            "deaf": lambda: self._set_up("deaf", "account"),
            "ignores_key": lambda: self._set_up(
                "portal", "search", field=str(self.server.unfiltered)
            ),
            "no_field": lambda: self._set_up("portal", "search", field="99"),
            "no_name": lambda: self._set_up("portal", "search", field="No such field"),
            "wrong_status": lambda: self._set_up("portal", "close", closed="No such status"),
        }

    def _set_up(
        self, account: str, fails_at: str = "", *, key: str = "", field: str = "", closed: str = ""
    ) -> Setup:
        settings = {"url": self.url, "field": field or str(self.server.field), "closed": closed}
        return Setup(settings, {"key": key or self.server.keys[account]}, fails_at)

    def count(self, key: str) -> int:
        path = f"issues.json?cf_{self.server.field}={key}&status_id=*"
        return int(self._ask(path)["total_count"])

    def read_subject(self, reference: str) -> str:
        return str(self._ask(f"issues/{reference}.json")["issue"]["subject"])

    def read_texts(self, reference: str) -> list[str]:
        issue = self._ask(f"issues/{reference}.json?include=journals")["issue"]
        texts = [issue["description"], *(each["notes"] or "" for each in issue["journals"])]
        return [text.replace("\r\n", "\n") for text in texts]

    def touch(self, reference: str) -> None:
        """Its clock knows only seconds: what happens in the one in which a ticket was opened is
        seen with the next change."""
        while True:
            self._change(reference, notes="I am on it.", private_notes=True)
            issue = self._ask(f"issues/{reference}.json")["issue"]
            if issue["updated_on"] != issue["created_on"]:
                return
            time.sleep(0.2)

    def set_state(self, reference: str, *, is_closed: bool) -> None:
        self._change(reference, status_id=self._statuses[is_closed])

    def move(self, reference: str, queue: str) -> None:
        self.touch(reference)
        self._change(reference, project_id=queue)

    def delete(self, reference: str) -> None:
        self._ask(f"issues/{reference}.json", "DELETE")

    def merge(self, reference: str, into: str) -> bool:
        return False

    def _change(self, reference: str, **values: Any) -> None:
        self._ask(f"issues/{reference}.json", "PUT", {"issue": values})

    def _ask(self, path: str, method: str = "GET", data: Any = None) -> Any:
        key = {"X-Redmine-API-Key": self.server.keys["anna"]}
        return ask_as_anna(f"{self.url}/{path}", key, method, data)


def ask_as_anna(url: str, headers: dict[str, str], method: str, data: Any) -> Any:
    body = None if data is None else json.dumps(data).encode()
    told = headers | {"Content-Type": "application/json"}
    asked = urllib.request.Request(url, body, told, method=method)  # noqa: S310
    with urllib.request.urlopen(asked, timeout=60) as answer:  # noqa: S310
        text = answer.read()
    return json.loads(text) if text.strip() else None


@contextmanager
def _simulated() -> Iterator[Bench]:
    with simulated() as helpdesk:
        yield SimulatedBench(helpdesk)


@contextmanager
def _http() -> Iterator[Bench]:
    with simulated() as helpdesk:
        yield HttpBench(helpdesk)


@contextmanager
def _zammad() -> Iterator[Bench]:
    with fake_zammad() as server:
        yield ZammadBench(server)


@contextmanager
def _rt() -> Iterator[Bench]:
    with request_tracker() as server:
        yield RtBench(server)


@contextmanager
def _redmine() -> Iterator[Bench]:
    with redmine() as server:
        yield RedmineBench(server)


BENCHES: Mapping[str, Callable[[], AbstractContextManager[Bench]]] = {
    "simulated": _simulated,
    "http": _http,
    "zammad": _zammad,
    "rt": _rt,
    "redmine": _redmine,
}
