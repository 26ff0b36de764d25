"""What an answer means: surely not done, perhaps done, refused for good."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from portal.egress import Gateway, Limits
from portal.helpdesks import carefully, rest
from portal.helpdesks.carefully import KeyLost
from portal.helpdesks.kind import AnswerLost, Draft, HelpdeskError, NotDone, Refused, State
from tests.egress.servers import open_gateway
from tests.helpdesks.simulated import (
    POWERLESS_TOKEN,
    TOKEN,
    Fault,
    Search,
    SimulatedHelpdesk,
    simulated,
)
from tests.helpdesks.simulated_kind import SIMULATED, SimulatedClient

DRAFT = Draft(key="h1-abc", queue="support", subject="Disk full", body="C: is full")


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with open_gateway() as one:
        yield one


@pytest.fixture
def helpdesk() -> Iterator[SimulatedHelpdesk]:
    with simulated() as one:
        yield one


def connect(gateway: Gateway, helpdesk: SimulatedHelpdesk, token: str = TOKEN) -> SimulatedClient:
    return SIMULATED.connect(gateway, {"url": helpdesk.url}, {"token": token})


@pytest.mark.parametrize(
    ("fault", "expected", "tickets"),
    [
        (Fault.ERROR_BEFORE, AnswerLost, 0),
        (Fault.ERROR_AFTER, AnswerLost, 1),
        (Fault.LOSES_ANSWER, AnswerLost, 1),
        (Fault.CUT_OFF, AnswerLost, 1),
        (Fault.NO_JSON, AnswerLost, 1),
        (Fault.LATE, AnswerLost, 1),
        (Fault.DOES_LATER, AnswerLost, 0),
        (Fault.REFUSES, Refused, 0),
        (Fault.MOVED, Refused, 0),
        (Fault.BUSY, NotDone, 0),
        (Fault.DOWN, NotDone, 0),
    ],
)
def test_what_a_failed_write_means(
    gateway: Gateway,
    helpdesk: SimulatedHelpdesk,
    monkeypatch: pytest.MonkeyPatch,
    fault: Fault,
    expected: type[HelpdeskError],
    tickets: int,
) -> None:
    monkeypatch.setattr(rest, "LIMITS", replace(rest.LIMITS, idle=0.2))
    helpdesk.plan = [fault]
    with pytest.raises(HelpdeskError) as caught:
        connect(gateway, helpdesk).open(DRAFT)
    assert type(caught.value) is expected
    assert caught.value.retry_after == (7 if expected is NotDone else None)
    assert len(helpdesk.tickets) == tickets


def test_a_server_that_is_not_there_has_done_nothing(gateway: Gateway) -> None:
    with simulated() as gone:
        client = connect(gateway, gone)
    with pytest.raises(NotDone):
        client.open(DRAFT)


def test_a_wrong_key_is_told_without_it(gateway: Gateway, helpdesk: SimulatedHelpdesk) -> None:
    with pytest.raises(Refused) as caught:
        connect(gateway, helpdesk, "wrong-token-12345").check_account()
    assert caught.value.message.endswith("Unknown key [redacted]. Enter the key again.")
    with pytest.raises(Refused, match=r"Enter it again\."):
        connect(gateway, helpdesk, "one\ntwo").check_account()
    with pytest.raises(Refused, match=r"Needed: the right to open tickets\."):
        connect(gateway, helpdesk, POWERLESS_TOKEN).open(DRAFT)


def test_an_answer_larger_than_the_limit_is_lost(
    gateway: Gateway, helpdesk: SimulatedHelpdesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rest, "LIMITS", Limits(connect=1, idle=1, total=5, largest=100))
    client = connect(gateway, helpdesk)
    with pytest.raises(AnswerLost):
        client.open(DRAFT)
    with pytest.raises(NotDone):
        client.find(DRAFT.key)


@pytest.mark.parametrize(
    "fault", [Fault.LOSES_ANSWER, Fault.DOES_LATER, Fault.ERROR_AFTER, Fault.ERROR_BEFORE]
)
def test_a_ticket_is_opened_once(
    gateway: Gateway, helpdesk: SimulatedHelpdesk, fault: Fault
) -> None:
    client = connect(gateway, helpdesk)
    helpdesk.plan = [fault]
    try:
        carefully.open_once(client, DRAFT)
    except AnswerLost:
        helpdesk.catch_up()
        carefully.open_once(client, DRAFT)
    assert len(helpdesk.list_by_key(DRAFT.key)) == 1


def test_searches_that_cannot_be_trusted(gateway: Gateway, helpdesk: SimulatedHelpdesk) -> None:
    client = connect(gateway, helpdesk)
    carefully.open_once(client, DRAFT)
    other = replace(DRAFT, key="h2-def")
    helpdesk.search = Search.IGNORES_KEY
    with pytest.raises(Refused, match="do not carry it"):
        carefully.open_once(client, other)
    helpdesk.search = Search.FINDS_NOTHING
    with pytest.raises(KeyLost):
        carefully.open_once(client, other)
    helpdesk.search, helpdesk.drops_key = Search.WORKS, True
    with pytest.raises(KeyLost):
        carefully.open_once(client, replace(DRAFT, key="h3-ghi"))


def test_a_merged_ticket_names_its_target(gateway: Gateway, helpdesk: SimulatedHelpdesk) -> None:
    client = connect(gateway, helpdesk)
    one, two, three = (client.open(replace(DRAFT, key=key)).reference for key in ("a", "b", "c"))
    helpdesk.merge(one, two)
    helpdesk.delete(three)
    found = client.read([one, two, three])
    assert (found[one].state, found[one].merged_into) == (State.GONE, two)
    assert found[two].touched_by == "anna"
    assert three not in found


def test_a_probe_in_an_empty_helpdesk_shows_that_its_search_ignores_the_key(
    gateway: Gateway, helpdesk: SimulatedHelpdesk
) -> None:
    helpdesk.search = Search.IGNORES_KEY
    steps = carefully.probe(connect(gateway, helpdesk), DRAFT, can_find=True, can_close=True)
    assert [(step.name, step.is_good) for step in steps][-1] == ("open", False)
