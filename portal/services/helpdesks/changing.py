"""Helpdesks are added, changed, switched off and on."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.db import db, transaction
from portal.errors import NotFound, Refused
from portal.far_side.form import Rejected
from portal.helpdesks import KINDS
from portal.helpdesks.kind import HelpdeskKind
from portal.models import Helpdesk, Tenant
from portal.scope import get_tenant_id
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record
from portal.services.audit.values import Values
from portal.services.far_sides import (
    TARGET,
    BadFields,
    Entered,
    Sorted,
    keep_secrets,
    read_secrets,
    sort_entered,
)
from portal.services.helpdesks.listing import get_helpdesk
from portal.services.tickets.dropping import SWITCHED_OFF, drop_waiting

MOST_HELPDESKS = 20


def get_kind(name: str) -> HelpdeskKind:
    """Raises NotFound."""
    if name not in KINDS:
        raise NotFound("There is no such kind of helpdesk.")
    return KINDS[name]


def add_helpdesk(kind_name: str, entered: Entered) -> Helpdesk:
    """Nothing is opened in it before a probe was good. Raises BadFields, Refused, and NotFound for
    a kind that there is not."""
    kind = get_kind(kind_name)
    with transaction() as session:
        # One at a time; who only adds rows of the tenant does not wait.
        session.get_one(Tenant, get_tenant_id(), with_for_update={"key_share": True})
        if (session.scalar(select(func.count(Helpdesk.id))) or 0) >= MOST_HELPDESKS:
            raise Refused(
                f"There are already {MOST_HELPDESKS} helpdesks, which is the most allowed. Delete "
                "one first."
            )
        helpdesk = Helpdesk(kind=kind.name, name="", settings={})
        _apply(session, helpdesk, kind, entered)
        record(Action.HELPDESK_ADDED, get_target(helpdesk), after=describe(helpdesk, entered))
    return helpdesk


def change_helpdesk(helpdesk_id: int, entered: Entered) -> Helpdesk:
    """What waits is tried at once with what was entered; tickets are opened once it was probed.
    Raises BadFields and NotFound."""
    with transaction() as session:
        helpdesk = hold(session, helpdesk_id)
        before = describe(helpdesk)
        _apply(session, helpdesk, KINDS[helpdesk.kind], entered)
        forget_failures(helpdesk)
        after = describe(helpdesk, entered)
        record(Action.HELPDESK_CHANGED, get_target(helpdesk), before, after)
    return helpdesk


def switch_helpdesk(helpdesk_id: int, *, on: bool) -> Helpdesk:
    """Off: nothing is done in it, and what waits is dropped. Raises NotFound."""
    with transaction() as session:
        helpdesk = hold(session, helpdesk_id)
        action = Action.HELPDESK_SWITCHED_ON if on else Action.HELPDESK_SWITCHED_OFF
        record(action, get_target(helpdesk), {"active": helpdesk.active}, {"active": on})
        helpdesk.active = on
        forget_failures(helpdesk)
        if not on:
            drop_waiting(session, helpdesk, SWITCHED_OFF)
    return helpdesk


def preview_requests(kind_name: str, entered: Entered) -> str:
    """What would be asked with what was entered; nothing is kept, and no secret is needed. Raises
    BadFields, and NotFound for a kind that there is not."""
    kind = get_kind(kind_name)
    found = sort_entered([each for each in kind.fields if not each.is_secret], entered, {}, {})
    found.problems.pop("name", None)
    _check(kind, found)
    return kind.preview(found.settings)


def _apply(session: Session, helpdesk: Helpdesk, kind: HelpdeskKind, entered: Entered) -> None:
    """Raises BadFields."""
    stored = read_secrets(helpdesk, kind.fields) if helpdesk.id else {}
    found = sort_entered(kind.fields, entered, helpdesk.settings, stored)
    name = entered.name.strip()
    if _is_taken(helpdesk, name):
        found.problems["name"] = "Another helpdesk has this name."
    _check(kind, found)
    if found.settings != helpdesk.settings or found.secrets != stored:
        helpdesk.is_proven, helpdesk.probe, helpdesk.probed_at = False, [], None
    helpdesk.name, helpdesk.settings = name, found.settings
    session.add(helpdesk)
    session.flush()
    keep_secrets(session, helpdesk, stored, found.secrets)


def _check(kind: HelpdeskKind, found: Sorted) -> None:
    """And where it leads. Raises BadFields."""
    if not found.problems.keys() - {"name"}:
        try:
            found.settings[TARGET] = kind.check(found.settings, found.secrets)
        except Rejected as error:
            found.problems |= error.problems
    if found.problems:
        raise BadFields(found.problems)


def _is_taken(helpdesk: Helpdesk, name: str) -> bool:
    query = select(Helpdesk.id).where(func.lower(Helpdesk.name) == name.lower())
    with db.session.no_autoflush:
        return any(found != helpdesk.id for found in db.session.scalars(query))


def describe(helpdesk: Helpdesk, entered: Entered | None = None) -> Values:
    """For the audit trail: of secrets only that one was entered."""
    return {
        "kind": helpdesk.kind,
        "name": helpdesk.name,
        **helpdesk.settings,
        "entered": (entered and entered.list_secrets(KINDS[helpdesk.kind].fields)) or None,
    }


def get_target(helpdesk: Helpdesk) -> Target:
    return Target("helpdesk", helpdesk.id, helpdesk.name)


def hold(session: Session, helpdesk_id: int) -> Helpdesk:
    """Nobody begins to write to it in this transaction. Raises NotFound."""
    helpdesk = get_helpdesk(helpdesk_id)
    session.refresh(helpdesk, with_for_update={"key_share": True})
    return helpdesk


def forget_failures(helpdesk: Helpdesk) -> None:
    helpdesk.failures, helpdesk.failing_since, helpdesk.last_error = 0, None, None
    helpdesk.poll_due_at = None
    if helpdesk.lease is None:  # else it is at work, and by a second process it would be twice
        helpdesk.due_at = None
