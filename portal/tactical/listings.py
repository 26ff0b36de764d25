"""What Tactical's lists hold, with the moment that it was true at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

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
    """Some agents, as they were at `observed_at` by our clock, `server_now` by Tactical's.

    `total` is how many Tactical says there are; None where it does not say.
    """

    agents: Sequence[TacticalAgent | BadRecord]
    total: int | None
    observed_at: datetime
    server_now: datetime


@dataclass(frozen=True, slots=True)
class Inventory:
    """Tactical's clients and their sites, as one endpoint lists them."""

    organizations: Sequence[TacticalOrganization | BadRecord]
    sites: Sequence[TacticalSite]

    @property
    def agent_count(self) -> int | None:
        """Agents of all organizations; None where one does not tell."""
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
