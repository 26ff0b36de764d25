"""Deleting what is older than it is kept: a checkpoint in the chain stands for what went."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.config import Settings
from portal.db import changed_one, count_changed, db, insert, release, transaction
from portal.models import AuditEntry, InstallSetting
from portal.models.audit.entry import PRUNES
from portal.scope import all_tenants
from portal.services.audit.actions import Action
from portal.services.audit.chain import Chain, model_of
from portal.services.audit.record import Target, record_in
from portal.services.audit.verification import list_chains

log = logging.getLogger(__name__)

AT_ONCE = 1000
LAST_PRUNED = "audit_pruned_at"
"""The setting that says when it was done last, so that one process does it each day."""
EVERY = timedelta(days=1)


def prune_if_due() -> None:
    """Once a day for all chains, by whichever process comes first."""
    setting = db.session.get(InstallSetting, LAST_PRUNED, populate_existing=True)
    release()
    before = setting.value if setting is not None else None
    if before is not None and datetime.fromisoformat(before) > utc_now() - EVERY:
        return
    if _claim(before):
        prune()


def prune() -> int:
    """What is too old, of all chains; how many rows.

    Nothing where the database's role may not delete: then it is for the owner of the tables.
    """
    if not may_prune(db.session()):
        log.info("The audit trail is not pruned: this role may not delete its rows.")
        return 0
    settings: Settings = current_app.extensions["settings"]
    before = utc_now() - timedelta(days=settings.audit_days)
    gone = 0
    for chain, _slug in list_chains():
        while some := _prune_some(chain, before):
            gone += some
    release()
    return gone


def may_prune(session: Session) -> bool:
    if session.get_bind().dialect.name != "postgresql":
        return True
    may_delete = func.has_table_privilege(AuditEntry.__tablename__, "DELETE")
    return bool(session.scalar(select(may_delete)))


def _claim(before: str | None) -> bool:
    now = {"key": LAST_PRUNED, "value": utc_now().isoformat()}
    with transaction() as session:
        if before is None:
            made = insert(InstallSetting).values(now).on_conflict_do_nothing()
            return session.scalar(made.returning(InstallSetting.key)) is not None
        is_last = (InstallSetting.key == LAST_PRUNED) & (InstallSetting.value == before)
        return changed_one(session, update(InstallSetting).where(is_last).values(now))


def _prune_some(chain: Chain, before: datetime) -> int:
    """The oldest rows, and the checkpoint, in one transaction."""
    model = model_of(chain)
    oldest = select(model.number, model.at, model.mac).order_by(model.number).limit(AT_ONCE)
    gone = delete(model).execution_options(**{PRUNES: True})
    if chain is not None:
        oldest = oldest.where(AuditEntry.tenant_id == chain)
        gone = gone.where(AuditEntry.tenant_id == chain)
    with all_tenants(), transaction() as session:
        last = None
        for row in session.execute(oldest):
            if row.at >= before:
                break
            last = row
        if last is None:
            return 0
        number = count_changed(session, gone.where(model.number <= last.number))
        checkpoint = {"rows": number, "up_to": last.number, "mac": last.mac}
        target = Target("audit")
        record_in([chain], Action.AUDIT_PRUNED, target, after=checkpoint)
    return number
