"""The list of integrations: those of the provider registry, and the far sides of alerts and events,
each with how it stands."""

from __future__ import annotations

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from portal.models import Integration
from portal.providers import PROVIDERS
from portal.services.accounts.permissions import Permission
from portal.services.integrations.current import find_integration
from portal.services.integrations.server_health import find_outage
from portal.services.integrations.standing import FarSide, read_standings
from portal.services.webhook.state import get_health
from portal.web.guard import name_allowed, requires, tenant_blueprint
from portal.web.integrations.cards import (
    Card,
    describe_connection,
    describe_kind,
    describe_webhook,
)

integrations = tenant_blueprint("integrations", __name__, "/integrations")


@integrations.get("/")
@requires(Permission.READ_CONNECTION)
def index() -> ResponseReturnValue:
    may, standings = name_allowed(), read_standings()

    def describe(*kinds: FarSide) -> list[Card]:
        return [describe_kind(each, standings[each], may_add=may.change_settings) for each in kinds]

    groups = {"RMM": _list_providers()}
    if may.read_rules:
        groups["Alerts"] = describe(FarSide.CHANNELS, FarSide.HELPDESKS)
    tokens = (FarSide.TOKENS,) if may.manage_tokens else ()
    groups["Programs"] = describe(FarSide.SUBSCRIBERS, *tokens)
    return render_template("integrations/list.html", groups=groups)


def _list_providers() -> list[Card]:
    """Each with its webhook, once it is connected."""
    cards: list[Card] = []
    for provider in PROVIDERS.values():
        integration: Integration | None = find_integration(provider.slug)
        url, outage = url_for(f"{provider.slug}.show"), find_outage(integration)
        words = provider.name, provider.summary, url
        cards.append(describe_connection(*words, integration, outage))
        if integration:
            cards.append(describe_webhook(get_health(integration)))
    return cards
