"""Views of lists: saved, renamed, deleted and brought back."""

from __future__ import annotations

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.db import transaction
from portal.errors import InvalidInput, NotFound, Refused
from portal.models import Membership, SavedView
from portal.models.undo.offer import UndoKind
from portal.scope import beyond_clients
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record
from portal.services.saved_views.listing import KEPT_DELETED, get_view, opens
from portal.services.saved_views.looks import find_start, keep_start
from portal.services.text import clean_line
from portal.services.undo.offers import offer_undo

LONGEST_NAME = 60
LONGEST_QUERY = 2000
MOST_OWN = 50
MOST_SHARED = 100
TOO_LONG = "These filters are too long to be saved. Remove some."


def save_view(
    place: Membership, list_name: str, name: str, query: str, *, is_shared: bool
) -> SavedView:
    """Raises NotFound for a list that the place does not open, InvalidInput for a name that is
    blank, too long or taken, and Refused when there are as many as there may be."""
    if not opens(place, list_name):
        raise NotFound("There is no such list.")
    if len(query) > LONGEST_QUERY:
        raise InvalidInput(TOO_LONG, field="name")
    owner = None if is_shared else place.id
    with beyond_clients(), transaction() as session:
        _prune(session)
        _check_room(session, owner)
        name = _free_name(session, owner, list_name, name)
        view = SavedView(membership_id=owner, list_name=list_name, name=name, query=query)
        session.add(view)
        session.flush()
        record(Action.VIEW_SAVED, _target(view), after=_describe(view))
    return view


def change_view(place: Membership, view_id: int, query: str) -> SavedView:
    """It shows this from now on."""
    if len(query) > LONGEST_QUERY:
        raise InvalidInput(TOO_LONG)
    with beyond_clients(), transaction():
        view = get_view(place, view_id)
        before, view.query = view.query, query
        record(Action.VIEW_CHANGED, _target(view), {"query": before}, {"query": query})
    return view


def rename_view(place: Membership, view_id: int, name: str) -> SavedView:
    """Raises NotFound and InvalidInput."""
    with beyond_clients(), transaction() as session:
        view = get_view(place, view_id)
        before, owner = view.name, view.membership_id
        view.name = _free_name(session, owner, view.list_name, name, but=view.id)
        if view.name != before:
            record(Action.VIEW_RENAMED, _target(view), {"name": before}, {"name": view.name})
    return view


def delete_view(place: Membership, view_id: int) -> tuple[SavedView, int | None]:
    """It can be brought back for a day; with the number of the offer to undo it at once. Raises
    NotFound."""
    with beyond_clients(), transaction():
        view = get_view(place, view_id)
        view.deleted_at = utc_now()
        record(Action.VIEW_DELETED, _target(view), before=_describe(view))
    is_shared = view.membership_id is None
    kind = UndoKind.SHARED_VIEW_DELETED if is_shared else UndoKind.VIEW_DELETED
    return view, offer_undo(kind, {"view_id": view.id})


def restore_view(place: Membership, view_id: int) -> SavedView:
    """Raises NotFound, and InvalidInput where another one has its name meanwhile."""
    with beyond_clients(), transaction() as session:
        view = get_view(place, view_id, deleted=True)
        _check_room(session, view.membership_id)
        _free_name(session, view.membership_id, view.list_name, view.name, but=view.id)
        view.deleted_at = None
        record(Action.VIEW_RESTORED, _target(view), after=_describe(view))
    return view


def start_with(place: Membership, view_id: int, begins: bool) -> SavedView:
    """Whether the menu leads to this view of its list, for this person. Raises NotFound."""
    with beyond_clients(), transaction() as session:
        view = get_view(place, view_id)
        if begins or find_start(place, view.list_name) == view.id:
            keep_start(session, place, view.list_name, view.id if begins else None)
    return view


def _prune(session: Session) -> None:
    """What nobody can bring back any more goes when another one comes."""
    old = SavedView.deleted_at < utc_now() - KEPT_DELETED
    session.execute(delete(SavedView).where(old).execution_options(synchronize_session=False))


def _check_room(session: Session, owner: int | None) -> None:
    most = MOST_SHARED if owner is None else MOST_OWN
    there = select(func.count(SavedView.id)).where(
        SavedView.membership_id == owner if owner else SavedView.membership_id.is_(None),
        SavedView.deleted_at.is_(None),
    )
    if (session.scalar(there) or 0) >= most:
        whose = "The tenant has" if owner is None else "You have"
        raise Refused(f"{whose} {most} views already. Delete one that nobody needs.")


def _free_name(
    session: Session, owner: int | None, list_name: str, name: str, but: int | None = None
) -> str:
    name = clean_line(name, "name", "a name for the view")
    if len(name) > LONGEST_NAME:
        raise InvalidInput(f"Use at most {LONGEST_NAME} characters for the name.", field="name")
    same = select(SavedView.id).where(
        SavedView.list_name == list_name,
        func.lower(SavedView.name) == name.lower(),
        SavedView.membership_id == owner if owner else SavedView.membership_id.is_(None),
        SavedView.deleted_at.is_(None),
    )
    if session.scalar(same if but is None else same.where(SavedView.id != but)) is not None:
        raise InvalidInput(f"A view named {name} exists already. Choose another name.", "name")
    return name


def _describe(view: SavedView) -> dict[str, object]:
    shared = view.membership_id is None
    return {"name": view.name, "list": view.list_name, "query": view.query, "shared": shared}


def _target(view: SavedView) -> Target:
    return Target("view", view.id, view.name)
