"""Fixtures of the tests of conflicts."""

from __future__ import annotations

from tests.support.msp import msp

__all__ = ["msp"]
