"""Alerts that a person chose: some by their ids, or all that a filter shows."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from portal.db import db
from portal.errors import InvalidInput
from portal.models import Alert
from portal.models.alerts.alert import AlertStatus
from portal.services.alerts.filters import AlertFilter, alert_conditions
from portal.services.alerts.occurrences import check_ids

MOST_MATCHING = 2000
"""That a filter shows: each is written down in its timeline, for subscribers and to be undone,
while somebody waits for the page."""
MOST_BY_WORKER = 5000
"""In Tactical each costs a request or two, one after the other."""

Which = Sequence[int] | AlertFilter


def list_chosen(which: Which, most: int = MOST_MATCHING) -> list[int]:
    """The ids, each once. Of those that a filter shows, those that are resolved are left out:
    there is nothing to be done about them.

    `most`: that a filter may show. Raises InvalidInput for none, and for too many.
    """
    if not isinstance(which, AlertFilter):
        return check_ids(which)
    is_open = Alert.status != AlertStatus.RESOLVED
    query = select(Alert.id).where(*alert_conditions(which), is_open).order_by(Alert.id)
    ids = list(db.session.scalars(query.limit(most + 1)))
    if not ids:
        raise InvalidInput("No alert matches any more that is not resolved.")
    if len(ids) > most:
        raise InvalidInput(
            f"More than {most:,} alerts match, which is the most for this at once. Filter further."
        )
    return ids
