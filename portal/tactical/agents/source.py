"""Which of Tactical's two lists of agents a sync reads."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from portal.tactical.agents.fleet import DashboardFleet
from portal.tactical.agents.walk import BetaWalk, DashboardWalk
from portal.tactical.api import Inventory, Tactical
from portal.tactical.errors import BetaOff, TacticalError
from portal.tactical.records import BadRecord, TacticalOrganization, only_good

AUTO, BETA, DASHBOARD = "auto", "beta", "dashboard"

CHOSEN = "Chosen in the settings."
BETA_OFF = (
    "The beta API is switched off on this server. The dashboard API, which is used instead, has no "
    "memory sizes and no offline and overdue limits."
)
RESTRICTED = (
    "These credentials are limited to some clients. The dashboard API obeys that limit; the beta "
    "API would show every client."
)
UNRESTRICTED = "The beta API is switched on and provides the most data."


class BetaUnlimited(TacticalError):
    """The beta API would show what the role of these credentials hides."""

    fault = "beta_unlimited"
    field = "inventory_source"
    wording = (
        "These credentials are limited to some clients, and the beta API would show every client "
        "all the same. Choose another inventory source, which obeys the limit, or use credentials "
        "whose role sees all clients."
    )


@dataclass(frozen=True, slots=True)
class Source:
    """The list to read, and the clients and sites of the same view of the server.

    `restricted`: the role sees only some clients. None where that is not known, because the
    beta API, which ignores such limits, is off. `reason` says why this list.
    """

    name: str
    beta_on: bool
    restricted: bool | None
    inventory: Inventory
    reason: str

    def walk(
        self, tactical: Tactical, page_size: int, left_out: Collection[int] = ()
    ) -> BetaWalk | DashboardWalk:
        """`left_out`: see DashboardFleet; the beta list needs none of it."""
        if self.name == BETA:
            return BetaWalk(tactical, page_size, self.inventory.sites_by_pk())
        inventory, fleet = self.inventory, DashboardFleet(tactical, left_out)
        return DashboardWalk(fleet, page_size, inventory.places(), inventory.agent_count)

    @property
    def organizations(self) -> Sequence[TacticalOrganization | BadRecord]:
        return self.inventory.organizations


def choose_source(tactical: Tactical, setting: str) -> Source:
    """`auto` takes beta where it is on and the role unrestricted; else the setting is obeyed.

    When beta is asked for, raises BetaOff where it is off and BetaUnlimited where the role is
    restricted. Raises TacticalError and EgressError.
    """
    if setting == DASHBOARD:
        return Source(DASHBOARD, False, None, tactical.get_dashboard_inventory(), CHOSEN)
    try:
        beta = tactical.get_beta_inventory()
    except BetaOff:
        if setting == BETA:
            raise
        return Source(DASHBOARD, False, None, tactical.get_dashboard_inventory(), BETA_OFF)
    # After the other: what is created between the two is then no sign of a limit.
    dashboard = tactical.get_dashboard_inventory()
    restricted = is_restricted(tactical, dashboard, beta)
    if restricted and setting == BETA:
        raise BetaUnlimited
    if restricted:
        return Source(DASHBOARD, True, True, dashboard, RESTRICTED)
    reason = CHOSEN if setting == BETA else UNRESTRICTED
    return Source(BETA, True, False, _with_counts(beta, dashboard), reason)


def is_restricted(tactical: Tactical, dashboard: Inventory, beta: Inventory) -> bool:
    """Whether the role hides something: the beta API shows what `clients/` does not.

    It is asked once more, lest something deleted between the two be taken for hidden.
    """
    hidden = _keys(beta) - _keys(dashboard)
    return bool(hidden and hidden & _keys(tactical.get_beta_inventory()))


def _keys(inventory: Inventory) -> set[tuple[str, int]]:
    organizations = {("organization", o.pk) for o in only_good(inventory.organizations)}
    return organizations | {("site", site.pk) for site in inventory.sites}


def _with_counts(beta: Inventory, dashboard: Inventory) -> Inventory:
    """The beta list of clients does not say how many agents each has; the other one does."""
    counts = {o.pk: o.agent_count for o in only_good(dashboard.organizations)}
    organizations = [
        TacticalOrganization(o.pk, o.name, counts.get(o.pk))
        if isinstance(o, TacticalOrganization)
        else o
        for o in beta.organizations
    ]
    return Inventory(organizations, beta.sites)
