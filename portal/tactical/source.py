"""Which of Tactical's two lists of agents a sync reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from portal.tactical.api import Inventory, Tactical
from portal.tactical.errors import BetaOff
from portal.tactical.records import BadRecord, TacticalOrganization, only_good
from portal.tactical.walk import BetaWalk, DashboardWalk

BETA, DASHBOARD = "beta", "dashboard"


@dataclass(frozen=True, slots=True)
class Source:
    """The list to read, and the clients and sites of the same view of the server.

    `restricted`: the key's role sees only some clients. None where that cannot be told,
    because the beta API, which ignores such limits, is off.
    """

    name: str
    beta_on: bool
    restricted: bool | None
    inventory: Inventory

    def walk(self, tactical: Tactical, page_size: int) -> BetaWalk | DashboardWalk:
        if self.name == BETA:
            return BetaWalk(tactical, page_size, self.inventory.sites_by_pk())
        return DashboardWalk(tactical, page_size, self.inventory.places())

    @property
    def organizations(self) -> Sequence[TacticalOrganization | BadRecord]:
        return self.inventory.organizations


def choose_source(tactical: Tactical, setting: str) -> Source:
    """`auto` takes beta where it is on and the key unrestricted; else the setting is obeyed.

    Raises BetaOff when beta is asked for and off, TacticalError and EgressError.
    """
    dashboard = tactical.get_dashboard_inventory()
    if setting == DASHBOARD:
        return Source(DASHBOARD, False, None, dashboard)
    try:
        beta = tactical.get_beta_inventory()
    except BetaOff:
        if setting == BETA:
            raise
        return Source(DASHBOARD, False, None, dashboard)
    restricted = is_restricted(dashboard, beta)
    if restricted and setting != BETA:
        return Source(DASHBOARD, True, True, dashboard)
    return Source(BETA, True, restricted, _with_counts(beta, dashboard))


def is_restricted(dashboard: Inventory, beta: Inventory) -> bool:
    """Whether the role hides something: the beta API shows what `clients/` does not."""
    shown = {site.pk for site in dashboard.sites}
    organizations = {o.pk for o in only_good(list(dashboard.organizations))}
    return any(site.pk not in shown for site in beta.sites) or any(
        o.pk not in organizations for o in only_good(list(beta.organizations))
    )


def _with_counts(beta: Inventory, dashboard: Inventory) -> Inventory:
    """The beta list of clients does not tell how many agents each has; the other one does."""
    counts = {o.pk: o.agent_count for o in only_good(list(dashboard.organizations))}
    organizations = [
        TacticalOrganization(o.pk, o.name, counts.get(o.pk))
        if isinstance(o, TacticalOrganization)
        else o
        for o in beta.organizations
    ]
    return Inventory(organizations, beta.sites)
