from __future__ import annotations

from tests.support.running_msp import msp, portal

__all__ = ["msp", "portal"]
