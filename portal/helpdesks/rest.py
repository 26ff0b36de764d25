"""JSON over HTTP to a helpdesk, and what each outcome means for what was asked of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from portal.egress import EgressError, Limits, read_retry_after
from portal.far_side.escaping import one_line
from portal.far_side.form import Way
from portal.far_side.http import Reply, Request, ask, make_json, quote_answer
from portal.helpdesks.kind import AnswerLost, HelpdeskError, NotDone, Refused

LIMITS = Limits(connect=5, idle=10, total=10, largest=4 * 1024 * 1024)
"""A verb of two or three requests ends within 30 seconds."""
LONGEST_TEXT = 500
BAD_HEADER = "The key of this helpdesk cannot be sent. Enter it again."
REDIRECTED = (
    "The helpdesk answered {status}, a redirect. Redirects are not followed: enter the address "
    "that it points to."
)
UNREADABLE = (
    "The helpdesk answered {status} with something that is no complete JSON. Check that the "
    "address leads to the helpdesk itself."
)


@dataclass(frozen=True, slots=True)
class Said:
    """An answer that was taken for good; `data` is its JSON, None where it has none."""

    status: int
    headers: Mapping[str, str]
    data: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """One helpdesk's interface. Raises HelpdeskError and nothing else."""

    gateway: Way
    base: str
    """The address that every path is added to, without a slash at its end."""
    headers: Mapping[str, str] = field(repr=False)
    secrets: Sequence[str] = field(repr=False)
    bad_key: str
    """What to do about a key that the helpdesk does not know: a sentence for people."""
    explain: Callable[[Any], str] | None = None
    """The helpdesk's own words, picked from the JSON of an error; empty for none."""
    is_address_secret: bool = False

    def get(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        needs: str = "",
        takes: Sequence[int] = (),
    ) -> Said:
        """`needs`: what is missing where it is forbidden, such as a permission. `takes`: statuses
        above 299 that are an answer as well."""
        address = f"{path}?{urlencode(query, quote_via=quote)}" if query else path
        return self._ask("GET", address, None, needs=needs, takes=takes, changes=False)

    def search(self, path: str, data: Any, *, needs: str = "") -> Said:
        """A question that is sent as POST, and changes nothing."""
        return self._ask("POST", path, data, needs=needs, changes=False)

    def post(self, path: str, data: Any, *, needs: str = "") -> Said:
        return self._ask("POST", path, data, needs=needs, changes=True)

    def put(self, path: str, data: Any, *, needs: str = "") -> Said:
        return self._ask("PUT", path, data, needs=needs, changes=True)

    def send(
        self,
        method: str,
        path: str,
        data: Any,
        *,
        changes: bool,
        takes: Sequence[int] = (),
        may_be_empty: bool = False,
    ) -> Said:
        """Any request. `changes`: it is no mere question. `may_be_empty`: its answer says nothing
        that is needed."""
        return self._ask(
            method, path, data, changes=changes, takes=takes, may_be_empty=may_be_empty
        )

    def _ask(
        self,
        method: str,
        path: str,
        data: Any,
        *,
        changes: bool,
        needs: str = "",
        takes: Sequence[int] = (),
        may_be_empty: bool = False,
    ) -> Said:
        request = Request(
            url=f"{self.base}/{path}",
            method=method,
            body=b"" if data is None else make_json(data),
            headers={"Accept": "application/json", **self.headers},
            secrets=self.secrets,
            is_address_secret=self.is_address_secret,
        )
        unclear = AnswerLost if changes else NotDone
        try:
            reply = ask(self.gateway, request, LIMITS)
        except EgressError as error:
            raise (unclear if error.was_sent else NotDone)(error.message) from error
        except ValueError:
            raise Refused(BAD_HEADER) from None
        if reply.status >= 300 and reply.status not in takes:
            raise self._judge(reply, request, needs, unclear)
        told = reply.read_json()
        is_good = reply.status < 300
        is_empty = reply.status == 204 or (may_be_empty and not reply.body.strip())
        if is_good and told is None and not is_empty:
            raise unclear(UNREADABLE.format(status=reply.status))
        return Said(reply.status, reply.headers, told)

    def _judge(
        self, reply: Reply, request: Request, needs: str, unclear: type[HelpdeskError]
    ) -> HelpdeskError:
        """By the status alone. A failure in the middle may have carried it out."""
        said = self._quote(reply, request)
        answered = f"The helpdesk answered {reply.status}" + (f": {said}" if said else ".")
        status, after = reply.status, read_retry_after(reply.headers.get("Retry-After", ""))
        if status < 400:
            return Refused(REDIRECTED.format(status=status))
        if status == 401:
            return Refused(f"{answered} {self.bad_key}")
        is_busy = status == 503 and after is not None
        if status == 429 or is_busy:
            return NotDone(answered, retry_after=after)
        if status >= 500 or status == 408:
            return unclear(answered)
        is_forbidden = status == 403 or "permission" in said.lower()
        return Refused(f"{answered} Needed: {needs}." if needs and is_forbidden else answered)

    def quote(self, text: str) -> str:
        """What the helpdesk said, for people: in one line, cut, and without the key."""
        request = Request(url="", secrets=self.secrets, is_address_secret=False)
        return quote_answer(text.encode(errors="replace"), request)

    def _quote(self, reply: Reply, request: Request) -> str:
        words = self.explain(reply.read_json()) if self.explain else ""
        if not words and "html" in reply.headers.get("Content-Type", ""):
            return ""
        said = quote_answer(words.encode(errors="replace") if words else reply.body, request)
        return said if not said or said.endswith((".", "!", "…")) else f"{said}."


def dig(data: Any, *path: str | int) -> Any:
    """What stands there in JSON; None where nothing does."""
    for step in path:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def text_at(data: Any, *path: str | int) -> str:
    """As text in one line, not without end; empty for what is neither text nor a number."""
    found = dig(data, *path)
    if isinstance(found, bool) or not isinstance(found, str | int):
        return ""
    return one_line(str(found))[:LONGEST_TEXT]


def list_at(data: Any, *path: str | int) -> list[Any]:
    found = dig(data, *path)
    return found if isinstance(found, list) else []
