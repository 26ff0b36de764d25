"""What the tests do to runs behind the services' back."""

from __future__ import annotations

from portal.db import transaction
from portal.models import SyncRun


def change(run_id: int, **values: object) -> None:
    with transaction() as session:
        run = session.get_one(SyncRun, run_id)
        for name, value in values.items():
            setattr(run, name, value)
