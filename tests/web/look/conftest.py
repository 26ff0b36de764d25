"""The application as it is while somebody works on it, with the page of its design system."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from portal.app import create_app
from portal.config import Settings
from tests.support.apps import served


@pytest.fixture
def debugging(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """It needs no database: nobody is signed in."""
    monkeypatch.setenv("FLASK_DEBUG", "1")
    return create_app(settings)


@pytest.fixture
def design(debugging: Flask) -> Iterator[str]:
    """The address of the page."""
    with served(debugging) as address:
        yield f"{address}/design"
