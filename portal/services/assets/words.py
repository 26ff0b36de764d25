"""Words that several assets share, to filter them by; and those that belong to single ones."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Select, literal, null, select, union_all
from sqlalchemy.orm import InstrumentedAttribute

from portal.db import db
from portal.models import Asset, AssetTag, SupersededAgent


@dataclass(frozen=True, slots=True)
class FilterWords:
    """Each in order. `sites`: names of those where a client has assets."""

    os_types: list[str]
    tags: list[str]
    sites: list[str]


@dataclass(frozen=True, slots=True)
class OwnWords:
    """Of one asset. `superseded`: the agents that it had before, the first one first."""

    superseded: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)


def list_filter_words(client_id: int | None = None) -> FilterWords:
    """In one statement; sites only of a client."""
    selects = [_distinct("os", Asset.os_type), _distinct("tag", AssetTag.tag)]
    if client_id:
        selects.append(_distinct("site", Asset.site_name, Asset.client_id == client_id))
    found: dict[str, list[str]] = {"os": [], "tag": [], "site": []}
    for kind, word in db.session.execute(union_all(*selects)):
        if word:
            found[kind].append(word)
    return FilterWords(*(sorted(found[kind]) for kind in ("os", "tag", "site")))


def find_own_words(asset_ids: Collection[int]) -> dict[int, OwnWords]:
    """Of each of the assets, in one statement."""
    agent, found = SupersededAgent, {asset_id: OwnWords() for asset_id in asset_ids}
    agents = select(
        agent.asset_id, agent.agent_id.label("word"), agent.superseded_at.label("at"), agent.id
    )
    tags = select(AssetTag.asset_id, AssetTag.tag, null(), literal(0))
    rows: Sequence[Any] = db.session.execute(
        union_all(
            agents.where(agent.asset_id.in_(asset_ids)),
            tags.where(AssetTag.asset_id.in_(asset_ids)),
        )
    ).all()
    for asset_id, word, _at, _id in sorted((r for r in rows if r.at), key=itemgetter(2, 3)):
        found[asset_id].superseded.append(word)
    for asset_id, word, _at, _id in sorted((r for r in rows if not r.at), key=itemgetter(1)):
        found[asset_id].tags.append(word)
    return found


def _distinct(
    kind: str, column: InstrumentedAttribute[Any], *conditions: ColumnElement[bool]
) -> Select[Any]:
    return select(literal(kind), column).where(*conditions).distinct()
