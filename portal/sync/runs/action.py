"""What a sync decides for one record."""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    MOVED = "moved"
    RELINKED = "relinked"
    WAITING = "waiting"
    SKIPPED = "skipped"
    FAILED = "failed"
