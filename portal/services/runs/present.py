"""A run, and what it did to a record, as other programs get them."""

from __future__ import annotations

from typing import Any

from portal.models import SyncLogEntry, SyncRun
from portal.services.runs.reverts import KINDS, undo_until


def describe_run(run: SyncRun) -> dict[str, Any]:
    return {
        "id": run.id,
        "kind": str(run.kind),
        "title": run.title,
        "status": str(run.status),
        "trigger": run.trigger,
        "counts": run.counts,
        "error": run.error,
        "reverts": run.reverts_run_id,
        "reverted_by": run.reverted_by_run_id,
        "created_at": run.created_at.isoformat(),
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
        "undo_until": undo_until(run).isoformat() if run.kind in KINDS else None,
    }


def describe_record(entry: SyncLogEntry) -> dict[str, Any]:
    return {
        "action": entry.action,
        "agent_id": entry.external_id,
        "name": entry.name,
        "reason": entry.reason,
        "changes": entry.changes or {},
    }
