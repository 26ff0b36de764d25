"""The events of a page of agents: assets that are new, and those whose facts changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from portal.events.outbox import Happening, record_events
from portal.models.event import EventType
from portal.sync.facts import VITALS
from portal.sync.plan import Action, Decision


def tell_devices(
    session: Session, decisions: Sequence[Decision], asset_ids: Mapping[str, int]
) -> None:
    """After the page was applied, which gave the ids of new assets: in one statement."""
    news: list[Happening] = []
    for decision in decisions:
        if decision.action is Action.CREATED:
            asset_id = asset_ids[decision.external_id]
            news.append(_happening(EventType.DEVICE_CREATED, asset_id, decision))
        elif decision.known is not None and is_news(decision):
            news.append(_happening(EventType.DEVICE_UPDATED, decision.known.id, decision))
    record_events(session, news)


def is_news(decision: Decision) -> bool:
    """Whether it changes a fact. An agent that only checked in again does not."""
    return bool(set(decision.changes or ()) - VITALS)


def _happening(kind: EventType, asset_id: int, decision: Decision) -> Happening:
    known, client_id = decision.known, decision.client_id
    payload: dict[str, Any] = {
        "asset_id": asset_id,
        "rmm_device_id": decision.external_id,
        "name": decision.name,
        "client_id": known.client_id if known and client_id is None else client_id,
        "changed": sorted(decision.changes or ()),
    }
    return kind, decision.name, payload
