"""Which records somebody opened last, in a cookie of the tenant's pages that ends with the browser.

It holds no more than kinds and ids: names are read when they are shown, of what is there still and
whoever asks may see.
"""

from __future__ import annotations

import re

from flask import Response, current_app, g, request, url_for

from portal.services.search.records import Kind

COOKIE = "recent"
KEPT = 8
OPENED = {
    "assets.show": (Kind.ASSETS, "asset_id"),
    "clients.show": (Kind.CLIENTS, "client_id"),
    "alerts.show": (Kind.ALERTS, "alert_id"),
    "software.product": (Kind.SOFTWARE, "product_id"),
    "tickets.show": (Kind.TICKETS, "ticket_id"),
    "sync_runs.show": (Kind.RUNS, "run_id"),
}
"""Page of a record -> its kind, and the parameter that names it."""
_RECORD = re.compile(r"([a-z]{1,20})-([0-9]{1,18})")


def list_recent() -> list[tuple[Kind, int]]:
    """The last one first. Of another user of this browser there are none."""
    owner, _, records = request.cookies.get(_cookie(), "").partition(":")
    if owner != str(g.user.id):
        return []
    found = [match.groups() for match in map(_RECORD.fullmatch, records.split(".")) if match]
    return [(Kind(kind), int(number)) for kind, number in found if kind in set(Kind)][:KEPT]


def _cookie() -> str:
    """Browsers take one with the prefix over TLS alone."""
    return f"__Secure-{COOKIE}" if current_app.config["SESSION_COOKIE_SECURE"] else COOKIE


def remember(response: Response) -> Response:
    """After a request: the record whose page was opened comes first."""
    opened = OPENED.get(request.endpoint or "")
    if opened is None or response.status_code != 200 or "tenant" not in g:
        return response
    kind, parameter = opened
    record = (kind, (request.view_args or {})[parameter])
    others = [each for each in list_recent() if each != record]
    records = ".".join(f"{kind}-{number}" for kind, number in [record, *others][:KEPT])
    response.set_cookie(
        _cookie(),
        f"{g.user.id}:{records}",
        path=url_for("dashboard.show"),
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Lax",
    )
    return response
