"""Reading chosen assets anew from Tactical, before a sync would."""

from __future__ import annotations

from hashlib import sha256

from sqlalchemy import select

from portal.db import db
from portal.errors import Refused
from portal.models import Asset, SyncRun
from portal.models.runs.sync_run import SyncKind
from portal.scope import beyond_clients
from portal.services.assets.choosing import Chosen
from portal.services.integrations.current import get_active_integration
from portal.services.runs.causes import MOST_RETRIED
from portal.services.runs.requests import request_run
from portal.wording import plural

NOT_THERE = (
    "None of these assets is in the Tactical server that is connected, so none can be read anew."
)


def refresh_assets(chosen: Chosen, user_id: int, *, may_sync: bool) -> tuple[SyncRun, int]:
    """The run that does it, and how many it reads: a few agents one by one; where they are many,
    all of the server's, which takes fewer requests. Raises InvalidInput for no choice, and Refused
    where it cannot be done."""
    its = Asset.integration_id == get_active_integration().id, Asset.rmm_device_id.is_not(None)
    found = select(Asset.rmm_device_id).where(*chosen.to_conditions(), *its).order_by(Asset.id)
    agent_ids = list(db.session.scalars(found.limit(MOST_RETRIED + 1)))
    if not agent_ids:
        raise Refused(NOT_THERE)
    if len(agent_ids) > MOST_RETRIED and not may_sync:
        raise Refused(f"Select at most {MOST_RETRIED} assets to be refreshed at once.")
    with beyond_clients():  # the assets are those of whoever asks; the run tells no more
        if len(agent_ids) > MOST_RETRIED:
            return request_run(SyncKind.DEVICES, "button", user_id=user_id)[0], 0
        if len(agent_ids) == 1:
            return request_run(SyncKind.AGENT, "button", agent_ids[0], user_id)[0], 1
        subject = sha256(" ".join(agent_ids).encode()).hexdigest()[:16]
        title = f"Refresh of {plural(len(agent_ids), 'asset')}"
        run, _ = request_run(SyncKind.AGENTS, "button", subject, user_id, agent_ids, title)
    return run, len(agent_ids)
