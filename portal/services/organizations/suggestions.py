"""Which client each unmapped organization may be. What says the same, the database finds by what is
kept beside the names; what is only alike is looked for when somebody wants to see it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, case, select

from portal.db import db
from portal.models import Client, OrganizationMapping
from portal.services.clients import list_client_names
from portal.services.integrations.current import integration_id
from portal.services.lists.folding import fold
from portal.services.suggesting import Pair, Reason, SameNames, Suggestion, suggest_similar

SOON = 300
"""Of so many unmapped organizations all that are alike are found while somebody waits."""
LONGEST_LOOK = 10.0
"""Seconds that a page may take for it: names can be such that it would be minutes."""


class Suggested(NamedTuple):
    """`is_sure`: it can be accepted without a look at it."""

    organization_id: int
    external_id: str
    organization: str
    client_id: int
    client: str
    score: int
    reason: Reason
    is_sure: bool


@dataclass(frozen=True, slots=True)
class Sure:
    """How many suggestions are sure, how many agents mapping them would import, and of how many
    organizations that is not known."""

    organizations: int
    agents: int
    unknown: int


@dataclass(frozen=True, slots=True)
class SameNamed:
    """The unmapped organizations that say the same as a client: by id, with how many agents mapping
    each would import, None where Tactical does not say. `names`: theirs, and those of mapped ones,
    for they take their client."""

    names: SameNames[int, int]
    agents: dict[int, int | None]

    def find_sure(self) -> dict[int, int]:
        """The client that each surely is, both by id."""
        sure = {each: self.names.find_sure(each) for each in self.agents}
        return {each: client for each, client in sure.items() if client is not None}

    def sum_sure(self) -> Sure:
        sure = [self.agents[each] for each in self.find_sure()]
        known = [number for number in sure if number is not None]
        return Sure(len(sure), sum(known), len(sure) - len(known))


NOBODY = SameNamed(SameNames([]), {})


def list_suggestions() -> list[Suggested]:
    """Of the connected server's unmapped organizations, by name."""
    found = suggest_for_all(find_same()).values()
    return sorted(found, key=lambda each: (fold(each.organization), each.organization_id))


def find_same() -> SameNamed:
    rows = _list_same()
    names = SameNames(Pair(*row[:4]) for row in rows)
    unmapped = {key: agents for key, *_, client_id, agents in rows if client_id is None}
    return SameNamed(names, unmapped)


def suggest_for_all(same: SameNamed, seconds: float = inf) -> dict[int, Suggested]:
    """Of all that are unmapped: what is only alike takes seconds to find of ten thousand, and no
    more than these."""
    return suggest_for(_list_unmapped(), same, seconds)


def suggest_for(rows: Iterable[Any], same: SameNamed, seconds: float = inf) -> dict[int, Suggested]:
    """Of these organizations, as far as they are unmapped; each by its id."""
    rows = [row for row in rows if row.client_id is None and not (row.ignored or row.gone_since)]
    found, names = _suggest(rows, same.names, seconds)
    return {
        row.id: Suggested(
            organization_id=row.id,
            external_id=row.external_organization_id,
            organization=row.external_organization_name,
            client_id=its.key,
            client=names[its.key],
            score=its.score,
            reason=its.reason,
            is_sure=its.is_sure,
        )
        for row in rows
        if (its := found.get(row.id)) is not None
    }


def _suggest(
    rows: Sequence[Any], same: SameNames[int, int], seconds: float
) -> tuple[dict[int, Suggestion[int]], dict[int, str]]:
    """And the names of clients, by id."""
    rest = {row.id: row.company_words for row in rows if row.id not in same.pairs}
    if rest or len(rows) > SOON:
        clients = _list_clients()
        names = {client_id: name for client_id, name, _words in clients}
        among = {client_id: words for client_id, _name, words in clients}
        found = suggest_similar(rest, among, seconds)
    else:
        names = list_client_names(each.other for row in rows for each in same.pairs[row.id])
        found = {}
    for row in rows:
        its = same.suggest(row.id, row.external_organization_name, names)
        found |= {row.id: its} if its is not None else {}
    return found, names


def _list_same() -> list[Any]:
    """In two statements: together, no index would help."""
    table = OrganizationMapping
    plain = table.company_plain == Client.company_plain
    full = table.company_full == Client.company_full
    columns = (table.id, table.company_forms, Client.id, Client.company_forms, table.client_id)
    agents = case((table.auto_sync_assets, table.agent_count), else_=0).label("agents")
    found: list[Any] = []
    for says_same in (plain, full & ~plain):
        pairs = select(*columns, agents).join(Client, says_same)
        found += db.session.execute(pairs.where(*_is_open(), table.company_plain != ""))
    return found


def _list_clients() -> Sequence[Any]:
    query = select(Client.id, Client.name, Client.company_words).order_by(Client.id)
    return db.session.execute(query).all()


def _list_unmapped() -> Sequence[Any]:
    table = OrganizationMapping
    columns = (
        table.id,
        table.external_organization_id,
        table.external_organization_name,
        table.company_words,
        table.client_id,
        table.ignored,
        table.gone_since,
    )
    query = select(*columns).where(*_is_open(), table.client_id.is_(None))
    return db.session.execute(query).all()


def _is_open() -> tuple[ColumnElement[bool], ...]:
    table = OrganizationMapping
    is_live = table.gone_since.is_(None), table.ignored.is_(False)
    return table.integration_id == integration_id(), *is_live
