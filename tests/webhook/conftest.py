"""Fixtures of the tests of services."""

from __future__ import annotations

import pytest
from flask import Flask

from tactical_simulator import SimulatedTactical
from tests.support.webhooks import Msp, make_msp


@pytest.fixture
def msp(app: Flask, tactical: SimulatedTactical, live_portal: str) -> Msp:
    return make_msp(app, tactical, live_portal)
