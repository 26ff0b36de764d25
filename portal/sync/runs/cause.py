"""What the history of assets names as the cause of a change."""

from __future__ import annotations

from dataclasses import dataclass

PERSON = "person"


@dataclass(frozen=True, slots=True)
class Cause:
    """`by` is a run's trigger, or PERSON."""

    by: str
    run_id: int | None = None
    user_id: int | None = None

    @classmethod
    def of_person(cls, user_id: int | None) -> Cause:
        """Somebody in the browser; None is somebody at the command line."""
        return cls("command" if user_id is None else PERSON, user_id=user_id)
