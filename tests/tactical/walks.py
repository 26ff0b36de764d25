"""Walks over a simulated server, and what it was asked meanwhile."""

from __future__ import annotations

import threading

from portal.tactical.agents.fleet import DashboardFleet
from portal.tactical.agents.walk import BetaWalk, DashboardWalk
from portal.tactical.api import AgentPage, Tactical
from tactical_simulator import SimulatedTactical

PAGES = "/beta/v1/agent/"


def beta(api: Tactical, page_size: int = 10) -> BetaWalk:
    return BetaWalk(api, page_size, api.get_beta_inventory().sites_by_pk())


def dashboard(api: Tactical, page_size: int = 10) -> DashboardWalk:
    return DashboardWalk(DashboardFleet(api), page_size, api.get_dashboard_inventory().places())


def has_thread_left() -> bool:
    return any(thread.name.startswith("next-page") for thread in threading.enumerate())


def pages_asked(server: SimulatedTactical) -> list[str]:
    return [entry.query for entry in server.control.log.entries(PAGES)]


def remove_after(server: SimulatedTactical, walk: BetaWalk, page: int, *places: int) -> list[str]:
    """The agents at these places go, one each time that the page came."""
    agent_ids = [server.control.agents.ids()[place] for place in places]
    left = list(agent_ids)
    get = walk._get_page

    def get_then_remove(number: int, page_size: int) -> AgentPage:
        found = get(number, page_size)
        if number == page and left:
            server.control.agents.remove(left.pop(0))
        return found

    walk._get_page = get_then_remove
    return agent_ids
