"""Asking the ladder of identity about the strangers of a walk, with all that is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from msgspec import UNSET
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.models.assets.asset import LOCKS
from portal.sync.devices.absence import Absence
from portal.sync.devices.arrivals.known_computers import (
    describe,
    load_assets,
    load_kept_apart,
    load_superseded,
    make_known,
    told,
)
from portal.sync.devices.arrivals.strangers import Listed, Stranger, Walk
from portal.sync.devices.identity.computers import (
    Identity,
    Kind,
    KnownComputer,
    Newcomer,
    Verdict,
)
from portal.sync.devices.identity.ladder import plan_identities
from portal.sync.devices.identity.likeness import MOST_SHOWN
from portal.sync.devices.load import load_organizations
from portal.sync.devices.plan import KnownOrganization, find_status
from portal.sync.devices.sightings import load_sightings
from portal.tactical.reading.systems import split_system

NOT_COMPLETE = (
    "It has the serial number of a known asset, but the list of agents was not complete. The next "
    "complete one decides."
)
MAY_BE_ONLINE = (
    "Its serial number {serial} has come in now. It is that of the older asset {asset}, whose "
    "agent may still be online."
)


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
    assets = load_assets(session, walk)
    own = {row.rmm_device_id: row for row in assets if row.integration_id == walk.integration_id}
    newcomers = _list_newcomers(session, walk, own)
    superseded = load_superseded(session, walk)
    known = [make_known(row, walk, absence, is_evidence) for row in assets]
    kept_apart = load_kept_apart(session, walk.integration_id)
    verdicts = plan_identities(newcomers, known, superseded, kept_apart, walk.now)
    by_id = {asset.asset_id: asset for asset in known}
    verdicts = [_ask_about_late(_ask_once(verdict, own), by_id) for verdict in verdicts]
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


def _ask_about_late(verdict: Verdict, assets: Mapping[int, KnownComputer]) -> Verdict:
    """An agent that has an asset of its own does not wait, nor is that taken from it: a person is
    asked whether the older asset, which has its serial number, is its computer's."""
    is_match = verdict.action in (Identity.MERGE, Identity.WAITING)
    if verdict.newcomer.asset_id is None or not is_match:
        return verdict
    reason = verdict.reason
    if verdict.action is Identity.WAITING:
        name = assets[verdict.assets[0]].name
        reason = MAY_BE_ONLINE.format(serial=verdict.newcomer.serial, asset=name)
    return replace(verdict, action=Identity.SUGGESTION, kind=Kind.SAME_SERIAL, reason=reason)


def wait_for_all(session: Session, walk: Walk) -> list[Identified]:
    """After a walk that was not complete: nothing is decided about strangers but that superseded
    agents remain what they are, and that a person is asked about those that have assets."""
    if not walk.strangers:
        return []
    own = {row.rmm_device_id: row for row in load_assets(session, walk)}
    nothing = Absence({}, utc_now())
    late = identify(session, walk, nothing, is_evidence=False)
    found = [each for each in late if each.stranger and each.verdict.newcomer.asset_id is not None]
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
        serial_number=told(agent.serial_number),
        os_type=None if system is UNSET else split_system(agent.plat, system)[0],
        make_model=told(agent.make_model),
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
        **describe(asset, listed),
        status=listed.status,
        first_listed_at=now,
        asset_id=asset.id,
    )


def _is_edited(row: Any) -> bool:
    return any(getattr(row, lock) for lock in LOCKS.values())
