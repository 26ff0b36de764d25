"""Recording what somebody does, in the transaction in which it is done.

The rows are written when that transaction is about to end, so that it holds the head of its chain
for no longer than its last statements take.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import event, insert
from sqlalchemy.orm import Session, SessionTransaction

from portal.clock import utc_now
from portal.db import db
from portal.events.outbox import record_events
from portal.models.audit.entry import table_of
from portal.models.events.event import EventType
from portal.scope import all_tenants, current_scope
from portal.services.audit.actions import Action
from portal.services.audit.actor import Actor, current_actor
from portal.services.audit.chain import Chain, compute_mac, hold_head, model_of
from portal.services.audit.keys import hold_present_key
from portal.services.audit.present import to_public
from portal.services.audit.values import Values, clean_pair, clean_text
from portal.work_id import get_work_id

PENDING = "audit_pending"


@dataclass(frozen=True, slots=True)
class Target:
    """What it was done to: a kind, and an id and a name where it has them."""

    kind: str
    id: object = ""
    name: str = ""


def record(
    action: Action,
    target: Target,
    before: Values | None = None,
    after: Values | None = None,
    *,
    actor: Actor | None = None,
) -> None:
    """Of the scope's tenant; without one, of the install. Inside the transaction of the change.

    `before` and `after` hold what changed, by name; of secrets no more than that they did.
    """
    scope = current_scope()
    chain = scope if isinstance(scope, int) else None
    record_in([chain], action, target, before, after, actor=actor)


def record_in(
    chains: list[Chain],
    action: Action,
    target: Target,
    before: Values | None = None,
    after: Values | None = None,
    *,
    actor: Actor | None = None,
) -> None:
    """As `record`, in the chains named: for what is done across tenants."""
    session = db.session()
    if not session.info.get("in_transaction"):
        raise RuntimeError("What is recorded belongs into the transaction of the change.")
    row = _make_row(action, target, before, after, actor or current_actor())
    session.info.setdefault(PENDING, []).extend((chain, row) for chain in chains)


def _make_row(
    action: Action, target: Target, before: Values | None, after: Values | None, actor: Actor
) -> dict[str, Any]:
    was, became = clean_pair(before, after)
    return {
        "actor_kind": str(actor.kind),
        "actor_id": actor.user_id,
        "actor_name": clean_text(actor.name),
        "address": clean_text(actor.address),
        "source": clean_text(actor.source),
        "request_id": get_work_id(),
        "action": str(action),
        "target_kind": target.kind,
        "target_id": clean_text(str(target.id)),
        "target_name": clean_text(target.name),
        "before": was,
        "after": became,
    }


@event.listens_for(Session, "before_commit")
def _write(session: Session) -> None:
    """Add the rows to their chains, always in the same order, and tell of them."""
    if session.in_nested_transaction() or not session.info.get(PENDING):
        return
    pending: list[tuple[Chain, dict[str, Any]]] = session.info.pop(PENDING)
    session.flush()  # in the scope of the change, and before anybody waits for us
    with all_tenants():
        key_id, key = hold_present_key(session)
        for chain in sorted({chain for chain, _row in pending}, key=lambda each: each or 0):
            rows = [dict(row, key_id=key_id) for other, row in pending if other == chain]
            _add_rows(session, chain, rows, key)


def _add_rows(session: Session, chain: Chain, rows: list[dict[str, Any]], key: bytes) -> None:
    number, mac = hold_head(session, chain)
    for row in rows:
        number += 1
        row |= {"number": number, "at": utc_now(), "previous": mac}
        row["mac"] = mac = compute_mac(key, chain, row)
        if chain is not None:
            row["tenant_id"] = chain
    session.execute(insert(table_of(model_of(chain))), rows)
    if chain is not None:
        happenings = [
            (EventType.AUDIT_RECORDED, str(row["action"]), to_public(row)) for row in rows
        ]
        record_events(session, happenings, chain)


@event.listens_for(Session, "after_soft_rollback")
def _forget(session: Session, previous: SessionTransaction) -> None:
    """What is not done is not recorded."""
    if not previous.nested:
        session.info.pop(PENDING, None)
