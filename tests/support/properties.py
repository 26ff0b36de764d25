"""Property tests try the same examples each time, and a busy machine fails none of them."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("portal", deadline=None, derandomize=True, database=None)
settings.register_profile("fast", settings.get_profile("portal"), max_examples=10)
settings.load_profile("portal")
