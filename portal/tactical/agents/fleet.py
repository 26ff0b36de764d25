"""The whole fleet by `agents/`, also where Tactical fails at an agent of it.

One agent whose `network_config` is null makes every answer that would list it a 500. So the list
is taken in parts then, as small as a site.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Generator, Iterable, Mapping
from itertools import count
from typing import TypeVar

from portal.egress import EgressError
from portal.tactical.agents.deduplication import Deduplicator
from portal.tactical.api import Tactical
from portal.tactical.errors import ServerError, TacticalError
from portal.tactical.reading.listings import BrokenSite
from portal.tactical.reading.rows import Raw
from portal.tactical.records import AgentPresence, BadRecord, TacticalSite, only_good

log = logging.getLogger(__name__)

Agent = TypeVar("Agent", bound=AgentPresence)
Rows = Generator[Agent | BadRecord, None, bool]
"""Returns whether all came; False where Tactical failed before the first."""

MOST_BROKEN = 10
"""Sites that fail; where it is more, or all of several, not single agents are to blame."""


class DashboardFleet:
    """Every agent that the key's role may see, once each, from one `stream`.

    The sites in `left_out`, by pk, are known to fail and are not asked for. Afterwards `broken`
    holds those of them that there still are, and those that failed now: what was streamed then
    is no evidence of absence.
    """

    def __init__(self, tactical: Tactical, left_out: Collection[int] = ()) -> None:
        self.session = tactical.session
        self.broken: list[BrokenSite] = []
        self._tactical = tactical
        self._left_out = left_out
        self._ids: set[str] = set()
        self._readable = 0

    def stream(
        self, read: Callable[[Raw], Agent | BadRecord]
    ) -> Generator[Agent | BadRecord, None, None]:
        """What `read` makes of each row, however often an answer breaks in its midst: it is asked
        for again, and given on from where it broke. Raises TacticalError and EgressError."""
        if not self._left_out and (yield from self._stream_part({}, read)):
            return
        log.info("The list of agents is read client by client.")
        inventory = self._tactical.get_dashboard_inventory()
        for organization in only_good(inventory.organizations):
            sites = [site for site in inventory.sites if site.organization_pk == organization.pk]
            is_sound = not any(site.pk in self._left_out for site in sites)
            if is_sound and (yield from self._stream_part({"client": organization.pk}, read)):
                self._readable += 1
            else:
                yield from self._stream_sites(organization.name, sites, read)
        if not self._readable and len(self.broken) > 1:
            raise ServerError(500)

    def _stream_sites(
        self,
        organization: str,
        sites: Iterable[TacticalSite],
        read: Callable[[Raw], Agent | BadRecord],
    ) -> Generator[Agent | BadRecord, None, None]:
        for site in sites:
            is_new = site.pk not in self._left_out
            if is_new and (yield from self._stream_part({"site": site.pk}, read, tries=2)):
                self._readable += 1
                continue
            self.broken.append(BrokenSite(site.pk, organization, site.name, is_new))
            if len(self.broken) > MOST_BROKEN:
                raise ServerError(500)

    def _stream_part(
        self,
        query: Mapping[str, int],
        read: Callable[[Raw], Agent | BadRecord],
        tries: int = 1,
    ) -> Rows[Agent]:
        """A failure of Tactical's own is met with other questions; it is asked `tries` times."""
        fresh = Deduplicator(self._ids)
        for number in count(1):
            fresh.begin()
            try:
                rows = self._tactical.stream_dashboard_agents(query)
                yield from filter(fresh.take, map(read, rows))
            except (EgressError, TacticalError) as error:
                if isinstance(error, ServerError) and error.is_crash and number >= tries:
                    return False
                self.session.wait_after(error, number)
            else:
                return True
        raise AssertionError("it returns or raises")
