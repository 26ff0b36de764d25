"""The verbs, as the documentation of Zammad 6 describes them.

A ticket's reference is its id, which stands in the address of its page: by the number that people
see Zammad only searches. The index of that search follows seconds behind what is stored.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import Any

from portal.far_side.escaping import clean, cut, one_line
from portal.far_side.form import Settings, Way
from portal.helpdesks.base import Watch, check_number, is_number, order_by_age
from portal.helpdesks.kind import MOST_LISTED, AnswerLost, Choice, Draft, Refused, Remote, State
from portal.helpdesks.rest import Rest, dig, list_at, text_at

LONGEST_SUBJECT = 200
PAGE = 100
SYSTEM_ID = "1"
"""The user by whose name Zammad does what nobody asked for."""
GONE = ("merged", "removed")
MISSING = (403, 404)
BAD_KEY = "It does not know the access token: make a new one in Zammad, and enter it."
AGENT = "the permission ticket.agent, and full access to the group"
NO_SEARCH = (
    "Zammad finds no ticket by a field. Elasticsearch is not set up, or its index is not built: "
    "mend that, or clear “Zammad has Elasticsearch”."
)


def make_rest(gateway: Way, url: str, token: str) -> Rest:
    return Rest(
        gateway=gateway,
        base=f"{url}/api/v1",
        headers={"Authorization": f"Token token={token}"},
        secrets=[token],
        bad_key=BAD_KEY,
        explain=lambda data: text_at(data, "error_human") or text_at(data, "error"),
    )


class ZammadClient:
    def __init__(self, rest: Rest, url: str, settings: Settings) -> None:
        self._rest, self._url, self._settings = rest, url, settings
        self._opened: dict[str, str] = {}
        """Key -> id, of what this connection opened: the index may not have it yet."""

    @cached_property
    def _account(self) -> Any:
        said = self._rest.get("users/me")
        if not text_at(said.data, "id"):
            raise Refused(f"The helpdesk did not tell whose the token is. {BAD_KEY}")
        return said.data

    def check_account(self) -> str:
        """Also whether fields can be searched, where there is a ticket to try it with."""
        name = text_at(self._account, "login")
        if self._settings.get("has_search"):
            some = self._rest.get("tickets", {"page": "1", "per_page": "1"}).data
            number = text_at(some, 0, "id")
            if number and number not in self._search(f"id:{number}"):
                raise Refused(NO_SEARCH)
        return name

    def find(self, key: str) -> Sequence[Remote]:
        """A request, and another for each."""
        hits = self._search(f'{self._settings["field"]}:"{key}"')
        exact = [number for number, ticket in hits.items() if self._read_key(ticket) == key]
        opened = [self._opened[key]] if key in self._opened else []
        numbers = sorted(exact, key=order_by_age) or list(hits)[:1] or opened
        return [remote for number in numbers if (remote := self._read(number)) is not None]

    def open(self, draft: Draft) -> Remote:
        asked: dict[str, Any] = {
            "title": cut(one_line(draft.subject), LONGEST_SUBJECT),
            "group_id": draft.queue,
            "customer_id": draft.customer or f"guess:{self._settings['customer']}",
            "article": _make_note(draft.body),
            self._settings["field"]: draft.key,
        }
        if draft.priority:
            asked["priority_id"] = draft.priority
        said = self._rest.post("tickets", asked, needs=AGENT)
        number = text_at(said.data, "id")
        if not is_number(number):
            raise AnswerLost("The helpdesk did not tell the id of the new ticket.")
        self._opened[draft.key] = number
        return Remote(reference=number, url=self._make_url(number))

    def comment(self, reference: str, text: str, *, closing: bool = False) -> None:
        asked = {"ticket_id": int(check_number(reference)), **_make_note(text)}
        said = self._rest.post("ticket_articles", asked, needs=AGENT)
        if not text_at(said.data, "id"):
            raise AnswerLost("The helpdesk did not tell the id of the new article.")

    def has_comment(self, reference: str, marker: str) -> bool:
        own = text_at(self._account, "id")
        return any(
            marker in str(dig(each, "body"))
            for each in self._list_articles(check_number(reference))
            if text_at(each, "created_by_id") == own
        )

    def close(self, reference: str) -> None:
        self._set_state(reference, self._settings["closed"])

    def reopen(self, reference: str) -> None:
        self._set_state(reference, self._settings["open"])

    def read(self, references: Collection[str]) -> Mapping[str, Remote]:
        """A request for each, and another for one with several articles that we changed last: who
        wrote them stands there alone. One for each that was merged, and one for our account."""
        watch = Watch()
        found = {}
        for number in filter(is_number, references):
            watch.check()
            if remote := self._read(number):
                found[number] = remote
        return found

    def list_queues(self) -> Sequence[Choice]:
        return _list_active(self._rest.get("groups").data)

    def list_customers(self) -> Sequence[Choice]:
        return [_make_customer(each) for each in self._page("users")]

    def list_priorities(self) -> Sequence[Choice]:
        return _list_active(self._rest.get("ticket_priorities").data)

    def _set_state(self, reference: str, state: str) -> None:
        self._rest.put(f"tickets/{check_number(reference)}", {"state": state}, needs=AGENT)

    def _search(self, query: str) -> dict[str, Any]:
        """Id -> ticket, in either of the two shapes that are documented."""
        data = self._rest.get("tickets/search", {"query": query, "limit": "10"}).data
        if isinstance(data, list):
            return {text_at(each, "id"): each for each in data}
        numbers = [text_at(each) for each in list_at(data, "tickets")]
        return {number: dig(data, "assets", "Ticket", number) for number in numbers}

    def _read(self, number: str) -> Remote | None:
        said = self._rest.get(f"tickets/{number}", {"expand": "true"}, takes=MISSING)
        if said.status in MISSING or text_at(said.data, "id") != number:
            return None
        ticket, state = said.data, text_at(said.data, "state")
        if state in GONE:
            into = self._find_target(number) if state == "merged" else ""
            return Remote(reference=number, state=State.GONE, merged_into=into)
        return Remote(
            reference=number,
            url=self._make_url(number),
            state=State.CLOSED if state == self._settings["closed"] else State.OPEN,
            key=self._read_key(ticket),
            touched_by=self._find_toucher(ticket),
        )

    def _find_target(self, number: str) -> str:
        """A merged ticket is linked to the one that took it in as to its parent."""
        asked = {"link_object": "Ticket", "link_object_value": number}
        links = list_at(self._rest.get("links", asked).data, "links")
        parents = (each for each in links if text_at(each, "link_type") == "parent")
        return next((text_at(each, "link_object_value") for each in parents), "")

    def _find_toucher(self, ticket: Any) -> str:
        """Whoever changed it last, or wrote the latest article that is not ours."""
        own = (text_at(self._account, "id"), SYSTEM_ID)
        if text_at(ticket, "updated_by_id") not in own:
            return text_at(ticket, "updated_by") or "somebody"
        if text_at(ticket, "article_count") in ("", "0", "1"):
            return ""
        articles = self._list_articles(text_at(ticket, "id"))
        others = [each for each in articles if text_at(each, "created_by_id") not in own]
        return (text_at(others[-1], "from") or "somebody") if others else ""

    def _list_articles(self, number: str) -> list[Any]:
        return list_at(self._rest.get(f"ticket_articles/by_ticket/{number}").data)

    def _page(self, path: str) -> list[Any]:
        found: list[Any] = []
        for page in range(1, MOST_LISTED // PAGE + 1):
            asked = {"page": str(page), "per_page": str(PAGE)}
            items = list_at(self._rest.get(path, asked).data)
            found += items
            if len(items) < PAGE:
                break
        return found

    def _read_key(self, ticket: Any) -> str:
        return text_at(ticket, self._settings["field"])

    def _make_url(self, number: str) -> str:
        return f"{self._url}/#ticket/zoom/{number}"


def _make_note(text: str) -> dict[str, Any]:
    """Plain text that customers do not see."""
    return {
        "body": clean(text),
        "content_type": "text/plain",
        "type": "note",
        "internal": True,
    }


def _list_active(items: Any) -> list[Choice]:
    active = (each for each in list_at(items) if dig(each, "active") is not False)
    return [Choice(text_at(each, "id"), text_at(each, "name")) for each in active]


def _make_customer(user: Any) -> Choice:
    name = f"{text_at(user, 'firstname')} {text_at(user, 'lastname')}".strip()
    address = text_at(user, "email") or text_at(user, "login")
    return Choice(text_at(user, "id"), f"{name} ({address})" if name else address)
