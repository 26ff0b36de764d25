"""Writing a plan: a fixed handful of statements a page, nothing per row."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.db import is_among, put_rows
from portal.models import Asset, ExternalEntityMapping
from portal.models.assets.asset import LOCKS
from portal.providers import TACTICAL_RMM
from portal.sync.alerts.links import link_alerts
from portal.sync.devices.facts import FACTS, PLACE, VITALS
from portal.sync.devices.plan import Decision, KnownAsset
from portal.sync.history import to_json
from portal.sync.runs.action import Action
from portal.sync.runs.log import log_entry
from portal.sync.software.store import recount_software_of

_LOGGED = {
    Action.CREATED,
    Action.UPDATED,
    Action.MOVED,
    Action.RELINKED,
    Action.WAITING,
    Action.FAILED,
}

EVIDENCE = "evidence"
"""The key, beside the changed columns, of what a decision about identity rests on."""

_ABSENCE = ("missing_since", "absent_runs", "retired_at")
_SEEN: dict[str, Any] = {"missing_since": None, "absent_runs": 0, "retired_at": None}
"""An asset whose agent is listed is neither missing nor retired."""
_NEW: dict[str, Any] = _SEEN | dict.fromkeys((*PLACE, *FACTS))
_TIMES = ("status_at", "last_rmm_sync_at")
_MAPPING_COLUMNS = (
    "external_entity_id",
    "asset_id",
    "external_realm_id",
    "external_pk",
    "metadata",
)
_COLUMNS = ("rmm_device_id", "client_id", "agent_status", *_TIMES, *_ABSENCE, *PLACE, *FACTS)


def apply_decisions(
    session: Session, integration_id: int, decisions: Sequence[Decision]
) -> dict[str, int]:
    """Write the assets, their entity mappings and the times of the look.

    Whatever a newer look has written since the plan was made stays. The asset ids of what was
    created, by agent_id.
    """
    changed = [d for d in decisions if d.action is Action.CREATED or d.changes]
    if changed:
        _upsert_assets(session, integration_id, changed)
    created = [d.external_id for d in decisions if d.action is Action.CREATED]
    asset_ids = _load_asset_ids(session, integration_id, created) if created else {}
    mapped = [d for d in decisions if d.facts is not None and _mapping_differs(d)]
    if mapped:
        _upsert_entity_mappings(session, integration_id, mapped, asset_ids)
    _touch_assets(session, decisions)
    recount_software_of(session, [d.known.id for d in decisions if d.known and d.returned])
    if created:
        link_alerts(session, integration_id, created)
    return asset_ids


def _load_asset_ids(
    session: Session, integration_id: int, agent_ids: Sequence[str]
) -> dict[str, int]:
    rows = session.execute(
        select(Asset.rmm_device_id, Asset.id).where(
            Asset.integration_id == integration_id, is_among(Asset.rmm_device_id, agent_ids)
        )
    )
    return {row[0]: row[1] for row in rows}


def count_decisions(decisions: Sequence[Decision]) -> Counter[str]:
    counts = Counter(str(decision.action) for decision in decisions)
    counts["seen"] = len(decisions)
    return counts


def log_entries(decisions: Sequence[Decision]) -> list[dict[str, Any]]:
    """An entry for each record that changed or could not be used; none for the rest."""
    entries = [
        log_entry(_name_entry(d), d.external_id, d.name, d.reason, _readable(d))
        for d in decisions
        if d.action in _LOGGED or d.asks_person
    ]
    return entries + [
        log_entry("returned", d.external_id, d.name, _describe_return(d.known))
        for d in decisions
        if d.known is not None and d.returned
    ]


def _name_entry(decision: Decision) -> str:
    if decision.asks_person:
        return "conflict" if decision.needs_person else "suggestion"
    return decision.action


def _describe_return(known: KnownAsset) -> str:
    if known.retired_at is None:
        return "Tactical lists it again."
    return "Tactical lists it again, so that it is retired no more."


def _upsert_assets(session: Session, integration_id: int, decisions: Sequence[Decision]) -> None:
    same = {
        "integration_id": integration_id,
        "rmm_provider": TACTICAL_RMM.slug,
        "created_at": utc_now(),
        **dict.fromkeys(LOCKS.values(), False),
    }
    rows = map(itemgetter(*_COLUMNS), map(_asset_row, decisions))
    unique = ("integration_id", "rmm_device_id")
    put_rows(session, Asset, same, _COLUMNS, rows, unique, newer=_TIMES)


def _asset_row(decision: Decision) -> dict[str, Any]:
    """What was not looked at stays as it is, and as old as it is."""
    known = decision.known
    return {
        "rmm_device_id": decision.external_id,
        "client_id": decision.client_id,
        **(_kept(known) if known else _NEW),
        **(_SEEN if decision.returned else {}),
        **_times(decision),
        **(decision.facts or {}),
    }


def _kept(known: KnownAsset) -> dict[str, Any]:
    return {
        **known.facts,
        "agent_status": known.agent_status,
        "status_at": known.status_at,
        "last_rmm_sync_at": known.synced_at,
        **{name: getattr(known, name) for name in _ABSENCE},
    }


def _times(decision: Decision) -> dict[str, Any]:
    """The columns that say what was looked at, and when."""
    found: dict[str, Any] = {}
    if decision.agent_status is not None:
        found |= {"agent_status": decision.agent_status, "status_at": decision.status_at}
    if decision.synced_at is not None:
        found["last_rmm_sync_at"] = decision.synced_at
    return found


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
    same = {"integration_id": integration_id, "created_at": utc_now()}
    rows = [_mapping_row(d, d.known.id if d.known else asset_ids[d.external_id]) for d in decisions]
    unique = ("integration_id", "external_entity_id")
    put_rows(session, ExternalEntityMapping, same, _MAPPING_COLUMNS, rows, unique)


def _mapping_row(decision: Decision, asset_id: int) -> tuple[Any, ...]:
    facts, known = decision.facts or {}, decision.known
    pk = known.external_pk if decision.external_pk is None and known else decision.external_pk
    site = {"site_id": facts["site_id"], "site_name": facts["site_name"]}
    return decision.external_id, asset_id, facts["rmm_organization_id"], pk, site


def _touch_assets(session: Session, decisions: Sequence[Decision]) -> None:
    """Note the look on assets that kept their facts: one statement for each status."""
    alike: dict[tuple[tuple[str, Any], ...], list[int]] = defaultdict(list)
    for decision in decisions:
        if decision.known is None or decision.changes:
            continue  # nothing is stored, or the upsert wrote it all
        values = _times(decision)
        if decision.returned:
            values |= _SEEN
        if values:
            alike[tuple(values.items())].append(decision.known.id)
    for key, ids in alike.items():
        values = dict(key)
        moments = [name for name in _TIMES if name in values]
        session.execute(
            update(Asset)
            .where(is_among(Asset.id, ids), *(getattr(Asset, n) <= values[n] for n in moments))
            .values(**values)
            .execution_options(synchronize_session=False)
        )


def _readable(decision: Decision) -> dict[str, Any] | None:
    """Changes as JSON can hold them, without those that every check-in brings; and on what it rests
    whose computer it is."""
    readable: dict[str, Any] = {
        name: [to_json(old), to_json(new)]
        for name, (old, new) in (decision.changes or {}).items()
        if name not in VITALS
    }
    if decision.identity is not None and decision.identity.evidence:
        readable[EVIDENCE] = decision.identity.evidence
    return readable or None
