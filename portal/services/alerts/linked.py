"""What the page of a link shows and does. It is about one occurrence of one alert, and says nothing
else of the tenant."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

from portal.db import db
from portal.errors import NotFound
from portal.models import Alert, AlertHandling, Channel, Client, User
from portal.models.alerts.alert import AlertStatus
from portal.scope import tenant_scope
from portal.services.accounts.throttle import Caller, attempt
from portal.services.alerts.acknowledging import acknowledge_linked
from portal.services.alerts.links import Link, invalid_link, open_link
from portal.services.alerts.listing import get_alert_row
from portal.services.audit.actor import current_actor
from portal.services.audit.people import as_user


@dataclass(frozen=True, slots=True)
class LinkedAlert:
    """`is_over`: so there is nothing to acknowledge any more."""

    tenant_id: int
    alert: Alert
    client: Client | None
    handling: AlertHandling
    is_over: bool


def read_linked(token: str, caller: Caller) -> LinkedAlert:
    """Changes nothing. Raises NotFound for a link that is not valid, and TooManyAttempts."""
    with attempt(caller):
        link = open_link(token)
        with tenant_scope(link.tenant_id):
            return _read(link)


def press(token: str, note: str, caller: Caller, user: User | None) -> None:
    """Acknowledge, in the name of `user`, or of whoever has the link: they are not asked who.

    Raises NotFound for a link that is not valid, Refused once the occurrence is over, InvalidInput
    and TooManyAttempts.
    """
    with attempt(caller):
        link = open_link(token)
        with tenant_scope(link.tenant_id):
            name = _name_holder(link)
            actor = as_user(user) if user else replace(current_actor(), name=name)
            acknowledge_linked(link.handling_id, actor.name, note, actor)


def _read(link: Link) -> LinkedAlert:
    handling = db.session.get(AlertHandling, link.handling_id, populate_existing=True)
    if handling is None:
        raise invalid_link()
    with suppress(NotFound):
        row = get_alert_row(handling.alert_id)
        alert = row.alert
        is_over = (
            handling.over_at is not None
            or alert.occurrences != handling.occurrence
            or alert.status is AlertStatus.RESOLVED
        )
        return LinkedAlert(link.tenant_id, alert, row.client, handling, is_over)
    raise invalid_link()


def _name_holder(link: Link) -> str:
    channel = db.session.get(Channel, link.channel_id) if link.channel_id else None
    return f"the link sent to {channel.name}" if channel else "a link in a message"
