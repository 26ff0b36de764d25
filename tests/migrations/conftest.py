from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from portal import create_app
from portal.config import read_settings
from portal.db import db
from portal.scope import all_tenants
from tests.support.keys import KEYS


@pytest.fixture
def empty_app(empty_database_url: str, tmp_path: Path) -> Iterator[Flask]:
    """Of a database without tables, across tenants."""
    environ = {**KEYS, "DATABASE_URL": empty_database_url, "PORTAL_DATA_DIR": str(tmp_path)}
    app = create_app(read_settings(environ))
    with app.app_context(), all_tenants():
        yield app
        db.session.remove()
        db.engine.dispose()
