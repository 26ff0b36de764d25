"""What Tactical's lists hold, with the moment that it was true at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from portal.tactical.records import (
    BadRecord,
    Place,
    TacticalAgent,
    TacticalOrganization,
    TacticalSite,
    only_good,
)
from portal.tactical.rows import Places, read_dashboard_agent


@dataclass(frozen=True, slots=True)
class AgentPage:
    """Some agents, as they were at `observed_at` by our clock, `server_now` by Tactical's.

    `total` is how many Tactical says there are.
    """

    agents: Sequence[TacticalAgent | BadRecord]
    total: int
    observed_at: datetime
    server_now: datetime


@dataclass(frozen=True, slots=True)
class DashboardListing:
    """All rows of `agents/`, not looked into yet; the moments as in AgentPage."""

    rows: Sequence[msgspec.Raw]
    observed_at: datetime
    server_now: datetime

    def read_page(self, start: int, size: int, places: Places) -> AgentPage:
        agents = [read_dashboard_agent(raw, places) for raw in self.rows[start : start + size]]
        return AgentPage(agents, len(self.rows), self.observed_at, self.server_now)


@dataclass(frozen=True, slots=True)
class Inventory:
    """Tactical's clients and their sites, as one endpoint lists them."""

    organizations: Sequence[TacticalOrganization | BadRecord]
    sites: Sequence[TacticalSite]

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
