"""What went wrong with the records of a run, by cause; and trying those records again."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256

from sqlalchemy import Select, case, func, select

from portal.db import db
from portal.errors import NotFound, Refused
from portal.models import SyncLogEntry, SyncRun
from portal.models.runs.sync_run import SyncKind
from portal.services.integrations.current import get_active_integration
from portal.services.runs.history import get_run
from portal.services.runs.requests import request_run

MOST_CAUSES = 10
RECORDS_SHOWN = 4
MOST_RETRIED = 500
"""A request each; a sync of all reads a larger number more quickly."""
OF_AGENTS = (SyncKind.DEVICES, SyncKind.STATUS, SyncKind.AGENTS)
"""Kinds whose failed records are agents, and are mended by reading the agent."""
PROBLEM_ACTIONS = ("failed", "warning")


@dataclass(slots=True)
class ErrorCause:
    """One reason, and the records that it cost."""

    entry_id: int
    """An entry of the log that has the reason, and stands for all of them."""
    action: str
    """`failed`; `warning` where it is about no single record."""
    reason: str
    number: int
    retryable: int
    """How many of them can be read again by themselves."""
    records: list[tuple[str, str]] = field(default_factory=list)
    """Name and external id of the first few; an unreadable record has neither."""


def list_causes(run: SyncRun) -> list[ErrorCause]:
    """The commonest first. Of more than MOST_CAUSES the rest is left to the log."""
    entry = SyncLogEntry
    alike = (entry.action, entry.reason)
    is_known = case((entry.external_id != "", 1), else_=0)
    entries = (
        select(
            entry.id,
            entry.action,
            func.coalesce(entry.reason, "").label("reason"),
            entry.name,
            entry.external_id,
            func.row_number().over(partition_by=alike, order_by=entry.id).label("place"),
            func.count().over(partition_by=alike).label("number"),
            func.sum(is_known).over(partition_by=alike).label("known"),
            func.min(entry.id).over(partition_by=alike).label("first"),
        )
        .where(entry.run_id == run.id, entry.action.in_(PROBLEM_ACTIONS))
        .subquery()
    )
    found = entries.c
    shown = select(entries).where(found.place <= RECORDS_SHOWN)
    shown = shown.order_by(found.number.desc(), found.first, found.id)
    causes: dict[int, ErrorCause] = {}
    for row in db.session.execute(shown.limit(MOST_CAUSES * RECORDS_SHOWN)):
        can_retry = run.kind in OF_AGENTS and row.action == "failed"
        retryable = row.known if can_retry else 0
        new = ErrorCause(row.first, row.action, row.reason, row.number, retryable)
        cause = causes.setdefault(row.first, new)
        if row.action == "failed":
            cause.records.append((row.name, row.external_id))
    return list(causes.values())[:MOST_CAUSES]


def retry_failed(run_id: int, entry_id: int, user_id: int) -> tuple[SyncRun, bool]:
    """A run of the agents that failed in this run for the same reason as this entry, and whether
    it is a new one.

    Raises NotFound, and Refused when there is none to be read by itself, when there are too many,
    and when the connection is not active.
    """
    run = get_run(run_id)
    agent_ids = list(db.session.scalars(_failed_alike(run, entry_id).limit(MOST_RETRIED + 1)))
    if not agent_ids:
        raise Refused("None of these records names an agent, so none can be read on its own.")
    if len(agent_ids) > MOST_RETRIED:
        raise Refused(
            f"More than {MOST_RETRIED} agents failed for this reason. Sync devices instead: it "
            "reads them in fewer requests."
        )
    if run.integration_id != get_active_integration().id:
        raise Refused("This run read a different server from the one that is connected now.")
    subject = sha256(" ".join(agent_ids).encode()).hexdigest()[:16]
    return request_run(SyncKind.AGENTS, "button", subject, user_id, agent_ids)


def _failed_alike(run: SyncRun, entry_id: int) -> Select[str]:
    """The agent ids, in order. Raises NotFound for an entry that is not of this run."""
    entry = db.session.get(SyncLogEntry, entry_id)
    if entry is None or entry.run_id != run.id or run.kind not in OF_AGENTS:
        raise NotFound("There is no such entry in the log of this run.")
    return (
        select(SyncLogEntry.external_id)
        .where(
            SyncLogEntry.run_id == run.id,
            SyncLogEntry.action == "failed",
            SyncLogEntry.reason == entry.reason,
            SyncLogEntry.external_id != "",
        )
        .distinct()
        .order_by(SyncLogEntry.external_id)
    )
