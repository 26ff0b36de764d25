"""Taking a merge back: two assets again, each with what was its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from portal.clock import iso_utc
from portal.db import insert
from portal.errors import Refused
from portal.events.outbox import Happening, record_events
from portal.models import (
    Alert,
    Asset,
    AssetChange,
    AssetConflict,
    AssetTag,
    Client,
    ExternalEntityMapping,
    RemovedAsset,
    SupersededAgent,
)
from portal.models.assets.asset import LOCKS
from portal.models.assets.change import ChangeAction
from portal.models.events.event import EventType
from portal.sync.alerts.locks import lock_alerts
from portal.sync.devices.merging.merge import UNTOLD, tell_retirement
from portal.sync.devices.merging.naming import restore_named
from portal.sync.devices.merging.parts import agent_is, move_tickets
from portal.sync.devices.merging.rules import OF_THE_AGENT
from portal.sync.devices.merging.snapshots import (
    forget_lost_users,
    row_from_json,
    row_to_json,
    value_from_json,
)
from portal.sync.history import ColumnChange, record_changes, to_json
from portal.sync.runs.cause import Cause
from portal.sync.software.merge import (
    installs_from_json,
    load_installs_of,
    part,
    replace_installs_of,
)
from portal.sync.software.store import recount_software_of

_WITH_THE_AGENT = frozenset({*OF_THE_AGENT, "software_read_at"})
"""What syncs write of the agent: what came since the merge belongs to whose agent it is, but for
what a person edited."""


@dataclass(frozen=True, slots=True)
class Unmerged:
    asset_id: int
    """Of the asset that is there again."""
    stayed: list[str]
    """Columns of the asset that was kept that something else changed since: they stay so."""


def unmerge(session: Session, removed: RemovedAsset, cause: Cause) -> Unmerged:
    """Make the asset anew under its old id, with all that it had and what has come of its agent
    since, in the caller's transaction. The row `removed` goes.

    Raises Refused where it cannot be: the asset that it went into is no more, went into another
    one, or has yet another agent; or one of the two agents has another asset by now.
    """
    keep = _lock_kept(session, removed)
    snapshot = removed.snapshot
    before, after = snapshot["kept"]["before"], snapshot["kept"]["after"]
    had_agent = _agent_of(after) == _agent_of(snapshot["asset"])
    """Whether the merged asset got the agent of the one that went into it."""
    _check_agents(session, keep, snapshot, had_agent)
    _check_clients(session, keep, snapshot)
    for integration_id in sorted({before["integration_id"], snapshot["asset"]["integration_id"]}):
        lock_alerts(session, integration_id)
    was = row_to_json(keep)
    own, stayed = _write_kept(session, keep, before, after, had_agent)
    _make_anew(session, snapshot, own)
    _give_back(session, keep.id, snapshot)
    _restore_entities(session, keep.id, snapshot, had_agent)
    agents = _agent_of(before), _agent_of(snapshot["asset"])
    _restore_superseded(session, keep.id, snapshot, *agents)
    _restore_conflicts(session, snapshot["conflicts"])
    _restore_tags(session, keep.id, snapshot)
    _restore_software(session, keep, snapshot, had_agent, was["software_read_at"])
    session.delete(removed)
    session.flush()
    _tell(session, keep, was, snapshot["asset"], cause)
    _tell_of_absence(session, removed, keep, own, cause)
    return Unmerged(removed.asset_id, stayed)


def _agent_of(row: dict[str, Any]) -> tuple[int, str]:
    return row["integration_id"], row["rmm_device_id"]


def goes_with_agent(name: str, asset: Mapping[str, Any]) -> bool:
    """Whether what changed of this column since the merge is the agent's, and not what a person
    edited. Of an asset as it stands: `{column: value}`."""
    lock = LOCKS.get(name)
    return name in _WITH_THE_AGENT and not (lock and asset[lock])


def _lock_kept(session: Session, removed: RemovedAsset) -> Asset:
    name = removed.snapshot["asset"]["name"]
    kept = removed.snapshot.get("kept")
    if removed.into_asset_id is None or kept is None:
        raise Refused(f"{name} was not merged into another asset.")
    keep = session.scalar(
        select(Asset)
        .where(Asset.id == removed.into_asset_id)
        .with_for_update(of=Asset)
        .execution_options(populate_existing=True)
    )
    if keep is None:
        raise Refused(f"The asset that {name} went into does not exist any more.")
    if keep.integration_id != kept["after"]["integration_id"]:
        raise Refused(
            f"The Tactical server was replaced by another one since {name} was merged into "
            f"{keep.name}."
        )
    if keep.id != kept["before"]["id"]:
        raise Refused(
            f"The asset that {name} went into was itself merged into {keep.name}. Take that merge "
            "back first."
        )
    return keep


def _check_agents(session: Session, keep: Asset, snapshot: dict[str, Any], had_agent: bool) -> None:
    name = snapshot["asset"]["name"]
    if had_agent and _agent_of(snapshot["asset"]) != (keep.integration_id, keep.rmm_device_id):
        raise Refused(
            f"{keep.name} was given to another agent since {name} was merged into it. Take that "
            "back first."
        )
    for integration_id, agent_id in map(_agent_of, (snapshot["asset"], snapshot["kept"]["before"])):
        holder = session.scalar(
            select(Asset).where(
                Asset.integration_id == integration_id,
                Asset.rmm_device_id == agent_id,
                Asset.id != keep.id,
            )
        )
        if holder is not None and (had_agent or agent_id == snapshot["asset"]["rmm_device_id"]):
            raise Refused(
                f"The agent {agent_id} has an asset of its own by now: {holder.name}. Merge that "
                f"one into {keep.name} first, or keep both."
            )


def _check_clients(session: Session, keep: Asset, snapshot: dict[str, Any]) -> None:
    before, after = snapshot["kept"]["before"], snapshot["kept"]["after"]
    needed = {snapshot["asset"]["client_id"]: snapshot["asset"]["name"]}
    if keep.client_id == after["client_id"]:  # else it stays where it is by now
        needed |= {before["client_id"]: keep.name}
    there = set(session.scalars(select(Client.id).where(Client.id.in_(needed))))
    for client_id, name in needed.items():
        if client_id not in there:
            raise Refused(f"The client that {name} had does not exist any more.")


def _write_kept(
    session: Session, keep: Asset, before: dict[str, Any], after: dict[str, Any], had_agent: bool
) -> tuple[dict[str, Any], list[str]]:
    """What the asset that is made anew has from its agent by now, and which columns stay."""
    own: dict[str, Any] = {}
    stayed = []
    held = row_to_json(keep)
    for name, then in after.items():
        changed_since = held[name] != then
        if changed_since and had_agent and goes_with_agent(name, held):
            own[name] = getattr(keep, name)
        elif changed_since:
            stayed += [name] if before[name] != then else []
            continue
        setattr(keep, name, value_from_json(Asset, name, before[name]))
    session.flush()
    return own, stayed


def _make_anew(session: Session, snapshot: dict[str, Any], own: dict[str, Any]) -> None:
    values = row_from_json(Asset, snapshot["asset"]) | own
    session.execute(insert(Asset), [values])


def _give_back(session: Session, keep_id: int, snapshot: dict[str, Any]) -> None:
    """Alerts, history, addresses, tickets, and what names it; alerts that came since by their
    agent."""
    asset = snapshot["asset"]
    is_own = (Alert.integration_id == asset["integration_id"]) & (
        Alert.agent_id == asset["rmm_device_id"]
    )
    for owner, mine in (
        (Alert.asset_id, or_(Alert.id.in_(snapshot["alerts"]), is_own)),
        (AssetChange.asset_id, AssetChange.id.in_(snapshot["changes"])),
        (RemovedAsset.into_asset_id, RemovedAsset.id.in_(snapshot["removed"])),
    ):
        session.execute(
            update(owner.class_)
            .where(owner == keep_id, mine)
            .values({owner: asset["id"]})
            .execution_options(synchronize_session=False)
        )
    move_tickets(session, keep_id, asset["id"], only=snapshot.get("tickets", ()))
    restore_named(session, asset["id"], keep_id, snapshot.get("named", {}))


def _restore_entities(
    session: Session, keep_id: int, snapshot: dict[str, Any], had_agent: bool
) -> None:
    """The mapping that was kept may be newer than the snapshot: it goes with its agent."""
    kept, own = snapshot["kept"]["entity"], snapshot["entity"]
    if had_agent:
        session.execute(
            update(ExternalEntityMapping)
            .where(ExternalEntityMapping.asset_id == keep_id)
            .values(asset_id=snapshot["asset"]["id"])
            .execution_options(synchronize_session=False)
        )
    if lost := kept if had_agent else own:
        _insert(session, ExternalEntityMapping, lost)


def _restore_superseded(
    session: Session, keep_id: int, snapshot: dict[str, Any], *agents: tuple[int, str]
) -> None:
    """Those of `agents` are their assets' own again. One that has gone elsewhere since stays."""
    ids = [row["id"] for row in snapshot["superseded"]]
    its = SupersededAgent.id.in_(ids) & (SupersededAgent.asset_id == keep_id)
    session.execute(
        delete(SupersededAgent)
        .where(or_(its, *(agent_is(*agent) for agent in agents)))
        .execution_options(synchronize_session=False)
    )
    for row in snapshot["superseded"]:
        agent = agent_is(row["integration_id"], row["agent_id"])
        is_led = session.scalar(select(SupersededAgent.id).where(agent)) is not None
        if not is_led and session.get(Asset, row["asset_id"]) is not None:
            _insert(session, SupersededAgent, row)


def _insert(session: Session, table: Any, row: dict[str, Any]) -> None:
    """Under an id of its own: nothing knows it by the old one."""
    values = row_from_json(table, row)
    session.add(table(**{name: value for name, value in values.items() if name != "id"}))
    session.flush()


def _restore_tags(session: Session, keep_id: int, snapshot: dict[str, Any]) -> None:
    """Each its own. What a person has put on the kept asset since stays there."""
    tags, asset_id = snapshot.get("tags", {"own": [], "came": []}), snapshot["asset"]["id"]
    session.execute(
        delete(AssetTag)
        .where(AssetTag.asset_id == keep_id, AssetTag.tag.in_(tags["came"]))
        .execution_options(synchronize_session=False)
    )
    since = tags.get("since", {})
    for tag in tags["own"]:
        at = value_from_json(AssetTag, "added_at", since.get(tag))
        session.add(AssetTag(asset_id=asset_id, tag=tag, added_at=at))
    session.flush()


def _restore_conflicts(session: Session, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        conflict = session.get(AssetConflict, row["id"], populate_existing=True)
        named = {row["asset_id"], row["other_asset_id"]} - {None}
        if conflict is None or any(session.get(Asset, each) is None for each in named):
            continue
        values = row_from_json(AssetConflict, row)
        forget_lost_users(session, AssetConflict, [values])
        for name, value in values.items():
            setattr(conflict, name, value)
    session.flush()


def _restore_software(
    session: Session, keep: Asset, snapshot: dict[str, Any], had_agent: bool, read_at: Any
) -> None:
    """Each its own list. One that was read since is that of the agent."""
    asset_id = snapshot["asset"]["id"]
    kept, own = map(installs_from_json, (snapshot["kept"]["software"], snapshot["software"]))
    if read_at != snapshot["kept"]["after"]["software_read_at"]:
        present = load_installs_of(session, keep.id)
        if had_agent:
            own = part(present, own, kept)
        else:
            kept = part(present, kept, own)
    replace_installs_of(session, keep.id, kept)
    replace_installs_of(session, asset_id, own)
    recount_software_of(session, [keep.id, asset_id])


def _tell(
    session: Session, keep: Asset, was: dict[str, Any], asset: dict[str, Any], cause: Cause
) -> None:
    other = {"asset_id": asset["id"], "name": asset["name"]}
    rows = [ColumnChange(keep.id, ChangeAction.REVERTED, before=other)]
    changed = {name: value for name, value in row_to_json(keep).items() if value != was[name]}
    rows += [
        ColumnChange(keep.id, ChangeAction.REVERTED, name, was[name], value)
        for name, value in changed.items()
        if name not in UNTOLD
    ]
    record_changes(session, cause, rows)
    about = {name: asset[name] for name in ("rmm_device_id", "name", "client_id", "agent_status")}
    as_of = iso_utc(value_from_json(Asset, "status_at", asset["status_at"]))
    about |= {"asset_id": asset["id"], "changed": [], "as_of": as_of}
    news: list[Happening] = [(EventType.DEVICE_CREATED, asset["name"], about)]
    record_events(session, news + tell_retirement(keep, was))


def _tell_of_absence(
    session: Session, removed: RemovedAsset, keep: Asset, own: Mapping[str, Any], cause: Cause
) -> None:
    """In the history of the asset that is there again: since when it was not, and what its agent
    has brought meanwhile. The lists of past days are made of that."""
    asset = removed.snapshot["asset"]
    into = {"asset_id": keep.id, "name": keep.name}
    since = {"absent_since": to_json(removed.removed_at)}
    rows = [ColumnChange(asset["id"], ChangeAction.REVERTED, before=into, after=since)]
    rows += [
        ColumnChange(asset["id"], ChangeAction.REVERTED, name, asset[name], value)
        for name, value in own.items()
        if name not in UNTOLD
    ]
    record_changes(session, cause, rows)
