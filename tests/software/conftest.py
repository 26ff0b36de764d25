"""Fixtures of the tests of software."""

from tests.support.msp import msp

__all__ = ["msp"]
