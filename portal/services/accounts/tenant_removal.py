"""Removing a tenant: shut first, then row by row, and the tenant itself at last."""

from __future__ import annotations

import time
from collections.abc import Sequence

from sqlalchemy import Select, delete, exists, func, inspect, select, update
from sqlalchemy.orm import aliased

from portal.clock import utc_now
from portal.db import Base, TenantOwned, db, release, transaction
from portal.errors import Refused
from portal.models import AuditEntry, Invitation, Membership, SyncRun, Tenant, User, WebhookKey
from portal.models.integrations.integration import IntegrationState
from portal.models.runs.sync_run import ACTIVE
from portal.scope import all_tenants, tenant_scope
from portal.services.audit.actions import Action
from portal.services.audit.chain import read_head
from portal.services.audit.record import Target, record_in
from portal.services.integrations.connect import disconnect
from portal.services.integrations.current import find_integration
from portal.services.integrations.sign_outs import sign_out_due
from portal.services.lists.pruning import delete_in_parts
from portal.services.runs.execution import revive_abandoned_runs
from portal.services.runs.requests import cancel_run

ROWS_AT_ONCE = 1000
RUNS_END_WITHIN_SECONDS = 75.0
"""A run hears within two seconds that it is cancelled; one whose process died, with its lease."""
POLL_SECONDS = 0.5


def list_owned_models() -> list[type[Base]]:
    """Every table of tenants' rows, each before those that it points to."""
    models = {mapper.local_table: mapper.class_ for mapper in Base.registry.mappers}
    tables = reversed(Base.metadata.sorted_tables)
    return [models[table] for table in tables if issubclass(models[table], TenantOwned)]


def count_rows(tenant: Tenant) -> dict[str, int]:
    """How many rows the tenant has, by table; those without any are left out."""
    with tenant_scope(tenant.id):
        counts = {
            model.__tablename__: db.session.scalar(select(func.count()).select_from(model)) or 0
            for model in list_owned_models()
        }
    return {table: count for table, count in counts.items() if count}


def remove_tenant(tenant: Tenant) -> None:
    """Remove it with all that is its own, and the users who have a place nowhere else.

    Nobody gets in from the first moment on, and nothing new is let in. What is cut off goes on
    when it is called again. Raises Refused while a sync does not end.
    """
    tenant_id = tenant.id
    with tenant_scope(tenant_id):
        _shut()
        _wait_for_runs()
        sign_out_due()  # a sign-in that cannot be ended there expires after five hours
        for model in list_owned_models():
            if model not in (Membership, AuditEntry):
                _delete_rows(model)
    with all_tenants(), transaction() as session:
        session.execute(delete(User).where(User.id.in_(_users_of_no_other(tenant_id))))
        number, mac = read_head(session, tenant_id)
        about = Target("tenant", tenant_id, tenant.slug)
        before = {"name": tenant.name, "slug": tenant.slug, "audit_head": f"{number}:{mac}"}
        record_in([None], Action.TENANT_REMOVED, about, before=before)
        session.execute(delete(Tenant).where(Tenant.id == tenant_id))


def _shut() -> None:
    """No member, webhook or schedule of it gets in any more; runs are asked to end."""
    with transaction() as session:
        session.execute(
            update(Membership)
            .where(Membership.disabled_at.is_(None))
            .values(disabled_at=utc_now())
            .execution_options(synchronize_session=False)
        )
        session.execute(delete(WebhookKey))
        session.execute(delete(Invitation))
    integration = find_integration()
    if integration is not None and integration.state is not IntegrationState.DISCONNECTED:
        disconnect()
    for run_id in db.session.scalars(select(SyncRun.id).where(SyncRun.status.in_(ACTIVE))).all():
        cancel_run(run_id)


def _wait_for_runs() -> None:
    give_up = time.monotonic() + RUNS_END_WITHIN_SECONDS
    active = select(SyncRun.id).where(SyncRun.status.in_(ACTIVE)).limit(1)
    while db.session.scalar(active) is not None:
        release()
        if time.monotonic() > give_up:
            raise Refused(
                "A sync of this tenant is still running. It was asked to stop, and the tenant is "
                "closed; nothing was removed yet. Run the command again in a minute."
            )
        time.sleep(POLL_SECONDS)
        revive_abandoned_runs()
    release()


def _delete_rows(model: type[Base]) -> None:
    """In one pass through the table, in which other tenants' rows lie between."""
    row_id = inspect(model).attrs["id"].class_attribute
    in_order, last = select(row_id).order_by(row_id).limit(ROWS_AT_ONCE), 0

    def list_next() -> Sequence[int]:
        nonlocal last
        ids = db.session.scalars(in_order.where(row_id > last)).all()
        last = ids[-1] if ids else last
        return ids

    delete_in_parts(model, list_next)


def _users_of_no_other(tenant_id: int) -> Select[int]:
    elsewhere = aliased(Membership)
    return select(Membership.user_id).where(
        Membership.tenant_id == tenant_id,
        ~exists().where(elsewhere.user_id == Membership.user_id, elsewhere.tenant_id != tenant_id),
    )
