"""Which paragraph of the documents a page's “?” leads to."""

from __future__ import annotations

from flask import request

TOPICS = {
    "search": "lists#search-everything",
    "saved_views": "lists#views",
    "dashboard": "guide#first-steps",
    "first_steps": "guide#first-steps",
    "tacticalrmm": "guide#1-connect",
    "integrations": "guide#1-connect",
    "organizations": "guide#2-organizations",
    "clients": "guide#2-organizations",
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
    "single_sign_on": "single-sign-on#set-it-up",
    "api_tokens": "api#tokens",
}
"""By blueprint: a document of `docs` and a heading in it."""
OF_ENDPOINTS = {
    "assets.merge": "conflicts#merging-two-assets-yourself",
    "rules.transfer": "rules#rules-as-a-file",
    "channels.wording": "channels#words-of-your-own",
    "helpdesks.customers": "helpdesks#clients-and-customers",
    "windows.links": "maintenance#calendars",
}
"""Of pages that are about something else than the rest of their area."""


def find_topic() -> tuple[str, str] | None:
    """The document and the heading for the page that is shown."""
    topic = OF_ENDPOINTS.get(request.endpoint or "") or TOPICS.get(request.blueprint or "")
    document, _, heading = (topic or "").partition("#")
    return (document, heading) if document else None
