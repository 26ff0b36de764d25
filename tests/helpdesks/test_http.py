"""A helpdesk that a person describes: what cannot work is named, and nothing is taken on trust.

What it does where it can be asked for a key, the contract tries.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from portal.egress import Gateway
from portal.far_side.form import Rejected
from portal.helpdesks import KINDS, carefully
from portal.helpdesks.http import KIND
from portal.helpdesks.http.client import HttpClient
from portal.helpdesks.http.fields import VALUES
from portal.helpdesks.http.paths import BadPath, read_path
from portal.helpdesks.kind import AnswerLost, Draft, Refused, State
from tests.egress.servers import answer, open_gateway, serve
from tests.helpdesks.benches import HTTP_SETTINGS, HttpBench
from tests.helpdesks.simulated import Fault, SimulatedHelpdesk, simulated

DRAFT = Draft(key="acme-0a1b", queue="support", subject="Disk full", body="C: is full")
BASE = {**HTTP_SETTINGS, "url": "https://desk.example.com/api/"}


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with open_gateway() as one:
        yield one


@pytest.fixture
def helpdesk() -> Iterator[SimulatedHelpdesk]:
    with simulated() as one:
        yield one


def connect(gateway: Gateway, helpdesk: SimulatedHelpdesk, **own: str) -> HttpClient:
    setup = HttpBench(helpdesk).list_setups()["good"]()
    settings = {**setup.settings, **own}
    KIND.check(settings, setup.secrets)
    return KIND.connect(gateway, settings, setup.secrets)


def test_without_a_search_nothing_is_tried_twice(
    gateway: Gateway, helpdesk: SimulatedHelpdesk
) -> None:
    client = connect(gateway, helpdesk, find_path="")
    assert not KIND.can_find({**HTTP_SETTINGS, "find_path": ""})
    helpdesk.plan = [Fault.LOSES_ANSWER]
    with pytest.raises(AnswerLost):
        client.open(DRAFT)
    assert len(helpdesk.tickets) == 1
    opened = client.open(replace(DRAFT, key="acme-2"))
    assert opened.url == ""  # it stands elsewhere in the answer
    client.comment(opened.reference, "Again")
    assert helpdesk.tickets[int(opened.reference)].comments[0]["text"] == "Again"
    closed = carefully.set_state(client, opened.reference, State.CLOSED)
    assert (closed.state, closed.url) == (State.CLOSED, f"{helpdesk.url}/show/{closed.reference}")
    draft = replace(DRAFT, key="acme-3")
    steps = carefully.probe(client, draft, can_find=False, can_close=True)
    assert [step.name for step in steps if step.is_good] == ["account", "open", "comment", "close"]
    wrong = connect(gateway, helpdesk, find_path="", open_reference="number")
    steps = carefully.probe(wrong, replace(DRAFT, key="acme-4"), can_find=False, can_close=True)
    assert (steps[-1].name, steps[-1].is_good) == ("open", False)
    assert "“Number in the answer”" in steps[-1].text


def test_many_are_read_in_one_request_and_what_it_leaves_out_by_itself(
    gateway: Gateway, helpdesk: SimulatedHelpdesk
) -> None:
    listing = {"list_path": "tickets?ids={{ references }}", "list_tickets": "tickets"}
    client = connect(gateway, helpdesk, **listing)
    for number in range(4):
        client.open(Draft(key=f"acme-{number}", queue="support", subject="Down", body="It is."))
    helpdesk.set_state("1002", "closed")
    helpdesk.merge("1003", "1001")
    helpdesk.delete("1004")
    helpdesk.requests.clear()
    found = client.read(["1001", "1002", "1003", "1004"])
    assert helpdesk.requests == [
        "GET /tickets?ids=1001%2C1002%2C1003%2C1004",
        "GET /tickets/1003",
        "GET /tickets/1004",
    ]
    assert {each: found[each].state for each in found} == {
        **{"1001": State.OPEN, "1002": State.CLOSED, "1003": State.GONE}
    }
    assert found["1003"].merged_into == "1001"


def test_what_those_did_who_are_no_person_is_no_touch(
    gateway: Gateway, helpdesk: SimulatedHelpdesk
) -> None:
    """Whom else the helpdesk names is one."""
    reference = connect(gateway, helpdesk).open(DRAFT).reference
    for names, by, touched in (
        *(("Portal, System", "portal", ""), ("Portal, System", "System", "")),
        *(("Portal, System", "anna", "anna"), ("", "portal", "portal")),
    ):
        helpdesk.touch(reference, by=by)
        client = connect(gateway, helpdesk, own_name=names)
        assert client.read([reference])[reference].touched_by == touched


def test_what_cannot_be_read_is_only_commented(
    gateway: Gateway, helpdesk: SimulatedHelpdesk
) -> None:
    """Nobody could say whether it was closed."""
    nothing = {"find_path": "", "read_path": "", "close_path": "", "closed": ""}
    client = connect(gateway, helpdesk, **nothing)
    settings = {**BASE, **nothing}
    assert not KIND.can_close(settings)
    assert "closed" not in KIND.preview(settings)
    steps = carefully.probe(client, DRAFT, can_find=False, can_close=False)
    assert [step.name for step in steps if step.is_good] == ["account", "open", "comment"]
    [told] = client.read(["1001", ".."]).values()
    assert (told.reference, told.state) == ("1001", State.OPEN)


@pytest.mark.parametrize(
    ("changed", "problems"),
    [
        ({"read_path": ""}, {"read_path"}),
        ({"close_path": "", "closed": "", "find_path": ""}, {"close_path", "closed"}),
        ({"reopen_path": ""}, {"reopen_path"}),
    ],
)
def test_what_a_verb_needs_of_others_is_said(changed: dict[str, str], problems: set[str]) -> None:
    with pytest.raises(Rejected) as caught:
        KIND.check({**BASE, **changed}, {})
    assert caught.value.problems.keys() == problems


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("url", "desk.example.com", "complete address"),
        ("url", "https://desk.example.com/?key=1", "without a query"),
        ("headers", "Authorization", "Line 1"),
        ("headers", "Host: x", "sets Host itself"),
        ("open_path", "tickets/{{ reference }}", "no value that there is"),
        ("comment_path", "{{ reference }}/../x", "no path"),
        ("close_path", "close ticket", "no path"),
        ("open_body", '{"subject": {{ subject }}}', "Put double quotes"),
        ("open_body", '{"customer": {{ customer }}}', "some of which may be empty"),
        ("open_body", "{{ subject * 9 }}", "not allowed"),
        ("comment_body", '{"text": "{{ text }}"', "no JSON"),
        ("open_reference", "items[x].id", "At “[x].id”"),
        ("ticket_key", ".key", "At “.key”"),
        ("queues", f"{'x' * 201} = Long", "before the ="),
        ("page", "https://x/{{ id }}", "no value that there is"),
    ],
)
def test_what_cannot_be_used_is_named_at_its_field(field: str, value: str, says: str) -> None:
    assert KIND.check(BASE, {}) == "desk.example.com"
    settings = BASE if field == "headers" else {**BASE, field: value}
    with pytest.raises(Rejected) as caught:
        KIND.check(settings, {"headers": value} if field == "headers" else {})
    assert list(caught.value.problems) == [field]
    assert says in caught.value.problems[field]


def test_all_that_is_wrong_is_said_at_once() -> None:
    wrong = {**BASE, "open_path": "a b", "open_body": "{", "ticket_key": "[", "url": "x"}
    with pytest.raises(Rejected) as caught:
        KIND.check(wrong, {"headers": "x"})
    assert caught.value.problems.keys() == {"headers", *(k for k in wrong if wrong[k] != BASE[k])}


def test_numbers_may_stand_without_quotes_and_conditions_decide() -> None:
    body = '{"queue_id": {{ queue }}{% if customer %}, "customer_id": {{ customer }}{% endif %}}'
    settings = {**BASE, "open_body": body, "find_path": ""}
    KIND.check(settings, {})
    preview = KIND.preview(settings)
    assert preview.startswith('POST https://desk.example.com/api/tickets\n{\n  "queue_id": 1,')
    assert "PUT https://desk.example.com/api/tickets/1042" in preview
    assert "key=" not in preview


def ask(told: bytes, status: str = "200 OK", **own: str) -> tuple[HttpClient, Any]:
    """Of a helpdesk that answers the same to all."""
    with serve(answer(told, status=status)) as server, open_gateway() as gateway:
        client = KIND.connect(gateway, {**HTTP_SETTINGS, "url": server.url, **own}, {})
        found = client.find("acme-1")
        return client, found[0] if found else None


@pytest.mark.parametrize(
    ("told", "own", "reference"),
    [
        (b'{"tickets": [{"id": 7, "key": "acme-1"}]}', {}, "7"),
        (b'{"tickets": [{"id": 6, "key": "x"}, {"id": 7, "key": "acme-1"}]}', {}, "7"),
        (b'[{"id": 7, "tags": ["a", "acme-1"]}]', {"find_tickets": "", "ticket_key": "tags"}, "7"),
        (b'{"tickets": {"id": "A/7", "key": "[acme-1] Disk full"}}', {}, "A/7"),
        (b'{"tickets": []}', {}, None),
        (b'{"tickets": null}', {}, None),
        (b"[]", {}, None),
    ],
)
def test_a_ticket_is_found_in_answers_of_many_shapes(
    told: bytes, own: dict[str, str], reference: str | None
) -> None:
    _, found = ask(told, **own)
    assert (found.reference, found.key) == (reference, "acme-1") if reference else found is None


def test_what_does_not_carry_the_key_is_not_taken_for_ours() -> None:
    for told in (
        b'{"key": "acme-10", "id": 7}',
        b'{"key": "xacme-1", "id": 7}',
        b'{"key": ' + b"[" * 700 + b'"acme-1"' + b"]" * 700 + b', "id": 7}',
        b"7",
        b'{"id": 7}',
    ):
        _, found = ask(told, find_tickets="")
        assert found.key != "acme-1"
    with pytest.raises(Refused, match="no number in it"):
        ask(b'{"tickets": [{"key": "acme-1"}]}')


def test_addresses_that_are_none_are_no_links() -> None:
    told = b'{"tickets": [{"id": 7, "key": "acme-1", "url": "javascript:alert(1)"}]}'
    assert ask(told)[1].url == ""
    page = {"ticket_address": "", "page": "https://d.example/t/{{ reference }}"}
    assert ask(b'{"tickets": [{"id": "a/7", "key": "acme-1"}]}', **page)[1].url.endswith("/t/a%2F7")


def test_a_number_leads_nowhere_else_and_empty_answers_are_good_where_nothing_is_needed() -> None:
    with serve(answer(b"")) as server, open_gateway() as gateway:
        client = KIND.connect(gateway, {**HTTP_SETTINGS, "url": server.url}, {})
        client.close("a/../7?x=1")
        client.comment("7", "x")
        for reference in ("..", "", "7\n"):
            with pytest.raises(Refused, match="no ticket number"):
                client.comment(reference, "x")
        with pytest.raises(AnswerLost):
            client.open(DRAFT)
    assert server.requests[0].startswith(b"PUT /tickets/a%2F..%2F7%3Fx%3D1 ")
    assert len(server.requests) == 3


def test_places_in_answers() -> None:
    assert read_path("") == ()
    assert read_path("items[0].ticket.id") == ("items", 0, "ticket", "id")
    assert read_path("[2][0]") == (2, 0)
    for text in ("a..b", "a.", ".a", "a[b]", "a[0]b", "a b", "a[99999]"):
        with pytest.raises(BadPath):
            read_path(text)


def test_defaults_are_good() -> None:
    settings = {each.name: each.default for each in KIND.fields if not each.is_secret}
    KIND.check({**settings, "url": "https://desk.example.com", "queues": "1"}, {})
    templates = {
        each.name
        for each in KINDS["http"].fields
        if each.name.endswith(("_path", "_body")) and each.name.rpartition("_")[0] in VALUES
    }
    assert templates == {
        f"{verb}_{part}"
        for verb in ("open", "find", "read", "list", "comment", "close", "reopen")
        for part in ("path", "body")
    }
