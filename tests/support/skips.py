"""Skipping what a machine cannot run, unless the run is told that it must be able to."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def skip_or_fail(variable: str, reason: str) -> NoReturn:
    """CI sets the variable to 1: there, a test that cannot run is a failure."""
    if os.environ.get(variable) == "1":
        pytest.fail(f"{reason} ({variable}=1 forbids skipping)", pytrace=False)
    pytest.skip(reason)
