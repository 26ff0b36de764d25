"""Fixtures of the tests of sync runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from portal import queue
from portal.db import db
from tests.support.msp import msp

__all__ = ["jobs", "msp"]


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """What was handed to RQ, in place of doing so."""
    found: list[tuple[object, ...]] = []

    def note(*job: object) -> bool:
        found.append(job)
        return True

    monkeypatch.setattr(queue, "enqueue", note)
    return found


@pytest.fixture
def context(app: Flask) -> Iterator[Flask]:
    with app.app_context():
        yield app
        db.session.remove()
