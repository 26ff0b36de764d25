"""What Tactical's lists hold, with the moment that it was true at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from portal.tactical.reading.rows import Sites, read_agent_detail
from portal.tactical.reading.shapes import AgentRow
from portal.tactical.reading.text import clean_count, clean_text
from portal.tactical.records import (
    BadRecord,
    Place,
    TacticalAgent,
    TacticalOrganization,
    TacticalSite,
    only_good,
)


@dataclass(frozen=True, slots=True)
class AgentPage:
    """Some agents: asked for at `observed_at` by our clock, answered at `server_now` by Tactical's.

    `total` is how many Tactical says there are; None where it does not say.
    """

    agents: Sequence[TacticalAgent | BadRecord]
    total: int | None
    observed_at: datetime
    server_now: datetime


@dataclass(frozen=True, slots=True)
class AgentDetail:
    """One agent as `agents/<agent_id>/` has it, with the same two times.

    It names its organization and has no pk of it: that is known by the site's.
    """

    row: AgentRow
    observed_at: datetime
    server_now: datetime

    @property
    def organization_name(self) -> str:
        return clean_text(self.row.client)

    @property
    def site_pk(self) -> int | None:
        return clean_count(self.row.site)

    @property
    def site_name(self) -> str:
        return clean_text(self.row.site_name)

    @property
    def hostname(self) -> str:
        return clean_text(self.row.hostname)

    def read(self, sites: Sites) -> AgentPage:
        """The agent as a page of its own. `sites` holds its site, or it cannot be used."""
        return AgentPage([read_agent_detail(self.row, sites)], 1, self.observed_at, self.server_now)


@dataclass(frozen=True, slots=True)
class BrokenSite:
    """A site whose agents Tactical cannot list; `is_new` where it failed just now."""

    pk: int
    organization: str
    name: str
    is_new: bool = True

    def describe(self) -> str:
        return (
            f"Tactical cannot list the agents of the site {self.name} of {self.organization}, so "
            "the portal left them out. Their assets stay as they are. Usually one of the agents "
            "has not reported its network adapters: restart the Tactical agent on that site's "
            "computers. If the details of an agent still do not open in Tactical, delete it there. "
            "The portal tries the site again after an hour, or after a connection test."
        )


@dataclass(frozen=True, slots=True)
class Inventory:
    """Tactical's clients and their sites, as one endpoint lists them."""

    organizations: Sequence[TacticalOrganization | BadRecord]
    sites: Sequence[TacticalSite]

    @property
    def agent_count(self) -> int | None:
        """Agents of all organizations; None where one does not say."""
        counts = [o.agent_count for o in only_good(self.organizations)]
        return None if None in counts else sum(count or 0 for count in counts)

    def sites_by_pk(self) -> dict[int, TacticalSite]:
        return {site.pk: site for site in self.sites}

    def places(self) -> dict[tuple[str, str], Place]:
        """By names, which are unique: `agents/` has no ids of them."""
        names = {o.pk: o.name for o in only_good(self.organizations)}
        return {
            (names[site.organization_pk], site.name): (site.organization_pk, site.pk, site.name)
            for site in self.sites
            if site.organization_pk in names
        }
