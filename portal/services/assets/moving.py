"""Giving many assets to another client by hand, where syncs leave them from then on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.chunks import chunked
from portal.db import db, transaction
from portal.errors import Refused
from portal.models import Asset, Client
from portal.models.assets.change import ChangeAction
from portal.models.undo.offer import UndoKind
from portal.services.assets.choosing import Chosen
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record
from portal.services.audit.values import gathered
from portal.services.clients import get_client, list_client_names
from portal.services.undo.offers import CHANGED_SINCE, offer_undo, tell_undone
from portal.sync.history import ColumnChange, record_changes
from portal.sync.runs.cause import Cause
from portal.wording import plural

AT_ONCE = 500
CLIENT = "client_id"


@dataclass(frozen=True, slots=True)
class Moved:
    """`undo`: the number of the offer to take it back."""

    client: str
    number: int
    undo: int | None


@dataclass(frozen=True, slots=True)
class Move:
    """One asset: whose it was, whether by hand, and whose it becomes."""

    asset_id: int
    before: int
    was_locked: bool
    after: int
    locked: bool = True


def move_assets(chosen: Chosen, client_id: int, user_id: int | None = None) -> Moved:
    """Those that are not the client's already. Raises InvalidInput for no choice, and NotFound for
    a client that is not there for whoever asks."""
    conditions = chosen.to_conditions()
    with transaction() as session:
        client = get_client(client_id)
        columns = select(Asset.id, Asset.client_id, Asset.client_locked)
        its = columns.where(*conditions, Asset.client_id != client.id).order_by(Asset.id)
        rows = session.execute(its.with_for_update(of=Asset))
        moves = [Move(*row, after=client.id) for row in rows]
        _write(session, moves, user_id)
    was = [[each.asset_id, each.before, each.was_locked] for each in moves]
    change = {"client_id": client.id, "was": was}
    undo = offer_undo(UndoKind.MOVED, change) if moves else None
    return Moved(client.name, len(moves), undo)


def take_back_moving(
    client_id: int, was: Sequence[tuple[int, int, bool]], user_id: int | None
) -> str:
    """Undo `move_assets`, of those that are still where it put them. Raises Refused for none."""
    with transaction() as session:
        clients = set(session.scalars(select(Client.id).where(Client.id.in_({w[1] for w in was}))))
        name = session.scalar(select(Client.name).where(Client.id == client_id)) or "another client"
        before = {row[0]: row for row in was if row[1] in clients}
        moves: list[Move] = []
        for some in chunked(sorted(before), AT_ONCE):
            still = select(Asset.id).where(
                Asset.id.in_(some), Asset.client_id == client_id, Asset.client_locked.is_(True)
            )
            for asset_id in session.scalars(still.order_by(Asset.id).with_for_update(of=Asset)):
                _, owner, locked = before[asset_id]
                moves.append(Move(asset_id, client_id, True, owner, locked))
        if not moves:
            raise Refused(CHANGED_SINCE)
        _write(session, moves, user_id)
    return tell_undone("gave", len(moves), len(was), after=f" to {name}")


def _write(session: Session, moves: Sequence[Move], user_id: int | None) -> None:
    if not moves:
        return
    targets = {(move.after, move.locked) for move in moves}
    for after, locked in targets:
        ids = [each.asset_id for each in moves if (each.after, each.locked) == (after, locked)]
        for some in chunked(ids, AT_ONCE):
            its = update(Asset).where(Asset.id.in_(some))
            values = {"client_id": after, "client_locked": locked}
            session.execute(its.values(values).execution_options(synchronize_session=False))
    edits = [
        ColumnChange(each.asset_id, ChangeAction.EDITED, CLIENT, each.before, each.after)
        for each in moves
    ]
    released = [
        ColumnChange(each.asset_id, ChangeAction.RELEASED, "client")
        for each in moves
        if each.was_locked and not each.locked
    ]
    record_changes(session, Cause.of_person(user_id), [*edits, *released])
    _record(moves)


def _record(moves: Sequence[Move]) -> None:
    if len(moves) > 1:
        about = Target("asset", "", plural(len(moves), "asset"))
        ids = {each.before for each in moves} | {each.after for each in moves}
        names = list_client_names(ids)
        before = gathered((each.asset_id, {"client": names.get(each.before)}) for each in moves)
        after = gathered((each.asset_id, {"client": names.get(each.after)}) for each in moves)
        record(Action.ASSET_EDITED, about, before, {**after, "assets": len(moves)})
        return
    [move] = moves
    name = db.session.scalar(select(Asset.name).where(Asset.id == move.asset_id)) or ""
    before, after = {CLIENT: move.before}, {CLIENT: move.after}
    record(Action.ASSET_EDITED, Target("asset", move.asset_id, name), before, after)
