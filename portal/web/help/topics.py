"""Which paragraph of the documents a page's “?” leads to."""

from __future__ import annotations

from flask import request

from portal.web.past import wanted_day

TOPICS = {
    "search": "lists#search-everything",
    "saved_views": "lists#views",
    "dashboard": "guide#7-the-dashboard",
    "first_steps": "guide#first-steps",
    "tacticalrmm": "guide#1-connect",
    "integrations": "guide#1-connect",
    "organizations": "guide#2-organizations",
    "clients": "guide#the-page-of-a-client",
    "sync_runs": "guide#3-devices",
    "plans": "guide#3-devices",
    "assets": "guide#3-devices",
    "software": "software#products",
    "watches": "software#watches",
    "activity": "guide#6-activity",
    "alerts": "guide#4-alerts",
    "rules": "rules#which-alerts-a-rule-matches",
    "windows": "maintenance#maintenance-windows",
    "channels": "channels#how-messages-are-sent",
    "helpdesks": "helpdesks#helpdesks",
    "tickets": "tickets#where-tickets-show",
    "webhook": "webhook#set-it-up",
    "deliveries": "webhook#what-happens-then",
    "conflicts": "conflicts#how-to-settle-a-conflict",
    "subscribers": "events#subscribing",
    "notices": "notices#who-gets-them",
    "users": "people#roles",
    "audit": "audit#what-is-recorded",
    "factor_rules": "second-factors#required-by-a-tenant",
    "second_factors": "second-factors#second-factors",
    "passkeys": "second-factors#passkeys",
    "single_sign_on": "single-sign-on#set-it-up",
    "api_tokens": "api#tokens",
}
"""By blueprint: a document of `docs` and a heading in it."""
OF_ENDPOINTS = {
    "auth.account": "people#sessions",
    "auth.choose_tenant": "people#users-of-a-tenant",
    "second_factors.add_app": "second-factors#authenticator-app",
    "second_factors.remove_app": "second-factors#removing",
    "second_factors.renew_codes": "second-factors#recovery-codes",
    "passkeys.remove": "second-factors#removing",
    "clients.index": "guide#2-organizations",
    "clients.new": "guide#2-organizations",
    "clients.report": "reports#the-month-of-a-client",
    "organizations.created": "guide#undo",
    "sync_runs.preview_undo": "guide#undo",
    "assets.show": "guide#the-page-of-an-asset",
    "assets.alerts": "guide#the-page-of-an-asset",
    "assets.history": "guide#the-page-of-an-asset",
    "assets.note": "guide#notes",
    "assets.software": "guide#the-page-of-an-asset",
    "alerts.show": "alerts#why-did-nobody-call-me",
    "rules.new": "rules#what-it-does",
    "rules.older": "rules#trying-switching-on-and-ordering",
    "helpdesks.show": "helpdesks#the-probe",
    "tickets.show": "tickets#what-a-state-means",
    "users.index": "people#users-of-a-tenant",
    "users.show": "people#users-of-a-tenant",
    "audit.show": "audit#what-a-row-says",
    "api_tokens.reference": "api#asking",
    "assets.merge": "conflicts#merging-two-assets-yourself",
    "rules.transfer": "rules#rules-as-a-file",
    "channels.wording": "channels#words-of-your-own",
    "helpdesks.customers": "helpdesks#clients-and-customers",
    "windows.links": "maintenance#calendars",
}
"""Of pages that are about something else than the rest of their area."""


PAST_DAY = "reports#lists-of-a-past-day"
"""Whatever the list is of."""


def find_topic() -> tuple[str, str] | None:
    """The document and the heading for the page that is shown."""
    topic = PAST_DAY if wanted_day() else topic_of(request.endpoint or "")
    document, _, heading = topic.partition("#")
    return (document, heading) if document else None


def topic_of(endpoint: str) -> str:
    """Empty where there is none."""
    return OF_ENDPOINTS.get(endpoint) or TOPICS.get(endpoint.partition(".")[0], "")
