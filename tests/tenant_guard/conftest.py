"""Fixtures of the tests of the tenant guard."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from portal.db import db, transaction
from portal.models import Client, Tenant
from portal.scope import all_tenants
from tests.tenant_guard.world import (
    OURS,
    THEIRS,
    make_integration,
    make_organization,
)


@pytest.fixture
def two_tenants(app: Flask) -> Iterator[None]:
    """Each with a client of its own; nothing is left in the session."""
    with app.app_context():
        with all_tenants(), transaction() as session:
            for number, name in ((OURS, "ours"), (THEIRS, "theirs")):
                session.add(Tenant(id=number, slug=name, name=name))
                session.flush()
                session.add(Client(id=number, tenant_id=number, name=name))
                session.add(make_integration(number))
                session.flush()
                session.add(make_organization(number, client=number))
        db.session.remove()
        yield
        db.session.remove()
