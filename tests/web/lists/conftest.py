"""Fixtures of the tests of lists."""

from __future__ import annotations

import pytest
from flask import Flask

from portal.services.accounts.users import add_user
from tests.web.lists.every_list import make_many
from tests.web.test_in_browser import EMAIL, PASSWORD
from tests.web.world import Place


@pytest.fixture
def many(app: Flask, acme: Place) -> Place:
    """A tenant with a page of everything, and its admin."""
    with app.app_context():
        add_user(EMAIL, PASSWORD, acme.slug, "admin")
    make_many(app, acme)
    return acme
