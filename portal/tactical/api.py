"""Tactical's endpoints, each as what it means here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import msgspec

from portal.tactical.errors import BetaOff, NotFoundInTactical, UnexpectedAnswer
from portal.tactical.records import (
    BadRecord,
    Place,
    TacticalAgent,
    TacticalOrganization,
    TacticalSite,
    only_good,
    read_agent_detail,
    read_beta_agent,
    read_dashboard_agent,
    read_organization,
    read_site,
)
from portal.tactical.session import TacticalSession, decode_json

SITES_PAGE = 1000
"""Tactical cuts a larger page to this silently."""


class _Page(msgspec.Struct, gc=False):
    count: int
    results: list[msgspec.Raw]


class _PkRow(msgspec.Struct, gc=False):
    id: int
    agent_id: str


_page = msgspec.json.Decoder(_Page)
_rows = msgspec.json.Decoder(list[msgspec.Raw])
_pk_rows = msgspec.json.Decoder(list[_PkRow])


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
class Inventory:
    """Tactical's clients and their sites, as one endpoint lists them."""

    organizations: Sequence[TacticalOrganization | BadRecord]
    sites: Sequence[TacticalSite]

    def sites_by_pk(self) -> dict[int, TacticalSite]:
        return {site.pk: site for site in self.sites}

    def places(self) -> dict[tuple[str, str], Place]:
        """By names, which are unique: `agents/` has no ids of them."""
        names = {o.pk: o.name for o in only_good(list(self.organizations))}
        return {
            (names[site.organization_pk], site.name): (site.organization_pk, site.pk, site.name)
            for site in self.sites
            if site.organization_pk in names
        }


class Tactical:
    """One server. Every method raises TacticalError and EgressError."""

    def __init__(self, session: TacticalSession) -> None:
        self.session = session

    # --- Clients and sites --------------------------------------------------------------

    def get_dashboard_inventory(self) -> Inventory:
        """`clients/`: with the beta API off too, and only what the key's role may see."""
        found = _list(self.session.get("/clients/"))
        sites = [
            read_site(site)
            for organization in found
            if isinstance(organization, dict)
            for site in organization.get("sites") or ()
        ]
        return Inventory([read_organization(each) for each in found], only_good(sites))

    def get_beta_inventory(self) -> Inventory:
        """`beta/v1/client/` and `beta/v1/site/`: all there are, whatever the key's role.

        Raises BetaOff where the API is switched off.
        """
        organizations = [read_organization(o) for o in _list(self._get_beta("/beta/v1/client/"))]
        return Inventory(organizations, self._list_beta_sites())

    def _list_beta_sites(self) -> list[TacticalSite]:
        sites: dict[int, TacticalSite] = {}
        for number in range(1, 1000):
            query = {"page": number, "page_size": SITES_PAGE}
            page = decode_page(self._get_beta("/beta/v1/site/", query))
            found = [read_site(msgspec.json.decode(raw)) for raw in page.results]
            sites |= {site.pk: site for site in only_good(found)}
            if len(page.results) < SITES_PAGE or len(sites) >= page.count:
                break
        return list(sites.values())

    # --- Agents -------------------------------------------------------------------------

    def get_beta_page(
        self, number: int, page_size: int, sites: Mapping[int, TacticalSite]
    ) -> AgentPage:
        """One page of the beta list, ordered by pk. Raises NotFoundInTactical past the end."""
        observed_at = datetime.now(UTC)
        query = {"page": number, "page_size": page_size}
        page = decode_page(self._get_beta("/beta/v1/agent/", query))
        agents = [read_beta_agent(raw, sites) for raw in page.results]
        return AgentPage(agents, page.count, observed_at, self._server_time(observed_at))

    def get_dashboard_agents(self, places: Mapping[tuple[str, str], Place]) -> AgentPage:
        """`agents/`: every agent that the key's role may see, in no order."""
        observed_at = datetime.now(UTC)
        rows = decode_rows(self.session.get("/agents/"))
        agents = [read_dashboard_agent(raw, places) for raw in rows]
        return AgentPage(agents, len(rows), observed_at, self._server_time(observed_at))

    def list_agent_pks(self) -> dict[str, int]:
        """agent_id to Tactical's integer pk: 134 bytes an agent, the cheapest listing."""
        body = self.session.get("/agents/", {"detail": "false"})
        try:
            return {row.agent_id: row.id for row in _pk_rows.decode(body)}
        except (msgspec.MsgspecError, ValueError) as error:
            raise UnexpectedAnswer("The list of agents has another form than it should.") from error

    def get_agent_from_beta(
        self, agent_id: str, pk: int | None, sites: Mapping[int, TacticalSite]
    ) -> AgentPage:
        """One agent by pk, which the beta API alone knows it by.

        A pk that is unknown, gone or another agent's is looked up afresh. Raises
        NotFoundInTactical when the agent is not there.
        """
        observed_at = datetime.now(UTC)
        if pk is not None:
            agent = self._find_beta_agent(agent_id, pk, sites)
            if agent is not None:
                return AgentPage([agent], 1, observed_at, self._server_time(observed_at))
        pk = self.list_agent_pks().get(agent_id)
        agent = None if pk is None else self._find_beta_agent(agent_id, pk, sites)
        if agent is None:
            raise NotFoundInTactical(f"It lists no agent {agent_id}.")
        return AgentPage([agent], 1, observed_at, self._server_time(observed_at))

    def _find_beta_agent(
        self, agent_id: str, pk: int, sites: Mapping[int, TacticalSite]
    ) -> TacticalAgent | BadRecord | None:
        try:
            body = self._get_beta(f"/beta/v1/agent/{pk}/")
        except NotFoundInTactical:
            return None
        agent = read_beta_agent(body, sites)
        if isinstance(agent, BadRecord):
            return agent
        if agent.agent_id != agent_id:
            return None
        # The detail has no `id`: the pk is what it was asked by.
        return replace(agent, pk=pk)

    def get_agent_from_dashboard(
        self, agent_id: str, sites: Mapping[int, TacticalSite]
    ) -> AgentPage:
        """One agent by `agents/<agent_id>/`, which has no serial number."""
        observed_at = datetime.now(UTC)
        agent = read_agent_detail(self.session.get(f"/agents/{agent_id}/"), sites)
        return AgentPage([agent], 1, observed_at, self._server_time(observed_at))

    # --- The server ---------------------------------------------------------------------

    def keep_alive(self) -> None:
        """The cheapest request with credentials; it extends the life of a token."""
        self.session.get("/core/version/")

    def get_version(self) -> str | None:
        """Tactical's version. `core/version/` has only that of the web pages."""
        found = decode_json(self.session.get("/core/dashinfo/"))
        version = found.get("trmm_version") if isinstance(found, dict) else None
        return version if isinstance(version, str) else None

    def log_out(self) -> None:
        """End the sign-in, where there is one."""
        self.session.log_out()

    def _get_beta(self, path: str, query: Mapping[str, Any] | None = None) -> bytes:
        """Raises BetaOff for the HTML 404 of a server whose beta API is off."""
        try:
            return self.session.get(path, query)
        except NotFoundInTactical as error:
            if error.is_html:
                raise BetaOff from error
            raise

    def _server_time(self, ours: datetime) -> datetime:
        return ours + self.session.clock_skew


def decode_page(body: bytes) -> _Page:
    """Raises UnexpectedAnswer."""
    try:
        return _page.decode(body)
    except (msgspec.MsgspecError, ValueError) as error:
        raise UnexpectedAnswer("A page has another form than it should, or was cut off.") from error


def decode_rows(body: bytes) -> list[msgspec.Raw]:
    """The elements of an array, not looked into. Raises UnexpectedAnswer."""
    try:
        return _rows.decode(body)
    except (msgspec.MsgspecError, ValueError) as error:
        raise UnexpectedAnswer("A list has another form than it should, or was cut off.") from error


def _list(body: bytes) -> list[Any]:
    found = decode_json(body)
    if not isinstance(found, list):
        raise UnexpectedAnswer("It sent no list where there should be one.")
    return found
