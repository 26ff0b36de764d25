"""The admin pages: blueprints by area over one guard, one error handler, one set of headers."""

from __future__ import annotations

from importlib import import_module

from flask import Flask

from portal.web import (
    caller,
    egress,
    errors,
    guard,
    headers,
    hosts,
    input,
    request_id,
    static_files,
    template_helpers,
)
from portal.web.errands import following
from portal.web.first_steps import views as first_steps
from portal.web.help import views as help

AREAS = (
    "portal.web.auth:auth",
    "portal.web.auth.second_step:second_step",
    "portal.web.account.second_factors:second_factors",
    "portal.web.account.keys:passkeys",
    "portal.web.account.browsers:browsers",
    "portal.web.account.places:places",
    "portal.web.health:health",
    "portal.web.dashboard.views:dashboard",
    "portal.web.search.views:search",
    "portal.web.first_steps.views:first_steps",
    "portal.web.help.views:help_room",
    "portal.web.saved_views.views:saved_views",
    "portal.web.undo.views:undo",
    "portal.web.assets:assets",
    "portal.web.software.views:software",
    "portal.web.watches.views:watches",
    "portal.web.alerts:alerts",
    "portal.web.alerts.linked:acknowledge",
    "portal.web.windows:windows",
    "portal.web.windows:calendars",
    "portal.web.rules:rules",
    "portal.web.channels.views:channels",
    "portal.web.helpdesks:helpdesks",
    "portal.web.tickets:tickets",
    "portal.web.errands.views:errands",
    "portal.web.deliveries.views:deliveries",
    "portal.web.conflicts.views:conflicts",
    "portal.web.clients:clients",
    "portal.web.organizations.views:organizations",
    "portal.web.sync_runs.views:sync_runs",
    "portal.web.plans.views:plans",
    "portal.web.activity.views:activity",
    "portal.web.notices.views:notices",
    "portal.web.audit.views:audit",
    "portal.web.integrations.views:integrations",
    "portal.web.tacticalrmm:tacticalrmm",
    "portal.web.subscribers.views:subscribers",
    "portal.web.webhook.views:webhook",
    "portal.web.users:users",
    "portal.web.factor_rules.views:factor_rules",
    "portal.web.api_tokens.views:api_tokens",
    "portal.web.oidc:sso",
    "portal.web.oidc.views:single_sign_on",
)
WHILE_DEBUGGING = ("portal.web.design:design",)

PARTS = (
    *(request_id, egress, caller, hosts, input, guard, errors, headers, static_files),
    *(following, first_steps, help),
)


def init_app(app: Flask) -> None:
    for part in PARTS:
        part.init_app(app)
    template_helpers.register(app)
    for area in (*AREAS, *(WHILE_DEBUGGING if app.debug else ())):
        module, _, name = area.partition(":")
        app.register_blueprint(getattr(import_module(module), name))
