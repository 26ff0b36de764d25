"""Which client is which customer of a helpdesk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.db import db, transaction
from portal.errors import InvalidInput, Refused
from portal.helpdesks.kind import Choice
from portal.models import Client, HelpdeskCustomer
from portal.models.undo.offer import UndoKind
from portal.services.audit.actions import Action
from portal.services.audit.record import record
from portal.services.helpdesks.changing import get_target, hold
from portal.services.helpdesks.listing import get_helpdesk
from portal.services.undo.offers import CHANGED_SINCE, offer_undo, tell_undone

LONGEST_ID = 200


@dataclass(frozen=True, slots=True)
class _Change:
    client_id: int
    was: Choice | None
    is_now: Choice | None


def list_mapped(helpdesk_id: int) -> dict[int, Choice]:
    """By the id of the client. Raises NotFound."""
    get_helpdesk(helpdesk_id)
    its = select(HelpdeskCustomer).where(HelpdeskCustomer.helpdesk_id == helpdesk_id)
    rows = db.session.scalars(its)
    return {row.client_id: Choice(row.customer_id, row.customer_name) for row in rows}


def map_customers(helpdesk_id: int, wanted: Mapping[int, Choice | None]) -> int | None:
    """Tickets that are opened from now on are of these customers; None: of nobody. Clients that
    are not among `wanted` stay as they are. The number of the offer to take it back, where
    something changed. Raises InvalidInput and NotFound."""
    with transaction() as session:
        changes = _map(session, helpdesk_id, wanted)
    change = {"helpdesk_id": helpdesk_id, "changes": [asdict(each) for each in changes]}
    return offer_undo(UndoKind.CUSTOMERS_MAPPED, change) if changes else None


def take_back_mapping(helpdesk_id: int, changes: Sequence[Mapping[str, Any]]) -> str:
    """Undo `map_customers`. Raises Refused where all of them were changed since, or are gone, and
    NotFound."""
    done = [
        _Change(each["client_id"], _load(each["was"]), _load(each["is_now"])) for each in changes
    ]
    with transaction() as session:
        hold(session, helpdesk_id)
        mapped = list_mapped(helpdesk_id)
        there = _name(session, [each.client_id for each in done])
        left = {
            each.client_id: each.was
            for each in done
            if each.client_id in there
            and _read_id(mapped.get(each.client_id)) == _read_id(each.is_now)
        }
        if not left:
            raise Refused(CHANGED_SINCE)
        _map(session, helpdesk_id, left)
    return tell_undone("put back the customer of", len(left), len(done), "client")


def _load(choice: Mapping[str, str] | None) -> Choice | None:
    return Choice(**choice) if choice else None


def _map(session: Session, helpdesk_id: int, wanted: Mapping[int, Choice | None]) -> list[_Change]:
    helpdesk = hold(session, helpdesk_id)
    _check(session, wanted)
    rows = {
        row.client_id: row
        for row in session.scalars(
            select(HelpdeskCustomer).where(
                HelpdeskCustomer.helpdesk_id == helpdesk_id,
                HelpdeskCustomer.client_id.in_(wanted),
            )
        )
    }
    before = {each: Choice(row.customer_id, row.customer_name) for each, row in rows.items()}
    changed = [each for each, customer in wanted.items() if before.get(each) != customer]
    for client_id in changed:
        _write(session, helpdesk_id, client_id, rows.get(client_id), wanted[client_id])
    if changed:
        names = _name(session, changed)
        was = {names[each]: _read_name(before.get(each)) for each in changed}
        becomes = {names[each]: _read_name(wanted[each]) for each in changed}
        record(Action.HELPDESK_CUSTOMERS_MAPPED, get_target(helpdesk), was, becomes)
    return [_Change(each, before.get(each), wanted[each]) for each in changed]


def _check(session: Session, wanted: Mapping[int, Choice | None]) -> None:
    if len(_name(session, wanted)) < len(wanted):
        raise InvalidInput("One of the clients is no longer there.", field="client")
    for customer in wanted.values():
        if customer and not (0 < len(customer.id) <= LONGEST_ID and customer.id.isprintable()):
            raise InvalidInput("Choose a customer of the helpdesk.", field="customer")


def _write(
    session: Session,
    helpdesk_id: int,
    client_id: int,
    row: HelpdeskCustomer | None,
    customer: Choice | None,
) -> None:
    if customer is None:
        if row is not None:
            session.delete(row)
        return
    if row is None:
        row = HelpdeskCustomer(helpdesk_id=helpdesk_id, client_id=client_id)
        session.add(row)
    row.customer_id, row.customer_name = customer.id, customer.name[:LONGEST_ID] or customer.id


def _name(session: Session, client_ids: Mapping[int, object] | list[int]) -> dict[int, str]:
    rows = session.execute(select(Client.id, Client.name).where(Client.id.in_(list(client_ids))))
    return {row.id: row.name for row in rows}


def _read_id(customer: Choice | None) -> str | None:
    return customer.id if customer else None


def _read_name(customer: Choice | None) -> str | None:
    return customer.name if customer else None
