"""One writer at a time."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.models import Integration


def lock_alerts(session: Session, integration_id: int) -> None:
    """One writer of an integration's alerts at a time, until the transaction ends.

    Two that both find an alert new would report it twice. (SQLite has one writer anyway.)
    """
    session.execute(
        select(Integration.id)
        .where(Integration.id == integration_id)
        .with_for_update(key_share=True)  # rows that refer to the integration can be inserted
    )
