"""The API by which programs read a tenant's records."""

from __future__ import annotations

from flask import Flask

from portal.api import document
from portal.api.problems import PREFIX
from portal.api.views import assets, audit, notices, openapi, records, saved_views, tickets

__all__ = ["PREFIX", "init_app"]

ROOMS = [
    records.clients,
    records.organizations,
    assets.assets,
    records.alerts,
    records.rules,
    records.windows,
    records.channels,
    tickets.tickets,
    records.software,
    records.runs,
    notices.notices,
    saved_views.saved_views,
    audit.audit,
]


def init_app(app: Flask) -> None:
    document.init_app(app, ROOMS)
    app.register_blueprint(openapi.openapi)
