"""Property tests try the same examples each time, and a busy machine fails none of them.
`make test-properties` tries many more, which differ each time."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("portal", deadline=None, derandomize=True, database=None, max_examples=50)
settings.register_profile("fast", settings.get_profile("portal"), max_examples=10)
settings.register_profile(
    "deep", settings.get_profile("portal"), max_examples=1000, derandomize=False, print_blob=True
)
settings.load_profile("portal")
