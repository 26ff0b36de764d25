"""Tactical's endpoints, each as what it means here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from portal.tactical.alerts import TacticalAlerts
from portal.tactical.errors import NotFoundInTactical, UnexpectedAnswer
from portal.tactical.http.request import WHOLE_FLEET, page_limits
from portal.tactical.http.session import TacticalSession
from portal.tactical.http.wanted import agent_wanted, beta_wanted
from portal.tactical.installation import TacticalInstallation
from portal.tactical.reading.decoding import (
    Page,
    decode_json,
    decode_list,
    decode_page,
    decode_record,
    decode_rows,
    find_row,
)
from portal.tactical.reading.listings import AgentDetail, AgentPage, Inventory
from portal.tactical.reading.row_stream import RowStream
from portal.tactical.reading.rows import Sites, read_beta_agent, read_organization, read_site
from portal.tactical.reading.shapes import AgentRow, agent_decoder, any_decoder, pk_decoder
from portal.tactical.reading.text import clean_count, clean_text
from portal.tactical.record_errors import UnusableRecord
from portal.tactical.records import (
    BadRecord,
    TacticalAgent,
    TacticalSite,
    only_good,
)
from portal.tactical.software import TacticalSoftware

__all__ = ["AgentDetail", "AgentPage", "Inventory", "Tactical", "decode_rows"]

LARGEST_PAGE = 1000
"""Tactical cuts a larger page to this silently."""
MOST_SITE_PAGES = 1000
SHORTEST_AGENT_ID = 21
"""A shorter one does not match the route."""
MOST_NAMESAKES = 10
"""Agents of one host name that are looked through for the one that is meant."""

Value = TypeVar("Value")


class Tactical:
    """One server. Every method raises TacticalError and EgressError."""

    def __init__(self, session: TacticalSession) -> None:
        self.session = session

    @cached_property
    def alerts(self) -> TacticalAlerts:
        return TacticalAlerts(self.session)

    @cached_property
    def installation(self) -> TacticalInstallation:
        return TacticalInstallation(self.session)

    @cached_property
    def software(self) -> TacticalSoftware:
        return TacticalSoftware(self.session)

    # --- Clients and sites --------------------------------------------------------------

    def get_dashboard_inventory(self) -> Inventory:
        """`clients/`: with the beta API off too, and only what the key's role may see."""
        found = self.session.fetch(decode_list, "/clients/")
        nested = [each.get("sites") for each in found if isinstance(each, dict)]
        sites = [read_site(site) for each in nested if isinstance(each, list) for site in each]
        return Inventory([read_organization(each) for each in found], only_good(sites))

    def get_beta_inventory(self) -> Inventory:
        """`beta/v1/client/` and `beta/v1/site/`: all there are, whatever the key's role.

        Raises BetaOff where the API is switched off.
        """
        found = self._fetch_beta(decode_list, "/beta/v1/client/")
        return Inventory([read_organization(each) for each in found], self._list_beta_sites())

    def _list_beta_sites(self) -> list[TacticalSite]:
        sites: dict[int, TacticalSite] = {}
        for number in range(1, MOST_SITE_PAGES):
            try:
                page = self._fetch_page("/beta/v1/site/", number, LARGEST_PAGE)
            except NotFoundInTactical:
                if not sites:
                    raise
                break  # some were deleted: the page that should have been last is gone
            found = [read_site(find_row(any_decoder, raw)) for raw in page.results]
            sites |= {site.pk: site for site in only_good(found)}
            if len(page.results) < LARGEST_PAGE or len(sites) >= page.count:
                break
        return list(sites.values())

    def check_site_permission(self) -> None:
        """Raises MissingPermission when the key may not list sites."""
        self.session.fetch(decode_list, "/clients/sites/")

    # --- Agents -------------------------------------------------------------------------

    def get_beta_page(self, number: int, page_size: int, sites: Sites) -> AgentPage:
        """One page of the beta list, ordered by pk; what it carries in bulk is dropped on the way.

        Raises NotFoundInTactical past the end, and what `took_too_long` when the page did.
        """
        observed_at = datetime.now(UTC)
        agents: list[TacticalAgent | BadRecord] = []

        def read(chunks: Iterator[bytes]) -> int:
            rows = RowStream(agent_decoder, is_page=True)
            agents[:] = [read_beta_agent(row, sites) for row in rows.split(chunks)]
            return rows.count

        path, query = "/beta/v1/agent/", {"page": number, "page_size": page_size}
        with beta_wanted():
            total = self.session.fetch_part(read, path, query, page_limits(page_size))
        return self._observed(agents, total, observed_at)

    def stream_dashboard_agents(
        self, query: Mapping[str, int]
    ) -> Iterator[AgentRow | msgspec.Raw | bytes]:
        """The rows of `agents/` that the key's role may see, in no order; the `query` may name a
        `client` or a `site`. Asked once; what breaks later is raised between two rows.
        """
        with self.session.stream("/agents/", query, WHOLE_FLEET, once=True) as chunks:
            yield from RowStream(agent_decoder, is_page=False).split(chunks)

    def list_agent_pks(self) -> dict[str, int]:
        """agent_id to Tactical's integer pk: 134 bytes an agent, the cheapest listing."""
        return self._read_pks()[0]

    def find_absent(self, agent_ids: Collection[str]) -> set[str]:
        """Which of these Tactical does not list.

        An empty set when the listing is no evidence: it names no agent, or holds a record that
        cannot be read.
        """
        pks, all_readable = self._read_pks()
        return set(agent_ids) - pks.keys() if pks and all_readable else set()

    def _read_pks(self) -> tuple[dict[str, int], bool]:
        """agent_id to pk, and whether every record could be read."""
        rows = self.session.fetch(decode_rows, "/agents/", {"detail": "false"})
        pks: dict[str, int] = {}
        for raw in rows:
            row = find_row(pk_decoder, raw)
            pk = None if row is None else clean_count(row.id)
            if row is not None and pk is not None and clean_text(row.agent_id):
                pks[clean_text(row.agent_id)] = pk
        if rows and not pks:
            raise UnexpectedAnswer("The list of agents does not have the expected format.")
        return pks, len(pks) == len(rows)

    def get_agent(self, agent_id: str) -> AgentDetail:
        """One agent by `agents/<agent_id>/`, if the key's role may see it. Tactical writes at it:
        an agent without a patch policy gets one.

        Raises NotFoundInTactical, UnusableRecord, BrokenAgent, and MissingPermission for one
        outside the key's role.
        """
        observed_at = datetime.now(UTC)
        if len(agent_id) < SHORTEST_AGENT_ID:
            raise NotFoundInTactical(f"No agent has the ID {agent_id}.")
        name = quote(agent_id, safe="", errors="replace")
        try:
            with agent_wanted():
                found = self.session.fetch(decode_record, f"/agents/{name}/")
        except NotFoundInTactical as error:
            if error.is_html:
                raise
            raise NotFoundInTactical(f"No agent has the ID {agent_id}.") from error
        row = find_row(agent_decoder, found) or AgentRow()
        if clean_text(row.agent_id) not in ("", agent_id):
            raise UnusableRecord("It belongs to another agent.")
        return AgentDetail(row, observed_at, self.session.answered_at)

    def find_beta_agent(self, agent_id: str, hostname: str, sites: Sites) -> AgentPage | None:
        """One agent of the beta list, with pk and serial number, which `get_agent` lacks.

        By its host name: the list does not filter by agent_id. None when it is not among the
        first few of that name. Raises BetaOff.
        """
        observed_at = datetime.now(UTC)
        query = {"hostname": hostname, "page_size": MOST_NAMESAKES}
        page = self._fetch_beta(decode_page, "/beta/v1/agent/", query)
        agents = [read_beta_agent(raw, sites) for raw in page.results]
        own = [agent for agent in only_good(agents) if agent.agent_id == agent_id]
        return self._observed(own, 1, observed_at) if own else None

    # --- The server ---------------------------------------------------------------------

    def keep_alive(self) -> None:
        """The cheapest request with credentials; it extends the life of a token."""
        self.session.fetch(decode_json, "/core/version/")

    def get_version(self) -> str | None:
        """Tactical's version. `core/version/` has only that of the web pages."""
        found = self.session.fetch(decode_json, "/core/dashinfo/")
        version = found.get("trmm_version") if isinstance(found, dict) else None
        return clean_text(version) or None

    def log_out(self) -> None:
        """End the sign-in, where there is one."""
        self.session.log_out()

    # --- Parts --------------------------------------------------------------------------

    def _fetch_page(self, path: str, number: int, page_size: int) -> Page:
        return self._fetch_beta(decode_page, path, {"page": number, "page_size": page_size})

    def _fetch_beta(
        self,
        decode: Callable[[bytes], Value],
        path: str,
        query: Mapping[str, Any] | None = None,
    ) -> Value:
        with beta_wanted():
            return self.session.fetch(decode, path, query)

    def _observed(
        self, agents: Sequence[TacticalAgent | BadRecord], total: int, observed_at: datetime
    ) -> AgentPage:
        return AgentPage(agents, total, observed_at, self.session.answered_at)
