"""Fixtures of the tests of past days."""

from tests.support.msp import msp

__all__ = ["msp"]
