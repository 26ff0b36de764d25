"""Fixtures of the tests of the sync engine."""

from tests.support.msp import msp

__all__ = ["msp"]
