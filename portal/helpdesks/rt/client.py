"""The verbs, as Request Tracker 5 answers them.

It answers 200 with a sentence to most of what it refuses, cuts a long subject, and drops the value
of a field that the account may not write: `carefully` reads all of that back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from portal.chunks import chunked
from portal.far_side.escaping import clean, cut, one_line
from portal.far_side.form import Way
from portal.helpdesks.base import Watch, check_number, is_number
from portal.helpdesks.kind import MOST_LISTED, AnswerLost, Choice, Draft, Refused, Remote, State
from portal.helpdesks.rest import Rest, dig, list_at, text_at

LONGEST_SUBJECT = 200
PAGE = 100
"""It gives no more at once, whatever is asked for."""
TEXTS_PAGE = 20
"""Of comments with their texts."""
MOST_PAGES = 10
SYSTEM = "RT_System"
"""Writes the lines about mail that it sent."""
PRIORITIES = (Choice("0", "Low"), Choice("50", "Medium"), Choice("100", "High"))
"""Of a server whose operator named no others; it cannot be asked."""
HOW_TO_MEND = "It does not know the token: make a new one in Request Tracker, and enter it."
REFUSALS = ("permission denied", "isn't a valid status")


def make_rest(gateway: Way, url: str, token: str) -> Rest:
    return Rest(
        gateway=gateway,
        base=f"{url}/REST/2.0",
        headers={"Authorization": f"token {token}"},
        secrets=[token],
        bad_key=HOW_TO_MEND,
        explain=lambda data: text_at(data, "message"),
    )


class RtClient:
    def __init__(
        self, *, rest: Rest, url: str, account_id: str, field: str, closed: str, opened: str
    ) -> None:
        self._rest, self._url, self._account_id = rest, url, account_id
        self._field, self._closed, self._opened = field, closed, opened

    @cached_property
    def _account(self) -> str:
        """The name of our own account, by which it names who did something."""
        said = self._rest.get(f"user/{self._account_id}", {"fields": "Name"}, takes=[404])
        if not (name := text_at(said.data, "Name")):
            raise Refused(f"The helpdesk did not tell whose the token is. {HOW_TO_MEND}")
        return name

    def check_account(self) -> str:
        return self._account

    def find(self, key: str) -> Sequence[Remote]:
        """Two requests, one where there is none."""
        query = f"CF.{{{self._field}}} = {_quote(key)}"
        hits = self._search(query, "CustomFields")
        hits = [hit for hit in hits if self._read_key(hit) == key] or hits[:1]
        closed = self._find_closed([text_at(hit, "id") for hit in hits])
        return [self._make_remote(hit, is_closed=text_at(hit, "id") in closed) for hit in hits]

    def open(self, draft: Draft) -> Remote:
        asked = {
            "Queue": draft.queue,
            "Subject": cut(one_line(draft.subject), LONGEST_SUBJECT),
            "Content": clean(draft.body),
            "ContentType": "text/plain",
            "CustomFields": {self._field: draft.key},
        }
        if draft.customer:
            asked["Requestor"] = draft.customer
        if draft.priority:
            asked["Priority"] = draft.priority
        said = self._rest.post("ticket", asked, needs="CreateTicket in that queue")
        if not is_number(number := text_at(said.data, "id")):
            raise AnswerLost("The helpdesk did not tell the number of the new ticket.")
        return Remote(reference=number, url=self._make_url(number))

    def comment(self, reference: str, text: str, *, closing: bool = False) -> None:
        """Not `correspond`, which reopens a closed ticket and is mailed to the requestor."""
        asked = {"Content": clean(text), "ContentType": "text/plain"}
        path = f"ticket/{check_number(reference)}/comment"
        self._rest.post(path, asked, needs="CommentOnTicket")

    def has_comment(self, reference: str, marker: str) -> bool:
        """The latest texts first: a page for twenty of them, and one more request for the first."""
        path = f"ticket/{check_number(reference)}/attachments"
        asked = {"fields": "Content,Creator", "orderby": "id", "order": "DESC"}
        return any(
            marker in str(dig(each, "Content"))
            for each in self._page(path, asked, size=TEXTS_PAGE)
            if text_at(each, "Creator", "id") == self._account
        )

    def close(self, reference: str) -> None:
        self._set_status(reference, self._closed)

    def reopen(self, reference: str) -> None:
        self._set_status(reference, self._opened)

    def read(self, references: Collection[str]) -> Mapping[str, Remote]:
        """Of a hundred tickets: one request for all, one for which are closed, and one for whom
        they were touched by; more of the last where people did a lot to many of them."""
        watch = Watch()
        found: dict[str, Remote] = {}
        for chunk in chunked([each for each in references if is_number(each)], PAGE):
            watch.check()
            found |= self._read_some(chunk, watch)
        return found

    def list_queues(self) -> Sequence[Choice]:
        queues = self._page("queues/all", {"fields": "Name"})
        return [Choice(text_at(each, "id"), text_at(each, "Name")) for each in queues]

    def list_customers(self) -> Sequence[Choice]:
        """Requestors: whoever has an address."""
        terms = [{"field": "EmailAddress", "operator": "LIKE", "value": "@"}]
        watch, found = Watch(), dict[str, Choice]()
        for page in range(1, MOST_LISTED // PAGE + 1):
            watch.check()
            path = f"users?fields=EmailAddress,RealName&per_page={PAGE}&page={page}"
            items = list_at(self._rest.search(path, terms).data, "items")
            found |= {each.id: each for each in map(_make_customer, items) if each.id}
            if len(items) < PAGE:
                break
        return [*found.values()]

    def list_priorities(self) -> Sequence[Choice]:
        return PRIORITIES

    def _set_status(self, reference: str, status: str) -> None:
        path = f"ticket/{check_number(reference)}"
        said = self._rest.put(path, {"Status": status}, needs="ModifyTicket")
        for sentence in said.data if isinstance(said.data, list) else []:
            if any(each in str(sentence).lower() for each in REFUSALS):
                raise Refused(f"The helpdesk answered: {self._rest.quote(str(sentence))}")

    def _read_some(self, numbers: Sequence[str], watch: Watch) -> dict[str, Remote]:
        # Merged tickets are left out of a search that does not speak of where they went.
        query = f"({_name_all('id', numbers)}) AND EffectiveId > 0"
        hits = {text_at(hit, "id"): hit for hit in self._search(query, "CustomFields,EffectiveId")}
        merged = {number: into for number, hit in hits.items() if (into := _find_target(hit))}
        there = [number for number in hits if number not in merged]
        closed, touched = self._find_closed(there), self._find_touched(there, watch)
        remotes = {
            number: self._make_remote(
                hits[number], is_closed=number in closed, touched_by=touched.get(number, "")
            )
            for number in there
        }
        return remotes | {
            number: Remote(reference=number, state=State.GONE, merged_into=into)
            for number, into in merged.items()
        }

    def _find_closed(self, numbers: Sequence[str]) -> set[str]:
        """Each queue may have statuses of its own: which of them count as closed, it knows."""
        if not numbers:
            return set()
        query = f"({_name_all('id', numbers)}) AND Status = '__Inactive__'"
        return {text_at(hit, "id") for hit in self._search(query, "Status")}

    def _find_touched(self, numbers: Sequence[str], watch: Watch) -> dict[str, str]:
        """Number -> who did the latest that was not done by us or by Request Tracker."""
        touched: dict[str, str] = {}
        left = list(numbers)
        while left:
            watch.check()
            lines = self._list_others_lines(left)
            for line in lines:
                name = text_at(line, "Creator", "id")
                touched.setdefault(text_at(line, "ObjectId"), name)
            if len(lines) < PAGE:
                break
            left = [number for number in left if number not in touched]
        return touched

    def _list_others_lines(self, numbers: Sequence[str]) -> list[Any]:
        query = (
            f"ObjectType = 'RT::Ticket' AND ({_name_all('TicketId', numbers)})"
            f" AND Creator != {_quote(self._account)} AND Creator != '{SYSTEM}'"
        )
        asked = {"query": query, "fields": "Creator,ObjectId", "per_page": str(PAGE)}
        said = self._rest.get("transactions", asked | {"orderby": "id", "order": "DESC"})
        return list_at(said.data, "items")

    def _search(self, query: str, fields: str) -> list[Any]:
        asked = {"query": query, "fields": fields, "per_page": str(PAGE), "orderby": "id"}
        return list_at(self._rest.get("tickets", asked).data, "items")

    def _page(self, path: str, asked: Mapping[str, str], size: int = PAGE) -> Iterator[Any]:
        watch = Watch()
        for page in range(1, MOST_PAGES + 1):
            watch.check()
            query = {**asked, "per_page": str(size), "page": str(page)}
            items = list_at(self._rest.get(path, query).data, "items")
            yield from items
            if len(items) < size:
                return

    def _make_remote(self, hit: Any, *, is_closed: bool, touched_by: str = "") -> Remote:
        number = text_at(hit, "id")
        return Remote(
            reference=number,
            url=self._make_url(number),
            state=State.CLOSED if is_closed else State.OPEN,
            key=self._read_key(hit),
            touched_by=touched_by,
        )

    def _read_key(self, hit: Any) -> str:
        for each in list_at(hit, "CustomFields"):
            if text_at(each, "name") == self._field:
                return text_at(each, "values", 0)
        return ""

    def _make_url(self, number: str) -> str:
        return f"{self._url}/Ticket/Display.html?id={number}"


def _find_target(hit: Any) -> str:
    """The number of the ticket that took it in."""
    target = text_at(hit, "EffectiveId", "id") or text_at(hit, "EffectiveId")
    return "" if target == text_at(hit, "id") else target


def _name_all(field: str, numbers: Sequence[str]) -> str:
    return " OR ".join(f"{field} = {number}" for number in numbers)


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _make_customer(user: Any) -> Choice:
    address, name = text_at(user, "EmailAddress"), text_at(user, "RealName")
    return Choice(address, f"{name} ({address})" if name else address)
