"""Walking over every agent of a server that fails meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from portal.egress import ConnectionLost, Timeout
from portal.errors import PortalError
from portal.tactical.api import Tactical
from portal.tactical.errors import (
    BetaOff,
    ServerError,
    TacticalError,
    Throttled,
    UnexpectedAnswer,
    WebPage,
)
from portal.tactical.http.request import READ, page_limits
from tactical_simulator import SimulatedTactical
from tests.tactical.talking import agents_of, talking
from tests.tactical.walks import PAGES, beta, dashboard, has_thread_left, pages_asked


@pytest.fixture
def api(tactical: SimulatedTactical) -> Iterator[Tactical]:
    with talking(tactical, tactical.api_key) as api:
        yield api


FAULTS: list[tuple[dict[str, Any], type[PortalError]]] = [
    ({"kind": "drop"}, ConnectionLost),
    ({"kind": "reset"}, ConnectionLost),
    ({"kind": "truncated"}, ConnectionLost),
    ({"kind": "cut_json"}, UnexpectedAnswer),
    ({"kind": "empty"}, UnexpectedAnswer),
    ({"kind": "json", "body": {"detail": "soon"}}, UnexpectedAnswer),
    ({"kind": "html"}, WebPage),
    ({"kind": "status", "status": 500}, ServerError),
    ({"kind": "status", "status": 502}, ServerError),
    ({"kind": "status", "status": 503}, ServerError),
    ({"kind": "status", "status": 429, "retry_after": 7}, Throttled),
]
NAMES = [f"{fault['kind']} {fault.get('status', '')}".strip() for fault, _ in FAULTS]


@pytest.mark.parametrize("page", [1, 2, 3])
@pytest.mark.parametrize("fault", [fault for fault, _ in FAULTS], ids=NAMES)
def test_a_page_that_failed_is_asked_for_again(
    tactical: SimulatedTactical, fault: dict[str, Any], page: int
) -> None:
    tactical.control.faults.add(**fault, path=PAGES, query=f"page={page}&", times=2)
    slept: list[float] = []
    with talking(tactical, tactical.api_key, sleep=slept.append) as api:
        walk = beta(api)
        agents, bad = agents_of(walk)

    assert len(agents) == 24
    assert bad == []
    assert walk.complete
    assert len(slept) == 2
    if fault.get("status") == 429:
        assert slept == [7, 7]
    else:
        assert 0.25 <= slept[0] <= 0.75 <= 1.5 >= slept[1] >= 0.5


@pytest.mark.parametrize("path", [PAGES, "/agents/"])
@pytest.mark.parametrize(("fault", "error"), FAULTS, ids=NAMES)
def test_a_fault_that_stays_ends_the_walk_without_a_word_of_complete(
    tactical: SimulatedTactical,
    api: Tactical,
    fault: dict[str, Any],
    error: type[PortalError],
    path: str,
) -> None:
    walk = beta(api) if path == PAGES else dashboard(api)
    tactical.control.faults.add(**fault, path=path, after=int(path == PAGES), times=None)

    with pytest.raises(error) as caught:
        agents_of(walk)

    assert not walk.complete
    assert caught.value.retryable
    assert not has_thread_left()


def test_a_longer_throttle_is_reported(tactical: SimulatedTactical) -> None:
    tactical.control.faults.add("status", PAGES, status=429, retry_after=3600)
    slept: list[float] = []
    with talking(tactical, tactical.api_key, sleep=slept.append) as api:
        walk = beta(api)
        with pytest.raises(Throttled) as caught:
            agents_of(walk)

    assert (caught.value.seconds, slept) == (3600, [])
    assert "60 minutes" in caught.value.message


@pytest.mark.parametrize("status", [400, 401, 403, 405, 415])
def test_what_a_client_did_wrong_is_not_tried_again(
    tactical: SimulatedTactical, api: Tactical, status: int
) -> None:
    walk = beta(api)
    tactical.control.faults.add("json", PAGES, status=status, body={"detail": "x"}, times=None)

    with pytest.raises(TacticalError) as caught:
        agents_of(walk)

    assert not caught.value.retryable
    assert len(pages_asked(tactical)) == 1


def test_a_beta_api_switched_off_meanwhile_ends_the_walk(
    tactical: SimulatedTactical, api: Tactical
) -> None:
    tactical.control.faults.add("status", PAGES, query="page=2&", status=404)
    walk = beta(api)
    with walk.pages() as coming:
        pages = iter(coming)
        next(pages)
        with pytest.raises(BetaOff):
            next(pages)

    assert not walk.complete


# --- Nobody waits any more ------------------------------------------------------------------


def test_leaving_early_gives_the_next_page_up(tactical: SimulatedTactical, api: Tactical) -> None:
    walk = beta(api, 2)
    tactical.control.faults.add(
        "drip", PAGES, query="page=2&", seconds=0.002, size=4096, times=None
    )
    with walk.pages() as pages:
        next(iter(pages))

    assert not walk.complete
    assert not has_thread_left()
    api.keep_alive()  # the session itself goes on


def test_a_failure_ahead_is_told_when_its_turn_comes(
    tactical: SimulatedTactical, api: Tactical
) -> None:
    tactical.control.faults.add("status", PAGES, query="page=2&", status=500, times=None)
    with beta(api).pages() as coming:
        pages = iter(coming)
        assert len(next(pages).agents) == 10
        with pytest.raises(ServerError):
            next(pages)

    assert not has_thread_left()


def test_a_list_that_is_left_early_is_read_no_further(
    tactical: SimulatedTactical, api: Tactical
) -> None:
    tactical.control.faults.add("drip", "/agents/", seconds=0.002, size=1024, times=None)
    walk = dashboard(api, 2)
    with walk.pages() as pages:
        next(iter(pages))

    assert not walk.complete
    assert not has_thread_left()
    api.keep_alive()


# --- Slow servers ---------------------------------------------------------------------------


def slow_pages(tactical: SimulatedTactical, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Pages of `size` agents take longer than anybody waits; smaller ones do not."""
    limits = replace(READ, idle=0.3)
    monkeypatch.setattr("portal.tactical.api.page_limits", lambda _size: limits)
    tactical.control.faults.add("slow", PAGES, query=f"page_size={size}", seconds=2, times=None)


def test_a_page_that_takes_too_long_is_asked_for_at_half_the_size(
    tactical: SimulatedTactical, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow_pages(tactical, monkeypatch, 24)
    slept: list[float] = []
    with talking(tactical, tactical.api_key, sleep=slept.append) as api:
        walk = beta(api, 24)
        agents, _ = agents_of(walk)

    assert [agent.agent_id for agent in agents] == tactical.control.agents.ids()
    assert walk.complete
    assert (walk.page_size, slept) == (12, [])
    asked = [query for query in pages_asked(tactical) if "page_size=12" in query]
    assert asked == ["page=1&page_size=12", "page=2&page_size=12"]


@pytest.mark.fleet(agents=60)
@pytest.mark.parametrize(
    "fault", [{"kind": "slow", "seconds": 2}, {"kind": "status", "status": 504}]
)
def test_a_page_in_the_midst_is_halved_without_losing_or_doubling_one(
    tactical: SimulatedTactical, monkeypatch: pytest.MonkeyPatch, fault: dict[str, Any]
) -> None:
    """Half of an odd size does not begin where the page before ended."""
    limits = replace(READ, idle=0.3)
    monkeypatch.setattr("portal.tactical.api.page_limits", lambda _size: limits)
    tactical.control.faults.add(**fault, path=PAGES, query="page=2&page_size=25", times=None)
    with talking(tactical, tactical.api_key) as api:
        walk = beta(api, 25)
        agents, _ = agents_of(walk)

    assert [agent.agent_id for agent in agents] == tactical.control.agents.ids()
    assert walk.complete
    assert walk.page_size == 12


def test_a_small_page_that_takes_too_long_is_an_error(
    tactical: SimulatedTactical, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow_pages(tactical, monkeypatch, 19)
    with talking(tactical, tactical.api_key) as api, pytest.raises(Timeout):
        agents_of(beta(api, 19))


def test_larger_pages_are_waited_for_longer() -> None:
    patience = [page_limits(size).idle for size in (10, 200, 1000)]

    assert patience == [21, 40, 120]


# --- A list that breaks in its midst --------------------------------------------------------


@pytest.mark.parametrize("kind", ["reset", "truncated", "cut_json"])
def test_a_list_that_breaks_in_its_midst_is_read_again_from_there(
    tactical: SimulatedTactical, kind: str
) -> None:
    tactical.control.faults.add(kind, "/agents/", size=20_000)
    slept: list[float] = []
    with talking(tactical, tactical.api_key, sleep=slept.append) as api:
        walk = dashboard(api, 5)
        agents, bad = agents_of(walk)

    assert sorted(a.agent_id for a in agents) == sorted(tactical.control.agents.ids())
    assert bad == []
    assert walk.complete
    assert len(slept) == 1


def test_a_list_that_breaks_each_time_is_an_error_after_what_came(
    tactical: SimulatedTactical, api: Tactical
) -> None:
    tactical.control.faults.add("cut_json", "/agents/", size=20_000, times=None)
    walk = dashboard(api, 5)
    found: list[object] = []
    with walk.pages() as pages, pytest.raises(UnexpectedAnswer):
        found.extend(agent for page in pages for agent in page.agents)

    assert 0 < len(found) < 24
    assert not walk.complete
