"""What a list of alerts is filtered by beside the alerts themselves."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from portal.db import db
from portal.models import AlertRule

URGENCIES = ("low", "normal", "high", "critical")


@dataclass(frozen=True, slots=True)
class RuleChoice:
    id: int
    name: str
    is_on: bool

    @property
    def choice(self) -> tuple[int, str]:
        """As the options of a form have it."""
        return self.id, self.name


def list_rule_choices() -> list[RuleChoice]:
    """In the order in which rules are tried; none for whoever is limited to some clients."""
    rows = db.session.execute(
        select(AlertRule.id, AlertRule.name, AlertRule.switched_on_at.is_not(None)).order_by(
            AlertRule.position, AlertRule.id
        )
    )
    return [RuleChoice(*row) for row in rows]
