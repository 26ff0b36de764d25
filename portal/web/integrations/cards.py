"""The cards of the page of integrations: how each stands, since when, and the next step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flask import url_for

from portal.models import Integration
from portal.models.integrations.integration import IntegrationState
from portal.services.integrations.server_health import Outage
from portal.services.integrations.standing import FarSide, Standing
from portal.services.webhook.state import Health, WebhookState
from portal.wording import plural

Badge = tuple[str, str, str]
"""A word, its tone and its icon."""

CONNECTED: Badge = ("Connected", "good", "circle-check")
NOT_CONNECTED: Badge = ("Not connected", "quiet", "plug")
NOT_TESTED: Badge = ("Not tested", "warn", "alert-triangle")
FAILING: Badge = ("Failing", "bad", "alert-circle")
OFF: Badge = ("Off", "quiet", "power")
NONE: Badge = ("None", "quiet", "circle-minus")
VALID: Badge = ("Valid", "good", "circle-check")
EXPIRED: Badge = ("Expired", "warn", "clock")


@dataclass(frozen=True, slots=True)
class Card:
    """`is_next`: something is to be done, and its button does it."""

    name: str
    icon: str
    summary: str
    badge: Badge
    action: str
    url: str
    note: str = ""
    since: datetime | None = None
    """Ends the note: since when it is so."""
    is_next: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """What the cards of far sides say. `why`: they are for."""

    name: str
    icon: str
    why: str
    noun: str
    endpoint: str
    add: str
    endpoint_to_add: str


KINDS: Mapping[FarSide, Kind] = {
    FarSide.CHANNELS: Kind(
        "Channels",
        "bell-ringing",
        "Mailboxes, chat rooms, phones and programs to which alerts are sent.",
        "channel",
        "channels.index",
        "Add a channel",
        "channels.choose",
    ),
    FarSide.HELPDESKS: Kind(
        "Helpdesks",
        "help-hexagon",
        "Rules open tickets there, comment on them, and close them when the alert is over.",
        "helpdesk",
        "helpdesks.index",
        "Add a helpdesk",
        "helpdesks.choose",
    ),
    FarSide.SUBSCRIBERS: Kind(
        "Event subscribers",
        "send",
        "Notify other systems of syncs, assets and alerts as they happen, with signed webhooks.",
        "subscriber",
        "subscribers.index",
        "Add a subscriber",
        "subscribers.index",
    ),
    FarSide.TOKENS: Kind(
        "API tokens",
        "lock",
        "Let programs read assets, software, alerts and more.",
        "token",
        "api_tokens.index",
        "Make a token",
        "api_tokens.index",
    ),
}


def describe_connection(
    name: str, summary: str, url: str, integration: Integration | None, outage: Outage | None
) -> Card:
    """As the dashboard says it."""

    def card(badge: Badge, action: str, note: str = "", since: datetime | None = None) -> Card:
        return Card(name, "plug", summary, badge, action, url, note, since, badge is not CONNECTED)

    state = integration.state if integration else None
    if integration is None:
        return card(NOT_CONNECTED, "Connect")
    if state is IntegrationState.DISCONNECTED:
        return card(NOT_CONNECTED, "Connect again", "The portal reads nothing from it.")
    if state is IntegrationState.HELD:
        held: Badge = ("Needs a decision", "bad", "alert-circle")
        note = "The server may be a different one."
        return card(held, "Decide", note, integration.tested_at)
    if outage is not None and outage.stop is not None:
        note = "Tactical refuses the credentials."
        return card(FAILING, "Fix the credentials", note, outage.since)
    if outage is not None:
        return card(FAILING, "See why", "Tactical does not answer.", outage.since)
    if integration.last_error:
        began = integration.failing_since or integration.last_error_at
        return card(FAILING, "See why", integration.last_error, began)
    if state is IntegrationState.UNTESTED:
        note = "Until it passes a test, nothing is read from Tactical."
        return card(NOT_TESTED, "Test it", note)
    return card(CONNECTED, "Settings")


def describe_webhook(health: Health) -> Card:
    def card(badge: Badge, action: str, note: str, since: datetime | None = None) -> Card:
        summary = "Tactical notifies the portal when an alert begins and when it ends."
        url, is_next = url_for("webhook.show"), badge is not CONNECTED
        return Card("Webhook", "webhook", summary, badge, action, url, note, since, is_next)

    missed = f"{plural(health.missed, 'alert')} began that only the alert sync found."
    match health.state:
        case WebhookState.UNREACHED:
            note = "Tactical's last test did not arrive."
            return card(FAILING, "See why", note, health.test_failed_at)
        case WebhookState.SILENT:
            return card(FAILING, "See why", missed, health.missed_since)
        case WebhookState.WAITING:
            note = missed if health.missed else "No call has come yet."
            return card(NOT_CONNECTED, "Set it up", note)
        case WebhookState.TESTED:
            return card(CONNECTED, "Manage", "Its test arrived, and no alert yet.")
        case WebhookState.ARRIVING:
            return card(CONNECTED, "Manage", "")


def describe_kind(kind: FarSide, standing: Standing, *, may_add: bool) -> Card:
    """Whoever may not add the first one is shown the list."""
    words, (badge, action, note) = KINDS[kind], _judge(kind, standing)
    url, since = url_for(words.endpoint), None
    if not standing.number and may_add:
        action, url = words.add, url_for(words.endpoint_to_add)
    if badge is FAILING:
        since = standing.failing_since
    is_next = badge in (FAILING, NOT_TESTED)
    return Card(words.name, words.icon, words.why, badge, action, url, note, since, is_next)


def _judge(kind: FarSide, standing: Standing) -> tuple[Badge, str, str]:
    """The badge, what the button says, and what stands below."""
    number = f"{plural(standing.number, KINDS[kind].noun)}."
    if not standing.number:
        return (NONE if kind is FarSide.TOKENS else NOT_CONNECTED), "Manage", ""
    if kind is FarSide.TOKENS:
        return (VALID if standing.active else EXPIRED), "Manage", number
    if standing.failing:
        part = "It fails." if standing.number == 1 else f"{number} {standing.failing:,} failing."
        return FAILING, "See why", part
    if not standing.active:
        return OFF, "Manage", number
    if not standing.proven:
        return NOT_TESTED, "Test", number
    return CONNECTED, "Manage", number
