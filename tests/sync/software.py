"""An ingest, and what is stored after it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from portal.db import db
from portal.models import SoftwareTitle, SyncRun
from portal.models.runs.sync_run import SyncKind
from portal.services.export import export_software
from tests.support.msp import Msp

Row = dict[str, Any]


def ingest(msp: Msp) -> SyncRun:
    return msp.sync(SyncKind.SOFTWARE)


def rows_of(msp: Msp, agent_id: str) -> list[Row]:
    rows = [row for row in export_software() if row["rmm_device_id"] == agent_id]
    db.session.rollback()
    return rows


def installed(msp: Msp, agent_id: str) -> set[tuple[str, str | None]]:
    """Name and version of what it has now."""
    rows = rows_of(msp, agent_id)
    return {(row["name"], row["version"]) for row in rows if row["removed_at"] is None}


def titles() -> dict[tuple[str, str], tuple[int, int]]:
    """On how many assets and in how many versions, by name and publisher."""
    found = db.session.scalars(select(SoftwareTitle)).all()
    db.session.rollback()
    return {(t.name, t.publisher): (t.asset_count, t.version_count) for t in found}


def reporting(msp: Msp) -> list[str]:
    """Agents that have reported software."""
    truth = msp.tactical.control.truth.software()
    return [agent_id for agent_id in msp.agents if truth[agent_id]]


def entry(name: str, version: str = "1.0", **members: str) -> Row:
    return {"name": name, "version": version, **members}
