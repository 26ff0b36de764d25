"""Maintenance windows for programs: what the API and `portal windows` print."""

from __future__ import annotations

from typing import Any

import msgspec

from portal.clock import iso_utc
from portal.services.windows.listing import WindowView
from portal.services.windows.words import describe_repeats


def to_record(view: WindowView) -> dict[str, Any]:
    """Ids are text, times are ISO 8601 in UTC, but for `starts`, which is by the clocks of the
    zone."""
    row, terms, found = view.row, view.terms, view.occurrence
    scope = msgspec.to_builtins(terms.scope)
    return {
        "id": str(row.id),
        "name": row.name,
        "state": view.state.replace(" ", "_"),
        "problem": view.problem,
        "zone": row.zone,
        "starts": row.starts,
        "minutes": row.minutes,
        "repeats": row.repeats,
        "repeats_in_words": describe_repeats(terms),
        "scope": scope | {name: [str(i) for i in scope[name]] for name in ("clients", "assets")},
        "scope_in_words": [part.name for part in view.scope],
        "occurrence_start": iso_utc(found.start) if found else None,
        "occurrence_end": iso_utc(found.end) if found else None,
        "over_at": iso_utc(row.over_at) if row.over_at else None,
        "ended_at": iso_utc(row.ended_at) if row.ended_at else None,
        "deleted_at": iso_utc(row.deleted_at) if row.deleted_at else None,
        "created_by": row.created_by,
        "created_at": iso_utc(row.created_at),
    }
