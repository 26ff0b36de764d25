"""The verbs, as a person described the helpdesk's answers.

What is not found where the description says, is not there: the probe shows it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any

from portal.chunks import chunked
from portal.far_side.escaping import clean, cut, one_line
from portal.far_side.form import Rejected, Settings
from portal.far_side.http import clean_url, get_host
from portal.far_side.templating import BadTemplate
from portal.helpdesks.base import Watch, order_by_age
from portal.helpdesks.http.paths import read_path
from portal.helpdesks.http.requests import fill_address, make_call
from portal.helpdesks.kind import MOST_LISTED, AnswerLost, Choice, Draft, Refused, Remote, State
from portal.helpdesks.rest import Rest, Said, dig, text_at

LONGEST_SUBJECT = 200
LONGEST_REFERENCE = 100
AT_ONCE = 50
"""Numbers in one request."""
MISSING = (404, 410)
NO_NUMBER = (
    "The helpdesk did not tell the number of the ticket where the set-up says. See “Number in the "
    "answer” of opening a ticket."
)
FOUND_NO_NUMBER = (
    "A ticket with the key was found, and no number in it where the set-up says. See “Number” of "
    "what stands in a ticket."
)
READ_NO_NUMBER = (
    "What the helpdesk told of ticket {} holds no number where the set-up says. See “Ticket in the "
    "answer” of reading a ticket."
)


class HttpClient:
    def __init__(self, rest: Rest, settings: Settings) -> None:
        self._rest, self._settings = rest, settings

    def check_account(self) -> str:
        """Where no path is set up for that, nothing is asked."""
        host = get_host(self._rest.base)
        if not (path := self._settings.get("account_path", "").lstrip("/")):
            return f"the account of {host}"
        said = self._rest.get(path)
        return self._find_text(said.data, "account_name") or f"the account of {host}"

    def find(self, key: str) -> Sequence[Remote]:
        said = self._ask("find", {"key": key}, takes=MISSING)
        found = dig(said.data, *self._path("find_tickets")) if said.status not in MISSING else None
        hits = found if isinstance(found, list) else [found] if found else []
        exact = [hit for hit in hits if _carries(dig(hit, *self._path("ticket_key")), key)]
        if not exact:
            return [self._read(hit) for hit in hits[:1]]
        remotes = [self._read(hit, key=key) for hit in sorted(exact, key=self._order_by_age)]
        if not all(remote.reference for remote in remotes):
            raise Refused(FOUND_NO_NUMBER)
        return remotes

    def open(self, draft: Draft) -> Remote:
        values = {
            "key": draft.key,
            "queue": draft.queue,
            "customer": draft.customer,
            "priority": draft.priority,
            "urgency": draft.urgency,
            "subject": cut(one_line(draft.subject), LONGEST_SUBJECT),
            "body": clean(draft.body),
            "url": draft.url,
        }
        said = self._ask("open", values, changes=True)
        reference = self._text(said.data, "open_reference")
        if not _is_reference(reference):
            raise AnswerLost(NO_NUMBER)
        return Remote(reference=reference, url=self._find_page(said.data, reference))

    def comment(self, reference: str, text: str, *, closing: bool = False) -> None:
        values = {"text": clean(text), "closing": "yes" if closing else ""}
        self._ask("comment", {"reference": _check(reference), **values}, changes=True)

    def has_comment(self, reference: str, marker: str) -> bool:
        """Anywhere in what is told of the ticket."""
        said = self._ask("read", {"reference": _check(reference)})
        return marker in json.dumps(said.data, ensure_ascii=False)

    def close(self, reference: str) -> None:
        self._ask("close", {"reference": _check(reference)}, changes=True)

    def reopen(self, reference: str) -> None:
        self._ask("reopen", {"reference": _check(reference)}, changes=True)

    def read(self, references: Collection[str]) -> Mapping[str, Remote]:
        """A request for many where a list is set up, and for each that it leaves out; none where
        nothing can be read, and all are taken for open."""
        watch = Watch()
        if not self._settings.get("read_path"):
            return {each: Remote(reference=each) for each in filter(_is_reference, references)}
        asked = [each for each in references if _is_reference(each)]
        found = self._list(asked, watch) if self._settings.get("list_path") else {}
        for reference in (each for each in asked if each not in found):
            watch.check()
            said = self._ask("read", {"reference": reference}, takes=MISSING)
            if said.status not in MISSING:
                found[reference] = self._read_asked(said, reference)
        return found

    def _list(self, asked: Sequence[str], watch: Watch) -> dict[str, Remote]:
        """Those of them that the helpdesk tells of: a filter that it does not know is ignored by
        some, and then it tells of others too."""
        found = {}
        for some in chunked(asked, AT_ONCE):
            watch.check()
            said = self._ask("list", {"references": ",".join(some)}, takes=MISSING)
            told = dig(said.data, *self._path("list_tickets"))
            for ticket in told if isinstance(told, list) else []:
                remote = self._read(ticket)
                if remote.reference in some:
                    found[remote.reference] = remote
        return found

    def list_queues(self) -> Sequence[Choice]:
        return read_choices(self._settings["queues"])

    def list_customers(self) -> Sequence[Choice]:
        return read_choices(self._settings.get("customers", ""))[:MOST_LISTED]

    def list_priorities(self) -> Sequence[Choice]:
        return read_choices(self._settings.get("priorities", ""))

    def _ask(
        self,
        verb: str,
        values: Mapping[str, str],
        *,
        changes: bool = False,
        takes: Sequence[int] = (),
    ) -> Said:
        try:
            call = make_call(self._settings, verb, values)
        except BadTemplate as error:
            raise Refused(f"The request for “{verb}” cannot be made. {error}") from error
        return self._rest.send(
            call.method,
            call.path,
            call.data,
            changes=changes,
            takes=takes,
            may_be_empty=verb in ("comment", "close", "reopen"),
        )

    def _read_asked(self, said: Said, asked: str) -> Remote:
        """A ticket of another number is the one that took it in."""
        remote = self._read(dig(said.data, *self._path("read_ticket")))
        if not remote.reference:
            raise Refused(READ_NO_NUMBER.format(asked))
        if remote.reference != asked:
            return Remote(reference=asked, state=State.GONE, merged_into=remote.reference)
        return remote

    def _read(self, ticket: Any, key: str = "") -> Remote:
        reference = self._text(ticket, "ticket_reference")
        state = _name_state(dig(ticket, *self._path("ticket_state")))
        toucher = self._find_text(ticket, "ticket_toucher")
        return Remote(
            reference=reference if _is_reference(reference) else "",
            url=self._find_page(ticket, reference),
            state=State.CLOSED if state.casefold() in self._names("closed") else State.OPEN,
            key=key or self._text(ticket, "ticket_key"),
            touched_by="" if toucher.casefold() in self._names("own_name") else toucher,
        )

    def _names(self, name: str) -> set[str]:
        """Of a setting that holds several, with commas between them."""
        names = self._settings.get(name, "").split(",")
        return {each.strip().casefold() for each in names} - {""}

    def _find_page(self, data: Any, reference: str) -> str:
        """Empty for what is no address: people click on it."""
        told = self._find_text(data, "ticket_address")
        source = self._settings.get("page", "")
        with suppress(Rejected, BadTemplate):
            return clean_url(told or fill_address(source, reference))
        return ""

    def _order_by_age(self, ticket: Any) -> int:
        return order_by_age(self._text(ticket, "ticket_reference"))

    def _path(self, name: str) -> tuple[str | int, ...]:
        return read_path(self._settings.get(name, ""))

    def _text(self, data: Any, name: str) -> str:
        return text_at(data, *self._path(name))

    def _find_text(self, data: Any, name: str) -> str:
        """Of what may be told or not: empty where no place is set up."""
        return self._text(data, name) if self._settings.get(name) else ""


def read_choices(text: str) -> list[Choice]:
    """A line for each: its id, or `id = name`."""
    found = []
    for line in text.splitlines():
        id, _, name = (part.strip() for part in line.partition("="))
        if id:
            found.append(Choice(id, name or id))
    return found


def _carries(value: Any, key: str) -> bool:
    """As the whole, in a list, or within a text; not as a part of a longer key."""
    whole = rf"(?<![\w-]){re.escape(key)}(?![\w-])"
    texts = value if isinstance(value, list) else [value]
    return any(isinstance(each, str) and re.search(whole, each) for each in texts)


def _name_state(value: Any) -> str:
    """Also of a state that is a number, or yes or no."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return text_at(value)


def _is_reference(text: str) -> bool:
    """Something to be put into a path, and not dots that lead elsewhere."""
    is_plain = text.isprintable() and len(text) <= LONGEST_REFERENCE
    return is_plain and any(each.isalnum() for each in text)


def _check(reference: str) -> str:
    """Raises Refused."""
    if not _is_reference(reference):
        raise Refused(f"“{reference[:40]}” is no ticket number.")
    return reference
