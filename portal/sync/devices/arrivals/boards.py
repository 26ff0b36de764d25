"""Known agents that tell another serial number than before: a new board, or a second computer."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.models import AssetChange, AssetConflict
from portal.models.assets.conflict import Settlement
from portal.sync.devices.identity.computers import Kind
from portal.sync.devices.identity.shared_agents import SerialChange, SerialVerdict, judge_serial
from portal.sync.devices.plan import Decision, KnownAsset
from portal.sync.runs.log import RunLog, log_entry

SERIAL, NAME = "serial_number", "name"
NAMES_SINCE = timedelta(hours=6)
"""A change of name that long ago belongs to a new serial number: hardware is told later."""


def ask_about_boards(
    session: Session, integration_id: int, decisions: Sequence[Decision], run_log: RunLog
) -> None:
    """Open a conflict for each agent that two computers seem to share; before the history of these
    changes is written. No statement where no serial number changes."""
    changed = [(each, each.known) for each in decisions if SERIAL in (each.changes or {})]
    known = [(decision, asset) for decision, asset in changed if asset is not None]
    if not known:
        return
    history = _load_history(session, [asset.id for _, asset in known])
    conflicts = _load_conflicts(session, integration_id, [each.external_id for each, _ in known])
    entries = []
    for decision, asset in known:
        of_agent = conflicts[decision.external_id]
        verdict, evidence = _judge(decision, asset, history[asset.id], of_agent)
        if verdict.change is not SerialChange.SHARED_AGENT:
            continue
        conflict = next((each for each in of_agent if each.settled_at is None), None)
        if conflict is None:
            conflict = AssetConflict(integration_id=integration_id, agent_id=decision.external_id)
            conflict.kind, conflict.run_id = str(Kind.SHARED_AGENT), run_log.run_id
            session.add(conflict)
        reason = str(verdict.reason)
        conflict.asset_id, conflict.reason, conflict.evidence = asset.id, reason, evidence
        conflict.seen_at = utc_now()
        changes = {"evidence": evidence}
        entries.append(log_entry("conflict", decision.external_id, decision.name, reason, changes))
    if entries:
        session.flush()
        run_log.record(session, Counter(conflicts=len(entries)), entries)


def _judge(
    decision: Decision,
    asset: KnownAsset,
    history: Sequence[AssetChange],
    conflicts: Sequence[AssetConflict],
) -> tuple[SerialVerdict, dict[str, Any]]:
    before, after = (decision.changes or {})[SERIAL]
    known = [str(each.before) for each in history if each.column == SERIAL and each.before]
    known += [before] if before else []
    since = utc_now() - NAMES_SINCE
    names = [each.before for each in history if each.column == NAME and each.at >= since]
    name_before = names[0] if names else asset.facts[NAME]
    is_settled = any(
        each.settled_at is not None and each.settled_as is not Settlement.GONE for each in conflicts
    )
    name = None if NAME in asset.locks else name_before
    verdict = judge_serial(known, name, after, decision.name, is_settled)
    evidence = {
        "serials": [*known, after],
        "names": [name_before, decision.name],
        "asset_id": asset.id,
    }
    return verdict, evidence


def _load_history(
    session: Session, asset_ids: Sequence[int]
) -> defaultdict[int, list[AssetChange]]:
    """Of serial numbers and names, the oldest first."""
    rows = session.scalars(
        select(AssetChange)
        .where(AssetChange.asset_id.in_(asset_ids), AssetChange.column.in_((SERIAL, NAME)))
        .order_by(AssetChange.id)
    )
    found: defaultdict[int, list[AssetChange]] = defaultdict(list)
    for row in rows:
        found[row.asset_id].append(row)
    return found


def _load_conflicts(
    session: Session, integration_id: int, agent_ids: Sequence[str]
) -> defaultdict[str, list[AssetConflict]]:
    rows = session.scalars(
        select(AssetConflict).where(
            AssetConflict.integration_id == integration_id,
            AssetConflict.agent_id.in_(agent_ids),
            AssetConflict.kind == Kind.SHARED_AGENT,
        )
    )
    found: defaultdict[str, list[AssetConflict]] = defaultdict(list)
    for row in rows:
        found[row.agent_id].append(row)
    return found
