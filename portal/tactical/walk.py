"""Walking over every agent of a server, once each, and knowing whether that were all."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from types import TracebackType

from portal.tactical.api import AgentPage, Tactical
from portal.tactical.errors import NotFoundInTactical
from portal.tactical.records import BadRecord, Place, TacticalAgent, TacticalSite

log = logging.getLogger(__name__)

MOST_WALKS = 3


class BetaWalk:
    """The beta list, page by page; the next one downloads while this one is used.

    A row that is deleted during the walk shifts the rest by one, so that one row is missed and
    the last page may be gone. Then the list is walked again; agents already given are left out.
    After the iteration `complete` tells whether a whole walk saw as many agents as Tactical
    counts, with that count standing still.
    """

    def __init__(
        self, tactical: Tactical, page_size: int, sites: Mapping[int, TacticalSite]
    ) -> None:
        self.complete = False
        self._get_page: Callable[[int], AgentPage] = lambda number: tactical.get_beta_page(
            number, page_size, sites
        )
        self._page_size = page_size
        self._given: set[str] = set()
        self._ahead = ThreadPoolExecutor(max_workers=1, thread_name_prefix="next-page")

    def __enter__(self) -> BetaWalk:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._ahead.shutdown(wait=True, cancel_futures=True)

    def __iter__(self) -> Iterator[AgentPage]:
        for number in range(1, MOST_WALKS + 1):
            yield from self._walk(first=number == 1)
            if self.complete:
                return
            log.info("The list of agents changed while it was read (walk %s).", number)

    def _walk(self, first: bool) -> Iterator[AgentPage]:
        totals: set[int] = set()
        rows = 0
        seen: set[str] = set()
        number = 1
        coming: Future[AgentPage] = self._ahead.submit(self._get_page, number)
        while True:
            try:
                page = coming.result()
            except NotFoundInTactical:
                if number == 1:
                    raise
                return  # rows were deleted: the page that should have been last is gone
            rows += len(page.agents)
            totals.add(page.total)
            is_last = rows >= page.total or len(page.agents) < self._page_size
            if not is_last:
                number += 1
                coming = self._ahead.submit(self._get_page, number)
            seen.update(a.agent_id for a in page.agents if isinstance(a, TacticalAgent))
            yield self._only_new(page, first)
            if is_last:
                break
        bad = rows - len(seen)
        self.complete = len(totals) == 1 and len(seen) + bad >= page.total and bad >= 0

    def _only_new(self, page: AgentPage, first: bool) -> AgentPage:
        """The page without agents given before; records that cannot be used only once."""
        fresh: list[TacticalAgent | BadRecord] = []
        for agent in page.agents:
            if isinstance(agent, BadRecord):
                if first:
                    fresh.append(agent)
            elif agent.agent_id not in self._given:
                self._given.add(agent.agent_id)
                fresh.append(agent)
        return replace(page, agents=fresh)


class DashboardWalk:
    """`agents/`, in one answer, given on in pages so that each is written on its own."""

    def __init__(
        self, tactical: Tactical, page_size: int, places: Mapping[tuple[str, str], Place]
    ) -> None:
        self.complete = False
        self._tactical, self._page_size, self._places = tactical, page_size, places

    def __enter__(self) -> DashboardWalk:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __iter__(self) -> Iterator[AgentPage]:
        whole = self._tactical.get_dashboard_agents(self._places)
        unique: dict[str, TacticalAgent | BadRecord] = {}
        for index, agent in enumerate(whole.agents):
            key = agent.agent_id if isinstance(agent, TacticalAgent) else f"bad record {index}"
            unique.setdefault(key, agent)
        agents = list(unique.values())
        for start in range(0, len(agents), self._page_size):
            yield replace(whole, agents=agents[start : start + self._page_size])
        self.complete = True
