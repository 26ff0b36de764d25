"""Whose computers the agents may be that a walk made assets for at once: no serial number says."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from portal.models import Asset
from portal.sync.devices.absence import Absence
from portal.sync.devices.arrivals.identification import Identified
from portal.sync.devices.arrivals.known_computers import describe, make_known
from portal.sync.devices.arrivals.strangers import Walk
from portal.sync.devices.identity.computers import Identity, KnownComputer, Newcomer, Verdict
from portal.sync.devices.identity.likeness import contradicts, evidence_of, is_other_hardware
from portal.sync.devices.identity.suggestions import Suggestions
from portal.tactical.status import AgentStatus

MOST_NEW = 500
"""More new agents than these at once are a fleet that is imported, and no re-installations."""
MOST_PAIRS = 1000
MOST_GONE = 500


def suggest(session: Session, walk: Walk, absence: Absence, is_evidence: bool) -> list[Identified]:
    """Questions about agents that came with this complete walk, by what their assets have in common
    with one of the same client whose agent is gone or silent. One statement, if there are any."""
    created = walk.created - walk.twins
    if not 0 < len(created) <= MOST_NEW:
        return []
    newcomers: dict[int, Newcomer] = {}
    assets: dict[int, KnownComputer] = {}
    pairs = set()
    for own, other in _load_pairs(session, walk.integration_id, created, absence):
        newcomer, asset = _make_newcomer(walk, own), make_known(other, walk, absence, is_evidence)
        if _may_be(newcomer, asset):
            newcomers[own.id], assets[other.id] = newcomer, asset
            pairs.add((own.id, other.id))
    suggestions = Suggestions(newcomers.values(), assets.values())
    found = []
    for own_id, newcomer in sorted(newcomers.items()):
        apart = {asset_id for asset_id in assets if (own_id, asset_id) not in pairs}
        suggestion = suggestions.find(newcomer, apart)
        if suggestion is not None:
            shown = suggestion.assets
            evidence = evidence_of(newcomer, shown)
            kind, ids = suggestion.kind, tuple(asset.asset_id for asset in shown)
            verdict = Verdict(newcomer, Identity.SUGGESTION, suggestion.reason, kind, ids, evidence)
            found.append(Identified(verdict, None, shown[0]))
    return found


def _load_pairs(
    session: Session, integration_id: int, created: set[str], absence: Absence
) -> Iterator[tuple[Asset, Asset]]:
    """New assets, each with one that has its name; or its model at the same site, where the agent
    of that is gone."""
    own, other = aliased(Asset), aliased(Asset)
    gone = list(islice(absence.assets, MOST_GONE))
    is_gone = other.missing_since.is_not(None) | other.rmm_device_id.in_(gone)
    rows = session.execute(
        select(own, other)
        .join(other, _is_of_one_place(own, other))
        .where(
            own.integration_id == integration_id,
            own.rmm_device_id.in_(created),
            other.rmm_device_id.not_in(created),
            or_(
                func.lower(other.name) == func.lower(own.name),
                and_(other.make_model == own.make_model, other.site_id == own.site_id, is_gone),
            ),
        )
        .order_by(own.id, other.id)
        .limit(MOST_PAIRS)
    )
    for row in rows:
        yield row[0], row[1]


def _is_of_one_place(own: type[Asset], other: type[Asset]) -> ColumnElement[bool]:
    return and_(other.integration_id == own.integration_id, other.client_id == own.client_id)


def _make_newcomer(walk: Walk, asset: Asset) -> Newcomer:
    assert walk.now is not None
    listed = walk.listed[asset.rmm_device_id]
    return Newcomer(
        **describe(asset, listed),
        status=listed.status,
        first_listed_at=walk.now,
        asset_id=asset.id,
    )


def _may_be(newcomer: Newcomer, asset: KnownComputer) -> bool:
    """Two that run are two computers, and so are two with other serial numbers or hardware."""
    is_running = asset.status == AgentStatus.ONLINE
    is_other = contradicts(asset.serial, newcomer.serial) or is_other_hardware(newcomer, asset)
    return not is_running and not is_other
