"""Writing a plan: a fixed handful of statements a page, nothing per row."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.db import upsert, utc_now
from portal.models import Alert, Asset, ExternalEntityMapping
from portal.providers import TACTICAL_RMM
from portal.scope import get_tenant_id
from portal.sync.alerts import lock_alerts
from portal.sync.facts import FACTS, PLACE, VITALS
from portal.sync.plan import Action, Decision
from portal.sync.run_log import log_entry

_LOGGED = {Action.CREATED, Action.UPDATED, Action.MOVED, Action.FAILED}


def apply_decisions(
    session: Session, integration_id: int, decisions: Sequence[Decision], synced_at: datetime
) -> dict[str, int]:
    """Write the assets, their entity mappings and the time of the sync.

    The asset ids of what was created, by agent_id.
    """
    changed = [d for d in decisions if d.action is Action.CREATED or d.changes]
    if changed:
        _upsert_assets(session, integration_id, changed, synced_at)
    created = [d.external_id for d in decisions if d.action is Action.CREATED]
    asset_ids = _load_asset_ids(session, integration_id, created) if created else {}
    mapped = [d for d in decisions if d.facts is not None and _mapping_differs(d)]
    if mapped:
        _upsert_entity_mappings(session, integration_id, mapped, asset_ids)
    _touch_assets(session, decisions, synced_at)
    if created:
        _link_alerts(session, integration_id, created)
    return asset_ids


def _load_asset_ids(
    session: Session, integration_id: int, agent_ids: Sequence[str]
) -> dict[str, int]:
    rows = session.execute(
        select(Asset.rmm_device_id, Asset.id).where(
            Asset.integration_id == integration_id, Asset.rmm_device_id.in_(agent_ids)
        )
    )
    return {row[0]: row[1] for row in rows}


def _link_alerts(session: Session, integration_id: int, created: Sequence[str]) -> None:
    """Alerts that came before their agent had an asset belong to it now."""
    lock_alerts(session, integration_id)
    asset_id = (
        select(Asset.id)
        .where(Asset.integration_id == integration_id, Asset.rmm_device_id == Alert.agent_id)
        .scalar_subquery()
    )
    session.execute(
        update(Alert)
        .where(
            Alert.integration_id == integration_id,
            Alert.agent_id.in_(created),
            Alert.asset_id.is_(None),
        )
        .values(asset_id=asset_id)
        .execution_options(synchronize_session=False)
    )


def count_decisions(decisions: Sequence[Decision]) -> Counter[str]:
    counts = Counter(str(decision.action) for decision in decisions)
    counts["seen"] = len(decisions)
    return counts


def log_entries(decisions: Sequence[Decision]) -> list[dict[str, Any]]:
    """An entry for each record that changed or could not be used; none for the rest."""
    entries = [
        log_entry(d.action, d.external_id, d.name, d.reason, _readable(d))
        for d in decisions
        if d.action in _LOGGED
    ]
    returned = [d for d in decisions if d.known is not None and d.known.missing and d.facts]
    return entries + [
        log_entry("returned", d.external_id, d.name, "Tactical lists it again.") for d in returned
    ]


def _upsert_assets(
    session: Session, integration_id: int, decisions: Sequence[Decision], synced_at: datetime
) -> None:
    columns = ("client_id", "reported_status", "last_rmm_sync_at", "missing_since", *PLACE, *FACTS)
    rows = [_asset_row(d, integration_id, synced_at) for d in decisions]
    session.execute(upsert(Asset, ("integration_id", "rmm_device_id"), columns), rows)


def _asset_row(decision: Decision, integration_id: int, synced_at: datetime) -> dict[str, Any]:
    known = decision.known
    nothing = dict.fromkeys((*PLACE, *FACTS))
    kept = known.facts if known else nothing
    # Only the place was planned: the facts, the status and their age stay as they are.
    status = decision.reported_status or (known.reported_status if known else "unknown")
    at = known.synced_at if known and decision.reported_status is None else synced_at
    return {
        "tenant_id": get_tenant_id(),
        "integration_id": integration_id,
        "rmm_provider": TACTICAL_RMM.slug,
        "rmm_device_id": decision.external_id,
        "client_id": decision.client_id,
        "reported_status": status,
        "last_rmm_sync_at": at,
        "missing_since": None,
        "created_at": utc_now(),
        **kept,
        **(decision.facts or {}),
    }


def _mapping_differs(decision: Decision) -> bool:
    known = decision.known
    if known is None or any(name in (decision.changes or {}) for name in PLACE):
        return True
    return decision.external_pk is not None and decision.external_pk != known.external_pk


def _upsert_entity_mappings(
    session: Session,
    integration_id: int,
    decisions: Sequence[Decision],
    asset_ids: Mapping[str, int],
) -> None:
    columns = ("asset_id", "external_realm_id", "external_pk", "metadata")
    statement = upsert(ExternalEntityMapping, ("integration_id", "external_entity_id"), columns)
    rows = [
        _mapping_row(d, integration_id, d.known.id if d.known else asset_ids[d.external_id])
        for d in decisions
    ]
    session.execute(statement, rows)


def _mapping_row(decision: Decision, integration_id: int, asset_id: int) -> dict[str, Any]:
    facts, known = decision.facts or {}, decision.known
    pk = decision.external_pk
    return {
        "tenant_id": get_tenant_id(),
        "integration_id": integration_id,
        "asset_id": asset_id,
        "external_entity_id": decision.external_id,
        "external_realm_id": facts["rmm_organization_id"],
        "external_pk": known.external_pk if pk is None and known else pk,
        "entity_metadata": {"site_id": facts["site_id"], "site_name": facts["site_name"]},
        "created_at": utc_now(),
    }


def _touch_assets(session: Session, decisions: Sequence[Decision], synced_at: datetime) -> None:
    """Note the sync on assets that kept their facts: one statement for each status."""
    by_status: dict[str | None, list[int]] = defaultdict(list)
    for decision in decisions:
        known = decision.known
        if known is None or decision.facts is None or decision.changes:
            continue  # nothing is stored, nothing was planned, or the upsert wrote it all
        if decision.reported_status is None and not known.missing:
            continue  # only its place was looked at, and that is as it was
        by_status[decision.reported_status].append(known.id)
    for status, ids in by_status.items():
        values: dict[str, Any] = {"missing_since": None}
        if status is not None:
            values |= {"reported_status": status, "last_rmm_sync_at": synced_at}
        session.execute(update(Asset).where(Asset.id.in_(ids)).values(**values))


def _readable(decision: Decision) -> dict[str, Any] | None:
    """Changes as JSON can hold them, without those that every check-in brings."""
    told = {
        name: [_json(old), _json(new)]
        for name, (old, new) in (decision.changes or {}).items()
        if name not in VITALS
    }
    return told or None


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value
