"""The settings of property tests."""

from tests.support import properties

__all__ = ["properties"]
