"""How PostgreSQL is asked to plan what the portal asks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from portal import create_app
from portal.config import Settings
from portal.db import db
from tests.support.apps import leave


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("own", "expected"),
    [("", "1.1 0"), ("&options=-c%20random_page_cost%3D3", "3 2")],
    ids=["as the portal", "as the address says"],
)
def test_for_disks_without_heads_and_without_parallel_workers(
    settings: Settings, postgresql_url: str, own: str, expected: str
) -> None:
    app = create_app(replace(settings, database_url=postgresql_url + own))
    names = ("random_page_cost", "max_parallel_workers_per_gather")
    with app.app_context(), db.engine.connect() as connection:
        shown = [connection.exec_driver_sql(f"SHOW {name}").scalar() for name in names]
    leave(app)
    assert " ".join(map(str, shown)) == expected
