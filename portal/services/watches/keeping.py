"""Watches of software: made, switched off and on, removed, and brought back.

What matches is looked at in the same transaction, so that events tell of it at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.clock import iso_utc
from portal.db import db, transaction
from portal.errors import InvalidInput, NotFound, Refused
from portal.models import Client, SoftwareProduct, SoftwareWatch, Tenant
from portal.models.undo.offer import UndoKind
from portal.product_names import fold_product, fold_publisher
from portal.scope import get_tenant_id
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record
from portal.services.clients import get_client
from portal.services.lists.ticked import check_ticked
from portal.services.undo.offers import CHANGED_SINCE, offer_undo, tell_undone
from portal.services.watches.listing import (
    WatchView,
    describe_watch,
    get_watch,
    select_watches,
    view_watches,
)
from portal.sync.software.watches import look_at_watches
from portal.versions import LONGEST_VERSION, is_known_version
from portal.wording import plural

MOST_WATCHES = 100
_KEPT = ("id", "product_id", "client_id", "older_than", "active", "created_by")
"""Of a watch that is removed, so that it can come back: also its id, which the notice of what
matches it goes by."""


def add_watch(product_id: int, older_than: str, client_id: int | None, by: str) -> WatchView:
    """`older_than`: a version, or blank for any. `by`: the address of a person, or the name of a
    command. Raises NotFound, InvalidInput and Refused."""
    older_than = " ".join(older_than.split())
    if older_than and (len(older_than) > LONGEST_VERSION or not is_known_version(older_than)):
        raise InvalidInput(
            "This is not a version. Enter a version with a number, such as 10.2, or leave it "
            "blank to watch for any version.",
            field="older_than",
        )
    with transaction() as session:
        # One at a time; who only adds rows of the tenant does not wait.
        session.get_one(Tenant, get_tenant_id(), with_for_update={"key_share": True})
        if session.get(SoftwareProduct, product_id) is None:
            raise NotFound("This software does not exist. Choose a product from the list.")
        if client_id is not None:
            get_client(client_id)
        _check_room(session, product_id, older_than, client_id)
        made = SoftwareWatch(
            product_id=product_id, older_than=older_than, client_id=client_id, created_by=by
        )
        session.add(made)
        session.flush()
        watch = get_watch(made.id)
        record(Action.WATCH_ADDED, _target(watch), after=_describe(watch))
        look_at_watches(session, [product_id])
    return view_watches([watch])[0]


def switch_watches(watch_ids: Iterable[int], *, on: bool) -> tuple[int, int | None]:
    """What is switched off matches nothing, and events tell so. Those that are so already stay as
    they are. Returns how many were switched, and the offer to undo it. Raises InvalidInput for
    none, and NotFound."""
    with transaction() as session:
        switched = [watch for watch in _get_watches(watch_ids) if watch.active is not on]
        _switch(session, switched, on=on)
    if not switched:
        return 0, None
    change = {"watch_ids": [watch.id for watch in switched], "on": on}
    return len(switched), offer_undo(UndoKind.WATCH_SWITCHED, change)


def take_back_switching(watch_ids: Sequence[int], on: bool) -> str:
    """`on`: what was done. Raises Refused where none of them is so still."""
    with transaction() as session:
        is_so = SoftwareWatch.id.in_(watch_ids), SoftwareWatch.active == on
        switched = session.scalars(select_watches().where(*is_so)).all()
        if not switched:
            raise Refused(CHANGED_SINCE)
        _switch(session, switched, on=not on)
    if len(watch_ids) == 1:
        return f"Undone: {_name(switched)} is {'off' if on else 'on'} again."
    done, number = f"switched {'on' if on else 'off'}", len(watch_ids)
    return tell_undone(done, len(switched), number, "watch", many="watches")


def remove_watches(watch_ids: Iterable[int]) -> tuple[str, int | None]:
    """Returns what was removed, in words, and the offer to undo it. Events tell that nothing
    matches it any more. Raises InvalidInput for none, and NotFound."""
    with transaction() as session:
        watches = _get_watches(watch_ids)
        named = _name(watches)
        rows = [
            {name: getattr(watch, name) for name in _KEPT}
            | {"created_at": iso_utc(watch.created_at)}
            for watch in watches
        ]
        for watch in watches:
            watch.active = False
        session.flush()
        look_at_watches(session, [watch.product_id for watch in watches])
        for watch in watches:
            record(Action.WATCH_REMOVED, _target(watch), before=_describe(watch))
            session.delete(watch)
    return named, offer_undo(UndoKind.WATCH_REMOVED, {"watches": rows})


def take_back_removing(watches: Sequence[dict[str, Any]]) -> str:
    """What matches them now is told anew. Raises InvalidInput where there is such a one again, and
    Refused: the first reason, where none of them can come back."""
    back, problems = [], []
    for watch in watches:
        try:
            back.append(_bring_back(watch))
        except (InvalidInput, Refused) as error:
            problems.append(error)
    if not back:
        raise problems[0]
    text = f"{_name(back, 'The')} {'is' if len(back) == 1 else 'are'} back."
    return f"{text} {len(problems)} could not come back. {problems[0]}" if problems else text


def _bring_back(watch: dict[str, Any]) -> SoftwareWatch:
    product_id, client_id = watch["product_id"], watch["client_id"]
    with transaction() as session:
        session.get_one(Tenant, get_tenant_id(), with_for_update={"key_share": True})
        if session.get(SoftwareProduct, product_id) is None:
            raise Refused("Nobody has this software any more, so there is nothing to watch.")
        if client_id is not None and session.get(Client, client_id) is None:
            raise Refused("The client was deleted since, so nothing was undone.")
        _check_room(session, product_id, watch["older_than"], client_id)
        created_at = datetime.fromisoformat(watch["created_at"])
        made = SoftwareWatch(**(watch | {"created_at": created_at}))
        session.add(made)
        session.flush()
        back = get_watch(made.id)
        record(Action.WATCH_RESTORED, _target(back), after=_describe(back))
        look_at_watches(session, [product_id])
    return back


def _get_watches(watch_ids: Iterable[int]) -> Sequence[SoftwareWatch]:
    ids = check_ticked(watch_ids, "watch", MOST_WATCHES, "watches")
    found = db.session.scalars(select_watches().where(SoftwareWatch.id.in_(ids))).all()
    return found or [get_watch(ids[0])]


def _switch(session: Session, watches: Sequence[SoftwareWatch], *, on: bool) -> None:
    action = Action.WATCH_SWITCHED_ON if on else Action.WATCH_SWITCHED_OFF
    for watch in watches:
        record(action, _target(watch), {"active": watch.active}, {"active": on})
        watch.active = on
    session.flush()
    look_at_watches(session, [watch.product_id for watch in watches])


def _name(watches: Sequence[SoftwareWatch], the: str = "the") -> str:
    if len(watches) == 1:
        return f"{the} watch for {describe_watch(watches[0])}"
    return plural(len(watches), "watch", "watches")


def find_product(name: str, publisher: str = "") -> SoftwareProduct:
    """By its name in any spelling. Raises InvalidInput where there is none, or several."""
    conditions = [SoftwareProduct.name_key == fold_product(name)]
    if publisher:
        conditions.append(SoftwareProduct.publisher_key == fold_publisher(publisher))
    found = db.session.scalars(select(SoftwareProduct).where(*conditions)).all()
    if not found:
        raise InvalidInput(
            f"There is no product named {name}. Write its name as the list of software does.",
            field="product",
        )
    if len(found) > 1:
        publishers = ", ".join(sorted(each.publisher or "no publisher" for each in found))
        raise InvalidInput(
            f"Several publishers have a product of this name: {publishers}. Say which one.",
            field="publisher",
        )
    return found[0]


def _check_room(session: Session, product_id: int, older_than: str, client_id: int | None) -> None:
    same = select(SoftwareWatch.id).where(
        SoftwareWatch.product_id == product_id,
        SoftwareWatch.older_than == older_than,
        SoftwareWatch.client_id.is_(None)
        if client_id is None
        else SoftwareWatch.client_id == client_id,
    )
    if session.scalar(same.limit(1)) is not None:
        raise InvalidInput("There is such a watch already.", field="older_than")
    if (session.scalar(select(func.count(SoftwareWatch.id))) or 0) >= MOST_WATCHES:
        raise Refused(
            f"There are already {MOST_WATCHES} watches, which is the most allowed. "
            "Remove one that nobody needs."
        )


def _describe(watch: SoftwareWatch) -> dict[str, object]:
    return {
        "product": watch.product.name,
        "older_than": watch.older_than or None,
        "client": watch.client.name if watch.client else None,
    }


def _target(watch: SoftwareWatch) -> Target:
    return Target("watch", watch.id, describe_watch(watch))
