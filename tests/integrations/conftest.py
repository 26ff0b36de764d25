"""Fixtures of the tests of connecting."""

from tests.support.msp import msp

__all__ = ["msp"]
