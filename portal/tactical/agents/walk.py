"""Walking over every agent of a server, once each, and knowing whether that were all."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator
from datetime import UTC, datetime
from itertools import islice

from portal.egress import EgressError
from portal.tactical.agents.deduplication import Deduplicator
from portal.tactical.agents.fleet import DashboardFleet
from portal.tactical.agents.prefetch import Prefetch
from portal.tactical.api import LARGEST_PAGE, AgentPage, Tactical
from portal.tactical.errors import NotFoundInTactical, TacticalError
from portal.tactical.http.retries import took_too_long
from portal.tactical.reading.rows import Places, Sites, read_dashboard_agent
from portal.tactical.records import BadRecord, TacticalAgent

log = logging.getLogger(__name__)

MOST_WALKS = 3
SMALLEST_PAGE = 10


class BetaWalk:
    """The beta list, in pages of `page_size`, or smaller where those take too long.

    The next page downloads while one is used. A row that is deleted during the walk shifts the
    rest by one, so that one row is missed and the last page may be gone. Then the list is
    walked again; agents already given are left out. At the end `complete` says whether a whole
    walk saw as many agents as Tactical counts, with that count standing still.
    """

    def __init__(self, tactical: Tactical, page_size: int, sites: Sites) -> None:
        self.complete = False
        self.page_size = min(page_size, LARGEST_PAGE)
        self._tactical = tactical
        self._get_page: Callable[[int, int], AgentPage] = lambda number, size: (
            tactical.get_beta_page(number, size, sites)
        )
        self._deduplicator = Deduplicator()

    def pages(self) -> Prefetch[AgentPage]:
        return Prefetch(self._walk_often(), self._tactical.session.abandoning())

    def _walk_often(self) -> Generator[AgentPage, None, None]:
        for number in range(1, MOST_WALKS + 1):
            yield from self._walk(is_first=number == 1)
            if self.complete:
                return
            log.info("The list of agents changed while it was read (walk %s).", number)

    def _walk(self, is_first: bool) -> Iterator[AgentPage]:
        self._deduplicator.begin()
        totals: set[int | None] = set()
        seen: set[str] = set()
        bad = 0
        is_cut = False
        for page in self._get_pages(is_first):
            totals.add(page.total)
            is_cut = not page.agents and bool(page.total)
            seen.update(a.agent_id for a in page.agents if isinstance(a, TacticalAgent))
            bad += sum(isinstance(a, BadRecord) for a in page.agents)
            fresh = self._deduplicator.part_of(page)
            if fresh.agents or is_first:
                yield fresh
        self.complete = not is_cut and totals == {len(seen) + bad}

    def _get_pages(self, is_first: bool) -> Iterator[AgentPage]:
        """Page after page until as many rows came as Tactical counts."""
        rows, number = 0, 1
        while True:
            try:
                page = self._get_page(number, self.page_size)
            except NotFoundInTactical:
                if number == 1 and is_first:
                    raise
                return  # rows were deleted: the page that should have been last is gone
            except (EgressError, TacticalError) as error:
                if not took_too_long(error) or self.page_size < 2 * SMALLEST_PAGE:
                    raise
                # It may begin with rows that came before: those are known by now.
                self.page_size //= 2
                number = rows // self.page_size + 1
                rows = (number - 1) * self.page_size
                log.info("Agents are asked for %s at a time from now on.", self.page_size)
                continue
            rows += len(page.agents)
            number += 1
            yield page
            if rows >= (page.total or 0) or not page.agents:
                return


class DashboardWalk:
    """`agents/`, one answer, given on in pages so that each is written on its own."""

    def __init__(
        self, fleet: DashboardFleet, page_size: int, places: Places, total: int | None = None
    ) -> None:
        self.complete = False
        """None was left out, and as many came as Tactical counts."""
        self.fleet = fleet
        self._page_size, self._places, self._total = page_size, places, total

    def pages(self) -> Prefetch[AgentPage]:
        return Prefetch(self._walk(), self.fleet.session.abandoning())

    def _walk(self) -> Generator[AgentPage, None, None]:
        session = self.fleet.session
        observed_at = datetime.now(UTC)
        rows = self.fleet.stream(lambda raw: read_dashboard_agent(raw, self._places))
        listed = 0
        while agents := list(islice(rows, self._page_size)):
            listed += len(agents)
            yield AgentPage(agents, self._total, observed_at, session.answered_at)
        self.complete = not self.fleet.broken and listed >= (self._total or 0)
