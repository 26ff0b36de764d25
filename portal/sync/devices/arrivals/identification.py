"""Asking the ladder of identity about the strangers of a walk, with all that is stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from msgspec import UNSET
from sqlalchemy.orm import Session

from portal.sync.devices.absence import Absence
from portal.sync.devices.arrivals.dealings import Dealings, load_dealings
from portal.sync.devices.arrivals.known_computers import (
    describe,
    load_assets,
    load_kept_apart,
    load_superseded,
    make_known,
    told,
)
from portal.sync.devices.arrivals.strangers import Stranger, Walk
from portal.sync.devices.identity.computers import Identity, KnownComputer, Newcomer, Verdict
from portal.sync.devices.identity.ladder import plan_identities
from portal.sync.devices.identity.likeness import MOST_SHOWN
from portal.sync.devices.load import load_organizations
from portal.sync.devices.plan import KnownOrganization, find_status
from portal.tactical.reading.systems import split_system

NOT_COMPLETE = (
    "It has the serial number of a known asset, but the list of agents was not complete. The next "
    "complete one decides."
)
UNDONE = "A run that merged its asset into the older one was undone."


@dataclass(frozen=True, slots=True)
class Identified:
    """A verdict on a stranger; `asset` is the one in question, the first of several."""

    verdict: Verdict
    stranger: Stranger | None
    """None of an agent whose asset this walk made, or an earlier look left open."""
    asset: KnownComputer | None = None

    @property
    def is_relink(self) -> bool:
        return self.verdict.action is Identity.RELINK

    @property
    def is_merge(self) -> bool:
        return self.verdict.action is Identity.MERGE

    @property
    def takes_asset(self) -> bool:
        """Its agent gets the asset in question."""
        return self.is_relink or self.is_merge


def identify(session: Session, walk: Walk, absence: Absence, is_evidence: bool) -> list[Identified]:
    """One for each stranger that is one still; none where no walk was.

    `absence` holds the assets that are surely not listed any more; `is_evidence` that the walk
    listed all that there is. Reads only.
    """
    if walk.now is None or not (walk.strangers or walk.twins or walk.late):
        return []
    assets = load_assets(session, walk)
    own = {row.rmm_device_id: row for row in assets if row.integration_id == walk.integration_id}
    owners = walk.late | {id for id, each in walk.strangers.items() if each.asset_id}
    dealings = load_dealings(session, [own[id].id for id in owners if id in own])
    newcomers = _list_newcomers(session, walk, own, dealings)
    superseded = load_superseded(session, walk)
    known = [make_known(row, walk, absence, is_evidence) for row in assets]
    kept_apart = load_kept_apart(session, walk.integration_id)
    verdicts = plan_identities(newcomers, known, superseded, kept_apart, walk.now)
    by_id = {asset.asset_id: asset for asset in known}
    verdicts = [_hold_back(_ask_once(verdict, own), dealings) for verdict in verdicts]
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


def _hold_back(verdict: Verdict, dealings: Dealings) -> Verdict:
    """A merge that was undone is not made again, nor asked about, until a person applies it."""
    if verdict.newcomer.asset_id not in dealings.undone:
        return verdict
    return replace(verdict, action=Identity.SKIPPED, reason=UNDONE, kind=None)


def list_open(identified: Iterable[Identified]) -> set[str]:
    """agent_ids of those with assets about which later looks decide: they wait, their merge was
    undone, or it is to be done and may not have been."""
    undecided = (Identity.WAITING, Identity.SKIPPED, Identity.MERGE)
    return {
        each.verdict.newcomer.agent_id
        for each in identified
        if each.verdict.newcomer.asset_id is not None and each.verdict.action in undecided
    }


def wait_for_all(session: Session, walk: Walk) -> list[Identified]:
    """After a walk that was not complete: nothing is decided about strangers but that superseded
    agents remain what they are."""
    if not walk.strangers:
        return []
    own = {row.rmm_device_id: row for row in load_assets(session, walk)}
    found = []
    for newcomer in _list_newcomers(session, walk, own, Dealings()):
        stranger = walk.strangers.get(newcomer.agent_id)
        if stranger is None:
            continue
        action = Identity.SKIPPED if stranger.is_superseded else Identity.WAITING
        found.append(Identified(Verdict(newcomer, action, NOT_COMPLETE), stranger))
    return found


def _list_newcomers(
    session: Session, walk: Walk, own: Mapping[str, Any], dealings: Dealings
) -> list[Newcomer]:
    organizations = load_organizations(session, walk.integration_id)
    synced = {each.external_id for each in organizations.values() if each.syncs}
    newcomers = []
    for agent_id, stranger in walk.strangers.items():
        organization = organizations.get(str(stranger.agent.organization_pk))
        asset = own.get(agent_id)
        if (asset and asset.id) != stranger.asset_id or organization is None:
            continue  # somebody was quicker
        if organization.syncs:
            is_edited = stranger.asset_id in dealings.edited
            newcomers.append(_make_newcomer(walk, stranger, organization, asset, is_edited))
    newcomers += [
        _make_owner(walk, own[agent_id], walk.now)
        for agent_id in sorted(walk.twins - walk.strangers.keys() - walk.late)
        if agent_id in own
    ]
    return newcomers + [
        _make_owner(
            walk,
            own[agent_id],
            _first_listed_at(walk, agent_id, walk.now, own[agent_id]),
            own[agent_id].id in dealings.edited,
        )
        for agent_id in sorted(walk.late)
        if agent_id in own and own[agent_id].rmm_organization_id in synced
    ]


def _make_newcomer(
    walk: Walk, stranger: Stranger, organization: KnownOrganization, asset: Any, is_edited: bool
) -> Newcomer:
    agent = stranger.agent
    system = agent.operating_system
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
        first_listed_at=_first_listed_at(walk, agent.agent_id, stranger.server_now, asset),
        asset_id=stranger.asset_id,
        edited=is_edited,
    )


def _make_owner(
    walk: Walk, asset: Any, first: datetime | None, is_edited: bool = False
) -> Newcomer:
    """An agent whose asset this walk made, or that an earlier look left open."""
    assert first is not None
    listed = walk.listed[asset.rmm_device_id]
    return Newcomer(
        **describe(asset, listed),
        status=listed.status,
        first_listed_at=first,
        asset_id=asset.id,
        edited=is_edited,
    )


def _first_listed_at(walk: Walk, agent_id: str, now: datetime | None, asset: Any) -> datetime:
    """By Tactical's clock. That of an asset was listed when that was made, by our clock."""
    assert now is not None
    sighting = walk.sightings.get(agent_id)
    first = now if sighting is None else min(now, sighting.first_listed_at)
    return first if asset is None else min(first, asset.created_at + walk.skew)
