"""Processing deliveries: each one is a hint to look at Tactical's own record.

Claim what is due, confirm it with Tactical, write what that came to, release what is left.
"""

from __future__ import annotations

import logging
import math
import time
from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import select

from portal import queue
from portal.db import db
from portal.models import Delivery
from portal.scope import get_tenant_id
from portal.services.deliveries.agent_refreshes import start_due_refreshes
from portal.services.deliveries.claims import Claimed, claim_due, is_due, keep, release_claim
from portal.services.deliveries.lookups import Lookups
from portal.services.deliveries.writing import write_alone, write_together
from portal.services.handling.deciding import handle_due

log = logging.getLogger(__name__)

TURN_SECONDS = 3.0
"""Then it is the turn of the tenant's other work, refreshes of agents above all."""


def process_turn() -> None:
    """Process what is due of the tenant for a few seconds; the rest is queued again."""
    process_due(time.monotonic() + TURN_SECONDS)
    if db.session.scalar(select(Delivery.id).where(is_due()).limit(1)) is not None:
        queue.enqueue("process_deliveries", get_tenant_id())


def process_due(give_up: float = math.inf) -> int:
    """Process what is due of the scope's tenant, until nothing is; how many it were.

    `give_up`: begin no more after that time of the monotonic clock.
    """
    done, lookups = 0, Lookups()
    while time.monotonic() < give_up and (claimed := claim_due()):
        with keep(claimed):
            for integration_id, group in _by_integration(claimed).items():
                _process(integration_id, group, lookups)
        done += len(claimed)
        _handle_alerts()
        start_due_refreshes()
    return done


def _handle_alerts() -> None:
    """Decide at once what is done about them. What fails is done by the next job: the deliveries
    are processed all the same."""
    try:
        handle_due()
    except Exception:
        log.exception("What to do about alerts was not decided yet.")


def list_tenants_with_due_deliveries() -> list[int]:
    """Across tenants."""
    return list(db.session.scalars(select(Delivery.tenant_id).where(is_due()).distinct()))


def _process(integration_id: int, claimed: list[Claimed], lookups: Lookups) -> None:
    """Deliveries of one integration share one look at each alert: the last word counts."""
    confirmed = lookups.confirm(integration_id, claimed)
    written = write_together(integration_id, confirmed)
    for each in confirmed:
        if each.claimed not in written:
            write_alone(each)
    reached = {each.claimed for each in confirmed}
    for one in claimed:
        if one not in reached:
            release_claim(one)


def _by_integration(claimed: Iterable[Claimed]) -> dict[int, list[Claimed]]:
    groups: dict[int, list[Claimed]] = defaultdict(list)
    for each in claimed:
        groups[each.integration_id].append(each)
    return groups
