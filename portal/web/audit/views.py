"""The audit trail of the tenant: who did what, the newest first, and as a file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import current_app, render_template, request
from flask.typing import ResponseReturnValue

from portal.config import Settings
from portal.services.accounts.permissions import Permission
from portal.services.audit import listing
from portal.services.audit.listing import AuditFilter
from portal.services.audit.present import CSV_COLUMNS, list_changes, to_csv_row
from portal.services.audit.words import label_action
from portal.web.downloads import send_csv
from portal.web.fragments import page_or_region, words
from portal.web.guard import get_tenant, requires, tenant_blueprint
from portal.web.input import to_number
from portal.web.saved_views.look import list_context

audit = tenant_blueprint("audit", __name__, "/audit")

DAYS = ((1, "Last 24 hours"), (7, "Last 7 days"), (30, "Last 30 days"), (90, "Last 90 days"))


@audit.get("/")
@requires(Permission.READ_AUDIT)
def index() -> ResponseReturnValue:
    shown, settings = _read_filter(), _get_settings()
    before = to_number(words("before")) or 0
    page = listing.list_page(get_tenant().id, shown, before)
    return page_or_region(
        "audit/list.html",
        {"audit-rows": "audit/_rows.html"},
        page=page,
        filters=shown,
        groups=listing.list_action_groups(),
        kinds=[(kind, kind.capitalize()) for kind in listing.TARGET_KINDS],
        days=DAYS,
        kept_days=settings.audit_days,
        list_changes=list_changes,
        label_action=label_action,
        **list_context("audit"),
    )


@audit.get("/<int:number>")
@requires(Permission.READ_AUDIT)
def show(number: int) -> ResponseReturnValue:
    entry = listing.get_entry(get_tenant().id, number)
    return render_template(
        "audit/detail.html",
        entry=entry,
        changes=list_changes(entry),
        title=label_action(entry.action),
    )


@audit.get("/export.csv")
@requires(Permission.READ_AUDIT)
def export() -> ResponseReturnValue:
    """What the list shows, streamed."""
    return send_csv("audit", CSV_COLUMNS, _rows(get_tenant().id, _read_filter()))


def _rows(tenant_id: int, shown: AuditFilter) -> Iterator[dict[str, Any]]:
    return (to_csv_row(entry) for entry in listing.walk_all(tenant_id, shown))


def _read_filter() -> AuditFilter:
    days = request.args.get("days", type=to_number) or 0
    return AuditFilter(
        who=words("who"),
        what=words("what"),
        target=words("target"),
        days=min(days, listing.MOST_DAYS),
        search=words("q"),
    )


def _get_settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings
