from __future__ import annotations

from enum import StrEnum


class RevertAction(StrEnum):
    """What becomes of a record when a run is undone, in the words of a run's counts."""

    REMOVED = "removed"
    CREATED = "created"
    """An asset that had been removed is there again."""
    MOVED = "moved"
    RELINKED = "relinked"
    UPDATED = "updated"
    MAPPED = "mapped"
    """Of an organization: it is mapped as before."""
    UNCHANGED = "unchanged"
    """Nothing of it can go back."""
