"""What every helpdesk must do, tried on the simulated one or on those that HELPDESKS names.

The simulated one is asked by its own kind, and by the generic one, as a person describes it.
Of Zammad there is a fake that was made from its documentation, and shows no more than that says.
`make test-helpdesks` starts real ones for it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from portal.egress import Gateway
from portal.helpdesks import carefully
from portal.helpdesks.carefully import ProbeStep
from portal.helpdesks.kind import AnswerLost, Draft, Helpdesk, HelpdeskError, Refused, State
from tests.egress.servers import open_gateway
from tests.helpdesks.benches import BENCHES, Bench, Setup
from tests.helpdesks.losing import LosingProxy, Loss, losing

NAMES = os.environ.get("HELPDESKS", "simulated,http,zammad").split(",")
TEXT = "Größe „C:“ 💾 'full' \"99 %\" <b>&amp;</b> {{ x }} **bold**\nsecond line"


@pytest.fixture(scope="module", params=NAMES)
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    with BENCHES[request.param]() as one:
        yield one


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    with open_gateway() as one:
        yield one


@pytest.fixture(scope="module")
def proxy(bench: Bench) -> Iterator[LosingProxy]:
    with losing(bench.url) as one:
        yield one


@pytest.fixture
def draft(bench: Bench) -> Draft:
    key = carefully.make_key("test")
    return Draft(key=key, queue=bench.queues[0], subject="Disk full", body="C: is full")


@pytest.fixture
def helpdesk(bench: Bench, gateway: Gateway) -> Helpdesk:
    return connect(bench, gateway, bench.list_setups()["good"]())


def connect(bench: Bench, gateway: Gateway, setup: Setup) -> Helpdesk:
    assert bench.kind.check(setup.settings, setup.secrets)
    return bench.kind.connect(gateway, setup.settings, setup.secrets)


def through(proxy: LosingProxy, bench: Bench, gateway: Gateway) -> Helpdesk:
    setup = bench.list_setups()["good"]()
    return connect(bench, gateway, replace(setup, settings={**setup.settings, "url": proxy.url}))


@pytest.mark.parametrize("loss", Loss)
def test_lost_answers_open_one_ticket(
    bench: Bench, gateway: Gateway, proxy: LosingProxy, draft: Draft, loss: Loss
) -> None:
    helpdesk = through(proxy, bench, gateway)
    proxy.plan = [loss]
    try:
        opened = carefully.open_once(helpdesk, draft)
    except AnswerLost:
        proxy.catch_up()
        opened = carefully.open_once(helpdesk, draft)
    assert bench.count(draft.key) == 1
    assert (opened.key, opened.state, opened.touched_by) == (draft.key, State.OPEN, "")


def test_two_at_once_that_hold_the_lock_open_one(
    bench: Bench, helpdesk: Helpdesk, draft: Draft
) -> None:
    lock, opened = threading.Lock(), []

    def open_one() -> None:
        with lock:
            opened.append(carefully.open_once(helpdesk, draft).reference)

    threads = [threading.Thread(target=open_one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 2
    assert len(set(opened)) == 1
    assert bench.count(draft.key) == 1


def test_a_double_that_comes_late_is_closed(
    bench: Bench,
    gateway: Gateway,
    proxy: LosingProxy,
    helpdesk: Helpdesk,
    draft: Draft,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was given up is carried out between the search and the next attempt."""
    lost = through(proxy, bench, gateway)
    proxy.plan = [Loss.LATER]
    with pytest.raises(AnswerLost):
        carefully.open_once(lost, draft)
    find, doubles = carefully.find_own, []

    def find_then_catch_up(asked: Helpdesk, key: str) -> object:
        found = find(asked, key)
        proxy.catch_up()
        return found

    monkeypatch.setattr(carefully, "find_own", find_then_catch_up)
    first = carefully.open_once(helpdesk, draft)
    doubles = [str(int(first.reference) + 1)]
    states = {each: remote.state for each, remote in helpdesk.read(doubles).items()}
    assert states == dict.fromkeys(doubles, State.CLOSED)
    assert helpdesk.read([first.reference])[first.reference].state is State.OPEN


def test_a_double_that_comes_later_still_is_found_by_its_key(
    helpdesk: Helpdesk, draft: Draft
) -> None:
    first, second = helpdesk.open(draft).reference, helpdesk.open(draft).reference
    if len(helpdesk.find(draft.key)) == 1:
        pytest.skip("It lets no second ticket carry the key.")
    carefully.withdraw_doubles(helpdesk, draft.key, first)
    states = {each: remote.state for each, remote in helpdesk.read([first, second]).items()}
    assert states == {first: State.OPEN, second: State.CLOSED}


@pytest.mark.parametrize("loss", [Loss.ANSWER, Loss.LATER, Loss.FAILURE])
def test_a_comment_is_written_once(
    bench: Bench, gateway: Gateway, proxy: LosingProxy, draft: Draft, loss: Loss
) -> None:
    helpdesk = through(proxy, bench, gateway)
    reference = carefully.open_once(helpdesk, draft).reference
    proxy.plan = [loss]
    with pytest.raises(AnswerLost):
        carefully.comment_once(helpdesk, reference, "Again: 82 °C", "[h1:again]")
    proxy.catch_up()
    carefully.comment_once(helpdesk, reference, "Again: 82 °C", "[h1:again]")
    texts = [text for text in bench.read_texts(reference) if "[h1:again]" in text]
    assert len(texts) == 1
    assert "Again: 82 °C" in texts[0]


def test_closing_and_reopening_are_read_back(helpdesk: Helpdesk, draft: Draft) -> None:
    reference = carefully.open_once(helpdesk, draft).reference
    closed = carefully.set_state(helpdesk, reference, State.CLOSED)
    assert (closed.state, closed.touched_by, closed.key) == (State.CLOSED, "", draft.key)
    carefully.comment_once(helpdesk, reference, "It is over.", "[h1:over]", closing=True)
    found = carefully.find_own(helpdesk, draft.key)
    assert found is not None
    assert (found.reference, found.state) == (reference, State.CLOSED)
    reopened = carefully.set_state(helpdesk, reference, State.OPEN)
    assert (reopened.state, reopened.touched_by) == (State.OPEN, "")


def test_a_foreign_key_finds_none(helpdesk: Helpdesk, draft: Draft) -> None:
    carefully.open_once(helpdesk, draft)
    assert carefully.find_own(helpdesk, draft.key[:-1]) is None
    assert carefully.find_own(helpdesk, carefully.make_key("none")) is None


def test_many_are_read_and_those_that_people_touched_are_named(
    bench: Bench, helpdesk: Helpdesk, draft: Draft
) -> None:
    """Also where we wrote after them, and what is ours alone does not count."""
    keys = [carefully.make_key("many") for _ in range(5)]
    opened = [carefully.open_once(helpdesk, replace(draft, key=key)) for key in keys]
    own, touched, closed, moved, plain = (each.reference for each in opened)
    for reference in (own, touched):
        bench.touch(reference) if reference == touched else None
        carefully.comment_once(helpdesk, reference, "Again", "[h1:again]")
    bench.touch(closed)
    bench.set_state(closed, is_closed=True)
    bench.move(moved, bench.queues[1])
    told = helpdesk.read([own, touched, closed, moved, plain, "999999", "no number"])
    assert {each: remote.state for each, remote in told.items()} == {
        **dict.fromkeys([own, touched, moved, plain], State.OPEN),
        closed: State.CLOSED,
    }
    names = [told[each].touched_by for each in (own, touched, closed, moved, plain)]
    assert [name.lower().partition(" ")[0] for name in names] == ["", *["anna"] * 3, ""]
    assert carefully.find_own(helpdesk, keys[3]) is not None
    assert told[own].url.startswith(bench.url)
    assert told[own].url.endswith(own)


def test_what_was_deleted_is_gone(bench: Bench, helpdesk: Helpdesk, draft: Draft) -> None:
    reference = carefully.open_once(helpdesk, draft).reference
    bench.delete(reference)
    assert carefully.read_one(helpdesk, reference).state is State.GONE
    assert carefully.set_state(helpdesk, reference, State.CLOSED).state is State.GONE


def test_what_was_merged_names_its_target(bench: Bench, helpdesk: Helpdesk, draft: Draft) -> None:
    keys = [draft.key, carefully.make_key("other")]
    one, other = (carefully.open_once(helpdesk, replace(draft, key=key)) for key in keys)
    if not bench.merge(one.reference, other.reference):
        pytest.skip("It merges no tickets.")
    told = helpdesk.read([one.reference, other.reference])
    assert told[one.reference].state is State.GONE
    assert told[one.reference].merged_into == other.reference
    assert told[other.reference].state is State.OPEN


def test_queues_customers_and_priorities(bench: Bench, helpdesk: Helpdesk, draft: Draft) -> None:
    queues = {each.id: each.name for each in helpdesk.list_queues()}
    assert set(bench.queues) <= set(queues)
    assert all(queues.values())
    priorities = helpdesk.list_priorities()
    assert len({each.id for each in priorities}) == len(priorities) > 0
    customer, part = bench.customer
    if customer:
        customers = {each.id: each.name for each in helpdesk.list_customers()}
        assert part in customers[customer]
        assert len(customers) >= 3
    whole = replace(draft, customer=customer, priority=priorities[-1].id)
    assert carefully.open_once(helpdesk, whole).state is State.OPEN
    with pytest.raises(Refused):
        carefully.open_once(helpdesk, replace(draft, key=f"{draft.key}x", queue="98765"))


def test_long_and_unusual_texts(bench: Bench, helpdesk: Helpdesk, draft: Draft) -> None:
    long = replace(draft, subject="Größe 💾 " * 100, body=f"{TEXT}\n{'x' * 1_000_000}")
    reference = carefully.open_once(helpdesk, long).reference
    carefully.comment_once(helpdesk, reference, f"{TEXT}\n{'y' * 1_000_000}", "[h1:long]")
    subject = bench.read_subject(reference)
    assert len(subject) <= bench.longest_subject
    assert subject.startswith("Größe 💾 Größe")
    body, comment = bench.read_texts(reference)[:2]
    assert all(TEXT in each for each in (body, comment))
    assert all(len(each) < carefully.LARGEST_TEXT + 200 for each in (body, comment))
    assert "[h1:long]" in comment


def test_what_a_helpdesk_does_by_itself_is_no_touch(
    bench: Bench, helpdesk: Helpdesk, draft: Draft
) -> None:
    """Request Tracker answers a requestor, and writes that down as a line of its own."""
    whole = replace(draft, customer=bench.customer[0])
    reference = carefully.open_once(helpdesk, whole).reference
    assert carefully.read_one(helpdesk, reference).touched_by == ""


def probe(bench: Bench, gateway: Gateway, name: str) -> tuple[Setup, list[ProbeStep]]:
    setup = bench.list_setups()[name]()
    key = carefully.make_key("probe")
    draft = Draft(key=key, queue=bench.queues[0], subject="A try", body="It is closed at once.")
    helpdesk = connect(bench, gateway, setup)
    return setup, carefully.probe(helpdesk, draft, can_find=True, can_close=True)


def test_a_good_set_up_is_proved(bench: Bench, gateway: Gateway) -> None:
    _, steps = probe(bench, gateway, "good")
    assert [step.name for step in steps] == ["account", "search", "open", "comment", "close"]
    assert all(step.is_good for step in steps), steps


def test_a_wrong_set_up_shows(bench: Bench, gateway: Gateway, draft: Draft) -> None:
    """Each with a sentence, and without the key."""
    carefully.open_once(connect(bench, gateway, bench.list_setups()["good"]()), draft)
    for name in set(bench.list_setups()) - {"good"}:
        setup, steps = probe(bench, gateway, name)
        assert (steps[-1].name, steps[-1].is_good) == (setup.fails_at, False), (name, steps)
        assert all(step.is_good for step in steps[:-1]), (name, steps)
        assert not any(secret in steps[-1].text for secret in setup.secrets.values())
        print(f"{name}: {steps[-1].text}")


def test_a_wrong_key_is_no_empty_list(bench: Bench, gateway: Gateway) -> None:
    helpdesk = connect(bench, gateway, bench.list_setups()["wrong_key"]())
    for ask in (helpdesk.check_account, lambda: helpdesk.find("x"), lambda: helpdesk.read(["1"])):
        with pytest.raises(HelpdeskError):
            ask()
