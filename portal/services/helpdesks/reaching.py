"""The way to a helpdesk, for a few calls in a row: no transaction is open meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from portal.helpdesks import KINDS, HelpdeskKind
from portal.helpdesks.kind import Helpdesk as FarSide
from portal.helpdesks.kind import NotDone
from portal.models import Helpdesk
from portal.services.far_sides import try_secrets
from portal.services.integrations.networks import get_gateway


@dataclass(frozen=True, slots=True)
class Way:
    """As plain values: the row may be changed or gone meanwhile."""

    kind: HelpdeskKind
    settings: Mapping[str, Any]
    secrets: Mapping[str, str] = field(repr=False)
    problem: str | None
    """Why it cannot be gone at all."""

    def connect(self) -> FarSide:
        """Raises HelpdeskError."""
        if self.problem is not None:
            raise NotDone(self.problem)
        gateway: Any = get_gateway()
        return self.kind.connect(gateway, self.settings, self.secrets)

    @property
    def can_find(self) -> bool:
        return self.kind.can_find(self.settings)

    @property
    def reads_at_once(self) -> int:
        return self.kind.reads_at_once(self.settings)

    @property
    def can_close(self) -> bool:
        return self.kind.can_close(self.settings)


def make_way(helpdesk: Helpdesk) -> Way | None:
    """None for one of a kind that there is not."""
    kind = KINDS.get(helpdesk.kind)
    if kind is None:
        return None
    secrets, problem = try_secrets(helpdesk, kind.fields)
    return Way(kind, dict(helpdesk.settings), secrets, problem)
