"""Merging by themselves assets of one computer: its serial number came in late."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from portal.errors import NotFound, Refused
from portal.sync.devices.apply import log_entries
from portal.sync.devices.arrivals.identification import Identified
from portal.sync.devices.arrivals.newcomers import count_newcomers
from portal.sync.devices.merging.merge import merge_into
from portal.sync.devices.plan import Decision
from portal.sync.devices.sightings import drop_sightings
from portal.sync.devices.writers.base import plan_identified
from portal.sync.runs.action import Action
from portal.sync.runs.log import RunLog, log_entry

CHANGED = "One of the two assets is gone or has another agent by now."


def merge_identified(
    session: Session, integration_id: int, each: Identified, run_log: RunLog, now: datetime
) -> None:
    """Merge the agent's own asset into the one that is its computer's. A pair that cannot be
    merged is named in the log and looked at again by the next run. `now` is by Tactical's clock."""
    decisions = plan_identified(session, integration_id, [each])
    problem: str | None = CHANGED
    for decision in decisions:
        problem = write_merge(session, integration_id, decision, run_log, now)
    if problem is not None:
        newcomer = each.verdict.newcomer
        reason = f"Its asset was not merged into the older one: {problem}"
        run_log.note(session, [log_entry("note", newcomer.agent_id, newcomer.name, reason)])


def write_merge(
    session: Session, integration_id: int, decision: Decision, run_log: RunLog, now: datetime
) -> str | None:
    """In a savepoint of the caller's transaction; why it could not be, as a sentence."""
    own = decision.identity.newcomer.asset_id if decision.identity else None
    if decision.action is not Action.RELINKED or decision.known is None or own is None:
        return CHANGED
    try:
        with session.begin_nested():
            merge_into(session, decision.known.id, own, run_log.cause, now, agent_of=own)
    except (NotFound, Refused) as error:
        return error.message
    drop_sightings(session, integration_id, [decision.external_id])
    run_log.record(session, count_newcomers([decision]), log_entries([decision]))
    return None
