"""The events of assets: those that are new, whose facts or whose status changed, that are retired
or restored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from portal.clock import iso_utc
from portal.events.outbox import Happening, record_events
from portal.models.events.event import EventType
from portal.sync.devices.facts import VITALS
from portal.sync.devices.plan import Decision
from portal.sync.runs.action import Action


def record_device_events(
    session: Session, decisions: Sequence[Decision], asset_ids: Mapping[str, int] | None = None
) -> None:
    """After the page was applied, which gave the ids of new assets: in one statement."""
    created = asset_ids or {}
    news: list[Happening] = []
    for decision in decisions:
        if decision.action is Action.CREATED:
            asset_id = created[decision.external_id]
            facts = _facts(asset_id, decision) | {"agent_status": decision.agent_status}
            news.append((EventType.DEVICE_CREATED, decision.name, facts | _as_of(decision)))
        if decision.known is not None and is_news(decision):
            facts = _facts(decision.known.id, decision)
            news.append((EventType.DEVICE_UPDATED, decision.name, facts))
        if decision.known is not None and decision.changes_status:
            change = {"from": decision.known.agent_status, "to": decision.agent_status}
            status = _about(decision.known.id, decision) | change | _as_of(decision)
            news.append((EventType.DEVICE_STATUS, decision.name, status))
        if decision.known is not None and decision.restores:
            news.append(retirement_event(**_about(decision.known.id, decision)))
    record_events(session, news)


def retirement_event(
    *,
    asset_id: int,
    rmm_device_id: str,
    name: str,
    client_id: int | None,
    retired_at: datetime | None = None,
    missing_since: datetime | None = None,
) -> Happening:
    """Of an asset as it is now: without `retired_at` it was restored, and without `missing_since`
    because Tactical lists its agent again."""
    kind = EventType.DEVICE_RESTORED if retired_at is None else EventType.DEVICE_RETIRED
    payload = {
        "asset_id": asset_id,
        "rmm_device_id": rmm_device_id,
        "name": name,
        "client_id": client_id,
        "retired_at": None if retired_at is None else iso_utc(retired_at),
        "missing_since": None if missing_since is None else iso_utc(missing_since),
    }
    return kind, name, payload


def is_news(decision: Decision) -> bool:
    """Whether it changes a fact. An agent that only checked in again does not."""
    return bool(set(decision.changes or ()) - VITALS)


def _facts(asset_id: int, decision: Decision) -> dict[str, Any]:
    return _about(asset_id, decision) | {"changed": sorted(decision.changes or ())}


def _as_of(decision: Decision) -> dict[str, Any]:
    at = decision.status_at
    return {"as_of": None if at is None else iso_utc(at)}


def _about(asset_id: int, decision: Decision) -> dict[str, Any]:
    known, client_id = decision.known, decision.client_id
    return {
        "asset_id": asset_id,
        "rmm_device_id": decision.external_id,
        "name": decision.name,
        "client_id": known.client_id if known and client_id is None else client_id,
    }
