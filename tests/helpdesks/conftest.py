from __future__ import annotations

from tests.web.conftest import acme, admin

__all__ = ["acme", "admin"]
