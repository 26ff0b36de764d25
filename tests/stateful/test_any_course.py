"""Whatever happens in whatever order: identity holds, nothing is lost, and nothing is done twice.

`make test-identity` tries 2,000 steps of courses that differ each time.
"""

from __future__ import annotations

import os
from collections import Counter

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from portal.models.integrations.integration import InventorySource
from portal.services.runs import execution
from tests.stateful.person_rules import PersonRules
from tests.stateful.world import World

pytestmark = pytest.mark.mainly("sqlite")

STEPS = int(os.environ.get("IDENTITY_STEPS", "0"))
"""How many steps to try; 0: few, and the same each time."""
A_COURSE = 40
FEW = settings(max_examples=2, stateful_step_count=A_COURSE, phases=[Phase.generate])
MANY = settings(
    max_examples=STEPS // A_COURSE or 1,
    stateful_step_count=A_COURSE,
    derandomize=False,
    phases=[Phase.generate],
    print_blob=True,
)
"""A failure is told as it was met, with what repeats it: to shorten it takes minutes."""


@pytest.fixture
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("portal.tactical.http.retries.FIRST_PAUSE", 0)
    monkeypatch.setattr(execution, "POLL_SECONDS", 0)


@pytest.mark.usefixtures("without_pauses")
def test_any_course_of_events(app: Flask) -> None:
    worlds: list[World] = []

    class Course(PersonRules):
        def make_world(self, source: InventorySource, brake_assets: int) -> World:
            worlds.append(World(app, f"msp-{len(worlds)}", source, brake_assets))
            return worlds[-1]

    run_state_machine_as_test(
        Course,
        settings=settings(MANY if STEPS else FEW, suppress_health_check=list(HealthCheck)),
    )
    done = sum((world.done for world in worlds), Counter[str]())
    print(f"{len(worlds)} courses: {dict(done)}")
    if STEPS:
        assert {"relinked", "waiting", "conflicts", "moved", "missing"} <= done.keys()
