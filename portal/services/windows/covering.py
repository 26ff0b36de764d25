"""Which maintenance window keeps an alert silent. Pure: it knows neither Flask nor the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from portal.services.windows.occurrences import find_current
from portal.services.windows.terms import Scope, Window


class Subject(Protocol):
    """What a scope looks at of an alert. None: unknown, and in no scope that names one."""

    @property
    def client_id(self) -> int | None: ...
    @property
    def organization_id(self) -> str | None:
        """Tactical's pk, as `external_organization_id`."""

    @property
    def site_id(self) -> str | None: ...
    @property
    def asset_id(self) -> int | None: ...
    @property
    def kind(self) -> str: ...


class InForce(NamedTuple):
    window: Window
    end: datetime


def list_in_force(windows: Iterable[Window], at: datetime) -> list[InForce]:
    """Once for a batch of alerts: scopes are cheap to look at, calendars are not."""
    current = ((window, find_current(window, at)) for window in windows)
    return [InForce(window, found.end) for window, found in current if found]


def find_covering(in_force: Sequence[InForce], subject: Subject) -> InForce | None:
    """The one that keeps it silent; of several, the one that ends last, then the oldest."""
    covering = (one for one in in_force if covers(one.window.scope, subject))
    return max(covering, key=lambda one: (one.end, -one.window.id), default=None)


def covers(scope: Scope, subject: Subject) -> bool:
    if scope.kinds and subject.kind not in scope.kinds:
        return False
    return not scope.has_places or (
        subject.client_id in scope.clients
        or subject.organization_id in scope.organizations
        or subject.site_id in scope.sites
        or subject.asset_id in scope.assets
    )
