from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.clock import utc_now
from portal.db import Base, BigId, TenantOwned
from portal.models.leased import Leased

_IS_ACTIVE = text("status IN ('queued', 'running')")

COUNT_NAMES = (
    "seen",
    "created",
    "updated",
    "unchanged",
    "moved",
    "relinked",
    "waiting",
    "conflicts",
    "retired",
    "removed",
    "missing",
    "skipped",
    "failed",
)
"""Of agents; of a software run, of entries in their lists. `missing` are those that were found
to be gone: they are not among `seen`."""


class SyncKind(StrEnum):
    ORGANIZATIONS = "organizations"
    DEVICES = "devices"
    AGENT = "agent"
    AGENTS = "agents"
    """Chosen agents, each read by itself: those that another run could not use, say."""
    ALERTS = "alerts"
    STATUS = "status"
    """A light look at the whole fleet: who is there, since when, as whom, at what addresses."""
    SOFTWARE = "software"
    PREVIEW = "preview"
    """What a device sync would do, as a plan."""
    APPLY = "apply"
    """A device sync of what a person chose of a plan: its id is the subject."""
    MAPPING = "mapping"
    """Organizations were mapped to clients or unmapped, or it was said whether they are gone."""
    MERGE = "merge"
    """One asset went into another, or an agent to the asset that it belongs to."""
    ASSETS = "assets"
    """Assets are retired, restored or deleted for good."""
    REVERT = "revert"
    """What another run did is taken back: its id is the subject."""


class RunStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCESS = "success"
    PARTIAL = "partial"
    FAILED = "failed"
    CANCELLED = "cancelled"
    PLANNED = "planned"
    """A preview: it wrote a plan and changed nothing."""
    HELD = "held"
    """What would have taken too many assets away waits, as a plan, for a person; or organizations
    that are gone do."""


OF_A_PERSON = (SyncKind.MAPPING, SyncKind.MERGE, SyncKind.ASSETS)
"""Runs that stand for what a person did to assets, so that it can be seen and taken back like a
sync. They ask Tactical nothing. All but those of ASSETS begin and end in the transaction of what
was done."""
ACTIVE = (RunStatus.QUEUED, RunStatus.RUNNING)
COMPLETED = (RunStatus.SUCCESS, RunStatus.PARTIAL, RunStatus.HELD, RunStatus.PLANNED)


class SyncRun(TenantOwned, Leased, Base):
    """One execution of a sync, and the lease that lets only one run of a kind at a time."""

    __tablename__ = "sync_runs"
    __table_args__ = (
        Index(
            "uq_sync_runs_active",
            "integration_id",
            "kind",
            "subject",
            unique=True,
            sqlite_where=_IS_ACTIVE,
            postgresql_where=_IS_ACTIVE,
        ),
        Index(None, "tenant_id", "id"),
        Index(None, "tenant_id", "kind", "id"),
        Index(None, "status", "tenant_id", "id"),
        Index(None, "integration_id", "kind", "created_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    integration_id: Mapped[int] = mapped_column(ForeignKey("rmm_integrations.id"))
    kind: Mapped[SyncKind]
    subject: Mapped[str] = mapped_column(default="")
    """The agent_id of an agent sync; of a sync of chosen agents a digest of their ids; the id of
    the plan that is applied; of ASSETS a word and a digest of the assets; else empty. At most one
    run of a kind and subject is active."""
    agent_ids: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True), deferred=True)
    """Of a sync of chosen agents, else None."""
    asset_ids: Mapped[list[int] | None] = mapped_column(JSON(none_as_null=True), deferred=True)
    """Of ASSETS: what is to be retired, restored or deleted; else None."""
    status: Mapped[RunStatus] = mapped_column(default=RunStatus.QUEUED)
    trigger: Mapped[str]
    """`button`, `schedule`, `command`, `webhook`."""
    requested_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    title: Mapped[str | None]
    """What a person did, as a sentence; None of a sync."""
    reverts_run_id: Mapped[int | None] = mapped_column(BigId)
    reverted_by_run_id: Mapped[int | None] = mapped_column(BigId)
    """Of runs that may be gone by now."""
    source: Mapped[str | None]
    """Where the inventory was read: `beta` or `dashboard`."""
    phase: Mapped[str] = mapped_column(default="")
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int | None]
    paced_from: Mapped[datetime | None]
    """When `done` was `paced_done`: half a minute before the last progress, or as the phase
    began."""
    paced_done: Mapped[int] = mapped_column(default=0, server_default="0")
    seen: Mapped[int] = mapped_column(default=0)
    created: Mapped[int] = mapped_column(default=0)
    updated: Mapped[int] = mapped_column(default=0)
    unchanged: Mapped[int] = mapped_column(default=0)
    moved: Mapped[int] = mapped_column(default=0)
    relinked: Mapped[int] = mapped_column(default=0, server_default="0")
    waiting: Mapped[int] = mapped_column(default=0, server_default="0")
    conflicts: Mapped[int] = mapped_column(default=0, server_default="0")
    retired: Mapped[int] = mapped_column(default=0, server_default="0")
    removed: Mapped[int] = mapped_column(default=0, server_default="0")
    missing: Mapped[int] = mapped_column(default=0, server_default="0")
    skipped: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None]
    fault: Mapped[str | None]
    cancel_requested_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE

    @property
    def counts(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in COUNT_NAMES}


class SyncLogEntry(TenantOwned, Base):
    """What a run did to one record. Records left as they were have no entry."""

    __tablename__ = "sync_log_entries"
    __table_args__ = (Index(None, "run_id", "id"), Index(None, "run_id", "action"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("sync_runs.id", ondelete="CASCADE"))
    action: Mapped[str]
    """`created`, `updated`, `moved`, `failed`, `missing`, `returned`, `warning`, `note`."""
    external_id: Mapped[str]
    name: Mapped[str]
    reason: Mapped[str | None]
    changes: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """`{"name": ["old", "new"]}`"""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
