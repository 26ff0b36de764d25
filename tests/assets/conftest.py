"""Fixtures of the tests of assets."""

from tests.support.msp import msp

__all__ = ["msp"]
