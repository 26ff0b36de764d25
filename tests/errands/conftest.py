"""Fixtures of the tests of errands."""

from tests.webhook.conftest import msp

__all__ = ["msp"]
