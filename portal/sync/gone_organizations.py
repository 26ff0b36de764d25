"""Organizations that Tactical lists no more: marked as gone, or held for a person when they are
many."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import InstrumentedAttribute, Session

from portal.clock import utc_now
from portal.db import count_changed
from portal.models import OrganizationMapping
from portal.sync.devices.brake import BrakeSettings, BrakeVerdict, judge_gone_organizations
from portal.sync.runs.log import log_entry
from portal.wording import plural

GONE, HELD, KEPT = "gone", "held", "kept"
"""Actions in the log of a run. Of organizations that are not among those that it saw."""


@dataclass(frozen=True, slots=True)
class Gone:
    """`entries` for the log: of those that were marked as gone or held just now."""

    entries: list[dict[str, Any]]
    reason: str | None = None
    """Why there are some that were not marked, as a sentence; None where there are none."""
    waits: bool = False
    """Whether a person can decide about them."""


def mark_gone(
    session: Session,
    stored: Iterable[OrganizationMapping],
    listed: Set[str],
    settings: BrakeSettings,
) -> Gone:
    """By a complete listing: the external ids that it held. What is held stays so until Tactical
    lists it again or a person decides."""
    known = [mapping for mapping in stored if mapping.gone_since is None]
    absent = [each for each in known if _key(each) not in listed and each.kept_at is None]
    held = [mapping for mapping in absent if mapping.held_since is not None]
    new = [mapping for mapping in absent if mapping.held_since is None]
    brake = judge_gone_organizations(len(absent), len(known), len(listed), settings)
    if brake.verdict is BrakeVerdict.NOTHING_LISTED:
        return Gone([], brake.reason)
    if brake.verdict is BrakeVerdict.HELD:
        _stamp(session, new, OrganizationMapping.held_since)
        return Gone(to_entries(HELD, new), brake.reason, waits=True)
    _stamp(session, new, OrganizationMapping.gone_since)
    return Gone(to_entries(GONE, new), _describe_waiting(len(held)), waits=bool(held))


def to_entries(action: str, mappings: Iterable[OrganizationMapping]) -> list[dict[str, Any]]:
    """For the log of a run."""
    return [log_entry(action, _key(m), m.external_organization_name) for m in mappings]


def _stamp(
    session: Session,
    mappings: Sequence[OrganizationMapping],
    column: InstrumentedAttribute[Any],
) -> None:
    if mappings:
        ids = [mapping.id for mapping in mappings]
        mine = update(OrganizationMapping).where(OrganizationMapping.id.in_(ids))
        count_changed(session, mine.values({column: utc_now()}))


def _key(mapping: OrganizationMapping) -> str:
    return mapping.external_organization_id


def _describe_waiting(number: int) -> str | None:
    if not number:
        return None
    them, wait = plural(number, "organization"), "waits" if number == 1 else "wait"
    return f"{them} that Tactical no longer lists {wait} for a person's decision."
