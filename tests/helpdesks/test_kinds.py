"""What the forms take, and how text becomes each helpdesk's markup."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.chunks import chunked
from portal.egress import Stream
from portal.far_side.form import Rejected
from portal.far_side.http import make_json
from portal.helpdesks import KINDS, base
from portal.helpdesks.kind import Draft, HelpdeskError, NotDone, Refused, Remote, State
from portal.helpdesks.redmine.markup import write_block
from tests.egress.servers import answer, open_gateway, serve

GOOD: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "rt": ({"url": "https://rt.example.com/"}, {"token": "1-14-0a1b"}),
    "redmine": ({"url": "https://redmine.example.com/desk"}, {"key": "0a1b2c"}),
    "zammad": (
        {"url": "https://zammad.example.com", "customer": "noc@msp.example"},
        {"token": "0a1b2c3d4e"},
    ),
    "http": ({"url": "https://desk.example.com", "queues": "1"}, {"headers": "X-Key: 0a1b2c"}),
}


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("rt", "url", "rt.example.com"),
        ("rt", "url", "https://rt.example.com/?x=1"),
        ("rt", "token", "0a1b2c"),
        ("rt", "field", "Portal'Key"),
        ("rt", "closed", ""),
        ("redmine", "url", "https://me:secret@redmine.example.com"),
        ("redmine", "key", "no key"),
        ("redmine", "field", " "),
        ("zammad", "url", "zammad.example.com"),
        ("zammad", "token", "short"),
        ("zammad", "customer", "nobody"),
        ("zammad", "field", "Portal Key"),
    ],
)
def test_what_cannot_be_used_is_named(kind: str, field: str, value: str) -> None:
    defaults = {each.name: each.default for each in KINDS[kind].fields if not each.is_secret}
    settings, secrets = GOOD[kind]
    settings = defaults | settings
    assert KINDS[kind].check(settings, secrets).endswith("example.com")
    with pytest.raises(Rejected) as caught:
        KINDS[kind].check(settings | {field: value}, {**secrets, field: value})
    assert list(caught.value.problems) == [field]


def test_a_refusal_that_request_tracker_says_with_200() -> None:
    settings, secrets = GOOD["rt"]
    said = answer(b'["Ticket 7: Permission Denied"]')
    names = {"field": "PortalKey", "closed": "resolved", "open": "open"}
    with serve(said) as server, open_gateway() as gateway:
        client = KINDS["rt"].connect(gateway, {**settings, **names, "url": server.url}, secrets)
        with pytest.raises(Refused, match="Ticket 7: Permission Denied"):
            client.close("7")
        with pytest.raises(Refused, match="no ticket number"):
            client.close("7/merge")
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("markup", "text", "written"),
    [
        ("textile", "*C:* is {{full}}", "<pre>\n*C:* is {{full}}\n</pre>"),
        ("textile", "a</PRE>b", "<pre>\na<\u200b/PRE>b\n</pre>"),
        ("markdown", "a ``` b", "````\na ``` b\n````"),
    ],
)
def test_text_for_redmine_stays_plain(markup: str, text: str, written: str) -> None:
    assert write_block(text, markup) == written
    assert write_block(text, markup, "https://p") == f"{written}\n\nhttps://p"


NAMES = (
    *("id", "items", "issues", "issue", "user", "memberships", "roles", "role", "permissions"),
    *("CustomFields", "custom_fields", "name", "values", "value", "EffectiveId", "Creator"),
    *("journals", "issue_statuses", "status", "is_closed", "projects", "errors", "Content"),
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
JSON = st.recursive(
    SCALARS | st.sampled_from(["1", "PortalKey", "portal"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6)
    ),
    max_leaves=30,
)


class Babbling:
    """Answers anything in place of what was asked for."""

    def __init__(self, answers: list[Any], status: int) -> None:
        self._answers, self._status = answers, status

    @contextmanager
    def stream(self, *_: object, **__: object) -> Iterator[Stream]:
        self._answers.append(answer := self._answers.pop(0))
        yield Stream(self._status, {}, iter([make_json(answer)]))


@settings(max_examples=40)
@given(
    st.sampled_from(["rt", "redmine", "zammad", "http"]),
    st.lists(JSON, min_size=1, max_size=4),
    st.sampled_from([200, 201, 204, 400, 422]),
)
def test_no_answer_raises_what_is_no_error_of_a_helpdesk(
    kind: str, answers: list[Any], status: int
) -> None:
    entered, secrets = GOOD[kind]
    defaults = {each.name: each.default for each in KINDS[kind].fields}
    gateway = cast(Any, Babbling(answers, status))
    client = KINDS[kind].connect(gateway, defaults | entered, secrets)
    draft = Draft(key="k", queue="1", subject="s", body="b")
    verbs = (
        *(lambda: client.check_account(), lambda: client.find("k"), lambda: client.open(draft)),
        *(lambda: client.comment("1", "t"), lambda: client.has_comment("1", "t")),
        *(lambda: client.close("1"), lambda: client.reopen("1"), lambda: client.read(["1", "2"])),
        *(client.list_queues, client.list_customers, client.list_priorities),
    )
    for verb in verbs:
        with suppress(HelpdeskError):
            verb()


@pytest.mark.parametrize("kind", ["rt", "redmine"])
def test_a_slow_helpdesk_is_left_in_time(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one verb takes many requests, none begins once the time is up."""
    monkeypatch.setattr(base, "LONGEST", -1.0)
    entered, secrets = GOOD[kind]
    defaults = {each.name: each.default for each in KINDS[kind].fields}
    gateway = cast(Any, Babbling([{}], 200))
    client = KINDS[kind].connect(gateway, defaults | entered, secrets)
    with pytest.raises(NotDone):
        client.list_queues()


class Listing:
    """Tells of all tickets that it is asked for, by whatever list: open, and touched by nobody."""

    def __init__(self) -> None:
        self.number = 0

    @contextmanager
    def stream(self, _method: str, url: str, **_: object) -> Iterator[Stream]:
        self.number += 1
        found = urlsplit(url)
        query = dict(parse_qsl(found.query))
        asked = query.get("issue_id", "") + query.get("query", "")
        items: list[Any] = []
        if found.path.endswith(("issues.json", "tickets")) and "__Inactive__" not in asked:
            items = [{"id": int(each)} for each in re.findall(r"\b\d{4}\b", asked)]
        items = [{**each, "EffectiveId": {"id": str(each["id"])}} for each in items]
        told = {"issues": items, "items": items, "user": {"id": 5}, "Name": "portal"}
        yield Stream(200, {}, iter([make_json(told)]))


@pytest.mark.parametrize(("kind", "requests"), [("rt", 1 + 10 * 3), ("redmine", 1 + 20)])
def test_a_thousand_tickets_are_read_in_few_requests(kind: str, requests: int) -> None:
    """In as many at once as the kind says, which is how they are polled."""
    defaults = {each.name: each.default for each in KINDS[kind].fields if not each.is_secret}
    entered, secrets = GOOD[kind]
    numbered = {"field": "12"} if kind == "redmine" else {}
    settings = {**defaults, **entered, **numbered}
    listing, asked = Listing(), [str(number) for number in range(1000, 2000)]
    client = KINDS[kind].connect(cast(Any, listing), settings, secrets)
    found: dict[str, Remote] = {}
    for some in chunked(asked, KINDS[kind].reads_at_once(settings)):
        found |= client.read(some)
    assert sorted(found) == asked
    assert {each.state for each in found.values()} == {State.OPEN}
    assert listing.number == requests


def test_a_kind_says_how_many_tickets_it_tells_of_at_once() -> None:
    told = {name: kind.reads_at_once({}) for name, kind in KINDS.items()}
    assert told == {"rt": 100, "redmine": 50, "zammad": 10, "http": 10, "mail": 10}
    assert KINDS["http"].reads_at_once({"list_path": "tickets"}) == 50
