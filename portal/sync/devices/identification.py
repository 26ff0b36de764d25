"""Asking the ladder of identity about the strangers of a walk, with all that is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from msgspec import UNSET
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from portal.chunks import chunked
from portal.models import Asset, AssetConflict, Integration, SupersededAgent
from portal.models.assets.conflict import Settlement
from portal.sync.devices.absence import Absence
from portal.sync.devices.identity.computers import (
    Identity,
    KnownComputer,
    Newcomer,
    Superseded,
    Verdict,
)
from portal.sync.devices.identity.ladder import plan_identities
from portal.sync.devices.identity.likeness import MOST_SHOWN
from portal.sync.devices.identity.serials import real_serial
from portal.sync.devices.load import load_organizations
from portal.sync.devices.plan import KnownOrganization, find_status
from portal.sync.devices.sightings import load_sightings
from portal.sync.devices.strangers import Listed, Stranger, Walk
from portal.tactical.reading.systems import split_system
from portal.tactical.status import AgentStatus

IDS_AT_ONCE = 1000
NOT_COMPLETE = (
    "It has the serial number of a known asset, but the list of agents was not complete. The next "
    "complete one decides."
)
_COLUMNS = (
    "id", "integration_id", "rmm_device_id", "name", "client_id", "rmm_organization_id",
    "serial_number", "os_type", "make_model", "last_seen_at", "client_locked", "offline_minutes",
    "missing_since", "retired_at", "name_locked", "description_locked", "asset_type_locked",
    "created_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Identified:
    """A verdict on a stranger; `asset` is the one in question, the first of several."""

    verdict: Verdict
    stranger: Stranger | None
    """None of an agent whose asset this walk made."""
    asset: KnownComputer | None = None

    @property
    def is_relink(self) -> bool:
        return self.verdict.action is Identity.RELINK


def identify(session: Session, walk: Walk, absence: Absence, is_evidence: bool) -> list[Identified]:
    """One for each stranger that is one still; none where no walk was.

    `absence` holds the assets that are surely not listed any more; `is_evidence` that the walk
    listed all that there is. Reads only.
    """
    if walk.now is None or not (walk.strangers or walk.twins):
        return []
    assets = _load_assets(session, walk)
    own = {row.rmm_device_id: row for row in assets if row.integration_id == walk.integration_id}
    newcomers = _list_newcomers(session, walk, own)
    superseded = _load_superseded(session, walk)
    known = [_make_known(row, walk, absence, is_evidence) for row in assets]
    kept_apart = _load_kept_apart(session, walk.integration_id)
    verdicts = plan_identities(newcomers, known, superseded, kept_apart, walk.now)
    verdicts = [_ask_once(verdict, own) for verdict in verdicts]
    by_id = {asset.asset_id: asset for asset in known}
    return [
        Identified(
            verdict,
            walk.strangers.get(verdict.newcomer.agent_id),
            by_id.get(verdict.assets[0]) if verdict.assets else None,
        )
        for verdict in verdicts
    ]


def _ask_once(verdict: Verdict, own: Mapping[str, Any]) -> Verdict:
    """Of several agents that came at once, each but the first is asked about; of so many that the
    serial number tells nothing, none."""
    if not verdict.asks_person or verdict.assets:
        return verdict
    agents = (verdict.newcomer.agent_id, *verdict.evidence["agents"])
    assets = sorted(own[agent].id for agent in agents if agent in own)
    first = assets[0] if assets else None
    if first is None or first == verdict.newcomer.asset_id or len(agents) > MOST_SHOWN:
        return replace(verdict, action=Identity.CREATE, kind=None)
    return replace(verdict, assets=(first,))


def wait_for_all(session: Session, walk: Walk) -> list[Identified]:
    """After a walk that was not complete: nothing is decided about strangers but that superseded
    agents remain what they are."""
    if not walk.strangers:
        return []
    own = {row.rmm_device_id: row for row in _load_assets(session, walk)}
    found = []
    for newcomer in _list_newcomers(session, walk, own):
        stranger = walk.strangers.get(newcomer.agent_id)
        if stranger is None or newcomer.asset_id is not None:
            continue
        action = Identity.SKIPPED if stranger.is_superseded else Identity.WAITING
        found.append(Identified(Verdict(newcomer, action, NOT_COMPLETE), stranger))
    return found


def _list_newcomers(session: Session, walk: Walk, own: Mapping[str, Any]) -> list[Newcomer]:
    organizations = load_organizations(session, walk.integration_id)
    sightings = load_sightings(session, walk.integration_id)
    newcomers = []
    for agent_id, stranger in walk.strangers.items():
        organization = organizations.get(str(stranger.agent.organization_pk))
        asset = own.get(agent_id)
        if (asset and asset.id) != stranger.asset_id or organization is None:
            continue  # somebody was quicker
        if organization.client_id is None or not organization.auto_sync:
            continue
        first = sightings.get(agent_id, stranger.server_now)
        newcomers.append(_make_newcomer(stranger, organization, first, asset))
    return newcomers + [
        _make_twin(own[agent_id], walk.listed[agent_id], walk.now)
        for agent_id in sorted(walk.twins)
        if agent_id in own and agent_id not in walk.strangers
    ]


def _make_newcomer(
    stranger: Stranger, organization: KnownOrganization, first: datetime, asset: Any
) -> Newcomer:
    agent = stranger.agent
    system = agent.operating_system
    if asset is not None:  # it was listed when its asset was made, by our clock
        skew = min(stranger.server_now - stranger.observed_at, timedelta())
        first = min(first, asset.created_at + skew)
    return Newcomer(
        agent_id=agent.agent_id,
        name=agent.hostname,
        client_id=organization.client_id or 0,
        organization_id=organization.external_id,
        serial_number=_told(agent.serial_number),
        os_type=None if system is UNSET else split_system(agent.plat, system)[0],
        make_model=_told(agent.make_model),
        last_seen=agent.last_seen,
        status=find_status(agent, stranger.server_now),
        first_listed_at=first,
        asset_id=stranger.asset_id,
        edited=asset is not None and _is_edited(asset),
    )


def _make_twin(asset: Any, listed: Listed, now: datetime | None) -> Newcomer:
    """An agent that this walk made an asset for."""
    assert now is not None
    return Newcomer(
        **_describe(asset, listed),
        status=listed.status,
        first_listed_at=now,
        asset_id=asset.id,
    )


def _make_known(row: Any, walk: Walk, absence: Absence, is_evidence: bool) -> KnownComputer:
    is_set_aside = row.integration_id != walk.integration_id
    listed = None if is_set_aside else walk.listed.get(row.rmm_device_id)
    status = None if listed is None else listed.status
    is_gone = row.rmm_device_id in absence.assets or (is_evidence and row.missing_since)
    if listed is None and not is_set_aside and not is_gone:
        status = AgentStatus.ONLINE  # as far as is known: nothing says that it went
    return KnownComputer(
        **_describe(row, listed),
        asset_id=row.id,
        client_locked=row.client_locked,
        status=status,
        offline_minutes=row.offline_minutes,
        missing_since=row.missing_since,
        retired_at=row.retired_at,
        set_aside=is_set_aside,
    )


def _describe(row: Any, listed: Listed | None) -> dict[str, Any]:
    seen = [at for at in (row.last_seen_at, listed and listed.last_seen) if at is not None]
    serial = row.serial_number if listed is None or listed.serial_number is None else None
    return {
        "agent_id": row.rmm_device_id,
        "name": row.name,
        "client_id": row.client_id,
        "organization_id": row.rmm_organization_id,
        "serial_number": serial or (listed and listed.serial_number),
        "os_type": row.os_type,
        "make_model": row.make_model,
        "last_seen": max(seen, default=None),
    }


def _load_assets(session: Session, walk: Walk) -> Sequence[Any]:
    """Those that share a serial number with a stranger, and those of the strangers themselves."""
    serials: set[str] = set()
    agent_ids = {*walk.strangers, *walk.twins}
    for stranger in walk.strangers.values():
        if serial := real_serial(_told(stranger.agent.serial_number)):
            serials.add(serial)
    columns = [getattr(Asset, name) for name in _COLUMNS]
    of_provider = or_(
        Asset.integration_id == walk.integration_id, Integration.set_aside_at.is_not(None)
    )
    chosen = select(*columns).join(Integration, Integration.id == Asset.integration_id)
    found: dict[int, Any] = {}
    for column, values in ((Asset.serial_key, serials), (Asset.rmm_device_id, agent_ids)):
        for some in chunked(sorted(values), IDS_AT_ONCE):
            rows = session.execute(chosen.where(of_provider, column.in_(some)))
            found |= {row.id: row for row in rows}
    return [found[id] for id in sorted(found)]


def _load_superseded(session: Session, walk: Walk) -> dict[str, Superseded]:
    agent_ids = [id for id, stranger in walk.strangers.items() if stranger.is_superseded]
    if not agent_ids:
        return {}
    rows = session.scalars(
        select(SupersededAgent).where(
            SupersededAgent.integration_id == walk.integration_id,
            SupersededAgent.agent_id.in_(agent_ids),
        )
    )
    return {
        row.agent_id: Superseded(row.asset_id, row.superseded_at, row.revived_at is not None)
        for row in rows
    }


def _load_kept_apart(session: Session, integration_id: int) -> set[tuple[str, int]]:
    rows = session.execute(
        select(AssetConflict.agent_id, AssetConflict.other_asset_id).where(
            AssetConflict.integration_id == integration_id,
            AssetConflict.settled_as == Settlement.SEPARATE,
        )
    )
    return {(row[0], row[1]) for row in rows if row[1] is not None}


def _is_edited(row: Any) -> bool:
    locks = (row.name_locked, row.description_locked, row.asset_type_locked, row.client_locked)
    return any(locks)


def _told(text: Any) -> str | None:
    return None if text is UNSET else text
