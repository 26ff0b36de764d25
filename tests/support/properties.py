"""Property tests try the same examples each time, and a busy machine fails none of them."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("portal", deadline=None, derandomize=True, database=None)
settings.load_profile("portal")
