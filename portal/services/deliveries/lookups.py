"""Asking Tactical about the alerts that deliveries speak of, and what to do without an answer."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from portal.db import db, release
from portal.errors import PortalError
from portal.models import Integration
from portal.models.integrations.integration import IntegrationState
from portal.services.deliveries.claims import Claimed
from portal.services.integrations.breaker import find_stop
from portal.services.integrations.current import open_tactical
from portal.tactical.alerts import TacticalAlert, TacticalAlerts
from portal.tactical.errors import MissingPermission, NotFoundInTactical
from portal.tactical.record_errors import may_be_of_record

MOST_MISSES = 2
"""So many unanswered in a row, and the others are not asked about: the server is away."""
MOST_CRASHES = 6
"""So many where each may be due to its alert alone."""
LOOKUP_SECONDS = 30.0
"""For one batch: what is not reached in time is released, for others to have their turn."""


class Lookup(msgspec.Struct, frozen=True):
    """What asking Tactical about an alert came to."""

    alert: TacticalAlert | None = None
    is_gone: bool = False
    problem: str | None = None
    can_retry: bool = False
    is_own: bool = False
    """The problem may be this alert's alone."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A claimed delivery, and what Tactical says about its alert."""

    claimed: Claimed
    lookup: Lookup


class Lookups:
    """Of one turn: a server that was found to be away is not asked again in it."""

    def __init__(self) -> None:
        self._away: dict[int, Lookup] = {}

    def confirm(self, integration_id: int, claimed: Sequence[Claimed]) -> list[Confirmed]:
        """Those of which the alert was asked about, or whose alert nobody knows, in order; what is
        missing was not reached in time."""
        named = [each.alert_id for each in claimed if each.alert_id is not None]
        answers = self._ask(integration_id, named)
        return [
            Confirmed(each, answers[each.alert_id] if each.alert_id else Lookup())
            for each in claimed
            if each.alert_id is None or each.alert_id in answers
        ]

    def _ask(self, integration_id: int, alert_ids: Iterable[str]) -> dict[str, Lookup]:
        """One answer for each alert; an id that is missing in it was not reached in time."""
        ids = list(dict.fromkeys(alert_ids))
        integration = db.session.get_one(Integration, integration_id)
        obstacle = _find_obstacle(integration)
        if obstacle is not None:
            return dict.fromkeys(ids, Lookup(problem=obstacle, can_retry=True))
        try:
            # In a interactive: a delivery can wait, the worker cannot.
            with open_tactical(integration, interactive=True) as tactical:
                release()
                return self._ask_each(integration_id, tactical.alerts, ids)
        except PortalError as error:  # no credentials to be had, or they are refused
            # Wrong ones may be mended before the last attempt.
            can_retry = error.retryable or find_stop(error) is not None
            return dict.fromkeys(ids, Lookup(problem=error.message, can_retry=can_retry))

    def _ask_each(
        self, integration_id: int, alerts: TacticalAlerts, ids: list[str]
    ) -> dict[str, Lookup]:
        found: dict[str, Lookup] = {}
        give_up, misses = time.monotonic() + LOOKUP_SECONDS, 0
        for alert_id in ids:
            away = self._away.get(integration_id)
            if away is None and time.monotonic() > give_up:
                break
            found[alert_id] = away or _look_up(alerts, alert_id)
            misses = misses + 1 if found[alert_id].can_retry else 0
            if misses >= (MOST_CRASHES if found[alert_id].is_own else MOST_MISSES):
                self._away[integration_id] = found[alert_id]
        return found


def _find_obstacle(integration: Integration) -> str | None:
    if integration.state is not IntegrationState.ACTIVE:
        return "The connection to Tactical is not active."
    return "Tactical refuses the credentials." if integration.stopped_for is not None else None


def _look_up(alerts: TacticalAlerts, alert_id: str) -> Lookup:
    try:
        return Lookup(alert=alerts.get(int(alert_id)))
    except NotFoundInTactical as error:
        # An HTML 404 is another server's, or a proxy's during a restart.
        if error.is_html:
            return Lookup(problem=error.message, can_retry=True)
        return Lookup(is_gone=True)
    except MissingPermission as error:
        return Lookup(problem=error.message)
    except PortalError as error:
        if find_stop(error) is not None:
            raise  # each question would be another sign-in that fails
        is_own = may_be_of_record(error)
        return Lookup(problem=error.message, can_retry=True, is_own=is_own)
