"""Fixtures of the tests of organizations."""

from tests.support.msp import msp

__all__ = ["msp"]
