"""Assigning alerts: who looks after the present occurrence of each."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, contains_eager

from portal.db import db, transaction
from portal.errors import InvalidInput
from portal.models import Membership, User
from portal.models.alerts.timeline import TimelineKind
from portal.models.events.event import EventType
from portal.models.undo.offer import UndoKind
from portal.scope import Clients, allowed_clients, beyond_clients, get_tenant_id
from portal.services.accounts.limits import read_limit
from portal.services.accounts.permissions import Permission, Role, role_allows
from portal.services.accounts.places import find_place
from portal.services.alerts.choosing import Which, list_chosen
from portal.services.alerts.occurrences import Occurrence, hold_current
from portal.services.alerts.taking import Deed, Taken, check_unchanged, offered, part, write_down
from portal.services.audit.actions import Action
from portal.services.audit.actor import current_actor
from portal.services.audit.values import Values
from portal.services.undo.offers import tell_undone

OVER = "The alert is over."
NOBODY = -1
_MAY_TAKE = [role for role in Role if role_allows(role, Permission.ACT_ON_ALERTS)]


def list_assignees() -> list[Membership]:
    """Who can look after alerts, by address; whoever is limited to some clients sees themselves
    alone."""
    query = _query_people()
    if allowed_clients() is not None:
        query = query.where(Membership.user_id == current_actor().user_id)
    with beyond_clients():
        return list(db.session.scalars(query.order_by(User.email)))


def find_member_id(email: str) -> int:
    """The place here of whoever has this address; NOBODY where nobody has, so that a list shows
    nothing rather than everything."""
    with beyond_clients():
        place = find_place(db.session(), email, get_tenant_id())
    return place.id if place else NOBODY


def assign(which: Which, membership_id: int | None) -> Taken:
    """The present occurrences of these alerts; None: to nobody.

    Those that are over, are so already, or are of a client that the person does not see, are left
    as they are. Raises InvalidInput, and NotFound if there are none of them.
    """
    ids = list_chosen(which)
    with transaction() as session:
        person = find_assignee(membership_id)
        taken = assign_held(session, hold_current(session, ids), person)
    return offered(taken, UndoKind.ASSIGNED)


def assign_held(session: Session, held: Sequence[Occurrence], person: Membership | None) -> Taken:
    """Those that are held, in the caller's transaction."""
    with beyond_clients():
        limit = read_limit(person) if person else None
    membership_id, email = (person.id, person.user.email) if person else (None, None)
    done, failures = part(held, lambda each: _find_obstacle(each, membership_id, email, limit))
    was = [[each.handling.id, each.handling.assigned_to] for each in done]
    before = _read_assigned(session, done)
    for each in done:
        each.handling.assigned_to = membership_id
    write_down(session, done, _describe(email, before))
    verb = "assigned" if email else "not assigned any more"
    return Taken(verb, done, failures, {"to": membership_id, "was": was})


def take_back_assigning(
    alert_ids: Sequence[int], to: int | None, was: Sequence[tuple[int, int | None]]
) -> str:
    """Undo `assign`, of those that are still that person's, and are not over. Of whoever cannot be
    given alerts any more, they become nobody's."""
    before = dict(was)
    with transaction() as session:
        emails = {each.id: each.user.email for each in list_assignees()}
        held = hold_current(session, alert_ids)
        done = [
            each
            for each in held
            if each.handling.id in before and each.handling.assigned_to == to and not each.is_over
        ]
        check_unchanged(done)
        groups: dict[int | None, list[Occurrence]] = {}
        for each in done:
            owner = before[each.handling.id]
            groups.setdefault(owner if owner in emails else None, []).append(each)
        for owner, some in groups.items():
            assigned = _read_assigned(session, some)
            for each in some:
                each.handling.assigned_to = owner
            email = None if owner is None else emails[owner]
            write_down(session, some, _describe(email, assigned))
    return tell_undone("assigned", len(done), len(alert_ids), "alert")


def _read_assigned(session: Session, held: Sequence[Occurrence]) -> list[Values]:
    """The address of whoever looks after each."""
    ids = {each.handling.assigned_to for each in held} - {None}
    people = select(Membership.id, User.email).join(Membership.user).where(Membership.id.in_(ids))
    with beyond_clients():
        emails = {row[0]: row[1] for row in session.execute(people)} if ids else {}
    return [{"assigned_to": emails.get(each.handling.assigned_to or 0)} for each in held]


def _describe(email: str | None, before: Sequence[Values]) -> Deed:
    who = current_actor().name
    text = f"Assigned to {email} by {who}." if email else f"{who} assigned it to nobody."
    text = f"{who} took it." if email == who else text
    values = {"assigned_to": email, "assigned_by": who}
    kind, action = TimelineKind.ASSIGNED, Action.ALERTS_ASSIGNED
    return Deed(kind, text, action, values, EventType.ALERT_ASSIGNED, before=before)


def find_assignee(membership_id: int | None) -> Membership | None:
    """None for nobody. Raises InvalidInput for whoever cannot be given alerts."""
    if membership_id is None:
        return None
    found = [each for each in list_assignees() if each.id == membership_id]
    if not found:
        raise InvalidInput(
            "This person cannot be given alerts. Choose somebody of the list.", field="assigned_to"
        )
    return found[0]


def _query_people() -> Select[Membership]:
    return (
        select(Membership)
        .join(Membership.user)
        .options(contains_eager(Membership.user))
        .where(Membership.disabled_at.is_(None), Membership.role.in_(_MAY_TAKE))
    )


def _find_obstacle(
    occurrence: Occurrence, membership_id: int | None, email: str | None, limit: Clients
) -> str | None:
    alert = occurrence.alert
    if occurrence.is_over:
        return OVER
    if occurrence.handling.assigned_to == membership_id:
        return f"The alert is assigned to {email or 'nobody'} already."
    if limit is not None and (alert.asset is None or alert.asset.client_id not in limit):
        return f"{email} does not see the alerts of this client."
    return None
