from __future__ import annotations

import pytest
from flask import Flask
from flask.ctx import AppContext

from portal.db import db
from portal.services.accounts.tenants import add_tenant
from portal.supervisor import scheduler


@pytest.mark.one_database
def test_sqlite_learns_how_many_rows_its_indexes_find(app: Flask, app_context: AppContext) -> None:
    """Else it would look for fifty alerts among all of their tenant's."""
    add_tenant("Acme MSP", "acme")
    scheduler._look_at_tables(app)
    with db.engine.connect() as connection:
        known = connection.exec_driver_sql("SELECT tbl FROM sqlite_stat1").scalars().all()
    assert "tenants" in known
