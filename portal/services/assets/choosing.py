"""Assets that a person chose: some of them, all that a filter shows, or one by its name."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select

from portal.db import db
from portal.errors import InvalidInput, NotFound
from portal.models import Asset, Integration
from portal.services.assets.freshness import get_stale_before
from portal.services.assets.listing import AssetFilter, asset_conditions
from portal.services.client_choosing import ChosenClients

MOST_DIGITS = 18
"""Of a number that every column can hold."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Some assets by their ids, all that a filter shows, or those of some clients that Tactical
    lists."""

    ids: Collection[int] = ()
    shown: AssetFilter | None = None
    clients: ChosenClients | None = None

    def to_conditions(self) -> list[ColumnElement[bool]]:
        """Raises InvalidInput when nothing is chosen."""
        if self.shown is not None:
            return asset_conditions(self.shown, get_stale_before())
        if self.clients is not None:
            its = Asset.client_id.in_(self.clients.select_ids())
            return [its, Asset.missing_since.is_(None)]
        if not self.ids:
            raise InvalidInput("Select at least one asset.")
        return [Asset.id.in_(self.ids)]


def get_asset_id(name: str) -> int:
    """Of an asset by Tactical's agent_id, or by its own number. Raises NotFound, and InvalidInput
    where a server has given an agent the number of another asset."""
    found = {each for each in (_find_by_agent(name), _find_by_number(name)) if each is not None}
    if not found:
        raise NotFound(f"There is no asset {name!r}. Name it by its agent_id or its number.")
    if len(found) > 1:
        raise InvalidInput(
            f"{name} is the number of one asset and the agent_id of another one. Use the pages of "
            "the portal for these two."
        )
    return found.pop()


def _find_by_agent(agent_id: str) -> int | None:
    """Of the connected server, if it has such an agent; else of the one that was set aside last."""
    ids = select(Asset.id).join(Integration, Integration.id == Asset.integration_id)
    newest = (Integration.set_aside_at.is_not(None), Asset.id.desc())
    return db.session.scalar(ids.where(Asset.rmm_device_id == agent_id).order_by(*newest).limit(1))


def _find_by_number(text: str) -> int | None:
    if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS):
        return None
    return db.session.scalar(select(Asset.id).where(Asset.id == int(text)))
