"""Walking over every agent of a server, once each, and knowing whether that were all."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from types import TracebackType
from typing import Self

from portal.tactical.api import LARGEST_PAGE, AgentPage, Tactical
from portal.tactical.errors import NotFoundInTactical
from portal.tactical.records import BadRecord, TacticalAgent
from portal.tactical.rows import Places, Sites

log = logging.getLogger(__name__)

MOST_WALKS = 3


class BetaWalk:
    """The beta list, page by page; the next one downloads while this one is used.

    A row that is deleted during the walk shifts the rest by one, so that one row is missed and
    the last page may be gone. Then the list is walked again; agents already given are left out.
    After the iteration `complete` tells whether a whole walk saw as many agents as Tactical
    counts, with that count standing still.
    """

    def __init__(self, tactical: Tactical, page_size: int, sites: Sites) -> None:
        self.complete = False
        self._tactical = tactical
        size = min(page_size, LARGEST_PAGE)
        self._get_page: Callable[[int], AgentPage] = lambda number: tactical.get_beta_page(
            number, size, sites
        )
        self._given: set[str] = set()
        self._ahead = ThreadPoolExecutor(max_workers=1, thread_name_prefix="next-page")
        self._coming: Future[AgentPage] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """A download that nobody waits for any more is given up."""
        if self._coming is None or self._coming.done():
            self._ahead.shutdown()
            return
        with self._tactical.session.abandoning():
            self._ahead.shutdown(wait=True, cancel_futures=True)

    def __iter__(self) -> Iterator[AgentPage]:
        for number in range(1, MOST_WALKS + 1):
            yield from self._walk(is_first=number == 1)
            if self.complete:
                return
            log.info("The list of agents changed while it was read (walk %s).", number)

    def _walk(self, is_first: bool) -> Iterator[AgentPage]:
        totals: set[int] = set()
        seen: set[str] = set()
        rows = bad = 0
        is_cut = False
        for page in self._pages(is_first):
            rows += len(page.agents)
            totals.add(page.total)
            is_cut = not page.agents and page.total > 0
            seen.update(a.agent_id for a in page.agents if isinstance(a, TacticalAgent))
            bad += sum(isinstance(a, BadRecord) for a in page.agents)
            fresh = self._only_new(page, is_first)
            if fresh.agents or is_first:
                yield fresh
        self.complete = len(totals) == 1 and not is_cut and len(seen) + bad == max(totals)

    def _pages(self, is_first: bool) -> Iterator[AgentPage]:
        """Page after page until as many rows came as Tactical counts."""
        rows, number = 0, 1
        self._coming = self._ahead.submit(self._get_page, number)
        while True:
            try:
                page = self._coming.result()
            except NotFoundInTactical:
                if number == 1 and is_first:
                    raise
                return  # rows were deleted: the page that should have been last is gone
            rows += len(page.agents)
            is_last = rows >= page.total or not page.agents
            if not is_last:
                number += 1
                self._coming = self._ahead.submit(self._get_page, number)
            yield page
            if is_last:
                return

    def _only_new(self, page: AgentPage, is_first: bool) -> AgentPage:
        """The page without agents given before; records that cannot be used only once."""
        fresh: list[TacticalAgent | BadRecord] = []
        for agent in page.agents:
            if isinstance(agent, BadRecord):
                if is_first:
                    fresh.append(agent)
            elif agent.agent_id not in self._given:
                self._given.add(agent.agent_id)
                fresh.append(agent)
        return replace(page, agents=fresh)


class DashboardWalk:
    """`agents/`, in one answer, given on in pages so that each is written on its own."""

    def __init__(self, tactical: Tactical, page_size: int, places: Places) -> None:
        self.complete = False
        self._tactical, self._page_size, self._places = tactical, page_size, places

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __iter__(self) -> Iterator[AgentPage]:
        listing = self._tactical.get_dashboard_listing()
        given: set[str] = set()
        for start in range(0, len(listing.rows), self._page_size):
            page = listing.read_page(start, self._page_size, self._places)
            fresh: list[TacticalAgent | BadRecord] = []
            for agent in page.agents:
                if isinstance(agent, BadRecord):
                    fresh.append(agent)
                elif agent.agent_id not in given:
                    given.add(agent.agent_id)
                    fresh.append(agent)
            yield replace(page, agents=fresh)
        self.complete = True
