"""Assets: the list, one asset, its refresh, the export."""

from __future__ import annotations

from flask import (
    flash,
    redirect,
    render_template,
)
from flask.typing import ResponseReturnValue

from portal.clock import utc_now
from portal.extensions import htmx
from portal.models.integrations.integration import IntegrationState
from portal.models.runs.sync_run import SyncKind
from portal.services.accounts.permissions import Permission
from portal.services.alerts.filters import AlertFilter
from portal.services.alerts.listing import count_by_status, list_open_of_asset
from portal.services.assets import listing as asset_service
from portal.services.assets.choosing import Chosen
from portal.services.assets.detail import AssetDetail, get_asset_detail
from portal.services.assets.edits import list_locked
from portal.services.assets.freshness import read_freshness
from portal.services.assets.words import find_own_words, list_filter_words
from portal.services.conflicts.listing import find_conflicted
from portal.services.export import ASSET_COLUMNS, export_assets
from portal.services.integrations.current import find_integration
from portal.services.integrations.options import DASHBOARD
from portal.services.organizations.listing import any_mapped
from portal.services.runs import requests
from portal.services.runs.history import find_active_run
from portal.services.tickets.listing import list_open
from portal.services.windows.editing import HOURS
from portal.services.windows.listing import list_of_asset
from portal.web.assets.filters import describe_filter, read_filter
from portal.web.assets.frame import frame, url_of_tab
from portal.web.assets.past import export_past_list, show_past_list
from portal.web.assets.stepping import describe_list
from portal.web.downloads import send_csv
from portal.web.fragments import page_number, page_or_region
from portal.web.guard import get_user, requires, tenant_blueprint
from portal.web.past import wanted_day
from portal.web.saved_views.look import list_context

assets = tenant_blueprint("assets", __name__, "/assets")

ALERTS_SHOWN = 5
TICKETS_SHOWN = 5


@assets.get("/")
@requires(Permission.READ)
def index() -> ResponseReturnValue:
    if wanted_day():
        return show_past_list(read_filter())
    shown = read_filter()
    stale_before, last_read_at = read_freshness()
    integration = find_integration()
    page, counts = asset_service.list_and_count(shown, page_number(), stale_before, integration)
    offered = list_filter_words(shown.client_id)
    any_assets = counts["total"] > 0 or asset_service.any_assets()
    return page_or_region(
        "assets/list.html",
        {"asset-rows": "assets/_rows.html"},
        **list_context("assets"),
        filters=describe_filter(shown),
        sort=shown.sort,
        list_query=describe_list(),
        sites=[(name, name) for name in offered.sites],
        os_types=[(word, word) for word in offered.os_types],
        page=page,
        conflicted=find_conflicted(asset.id for asset in page.items),
        words=find_own_words([asset.id for asset in page.items]),
        all_tags=offered.tags,
        asset_counts=counts,
        any_assets=any_assets,
        any_mapped=any_assets or any_mapped(),  # only an empty list says what to do first
        integration=integration,
        stale_before=stale_before,
        last_read_at=last_read_at,
        run=find_active_run(SyncKind.DEVICES),
    )


@assets.get("/export.csv")
@requires(Permission.READ)
def export() -> ResponseReturnValue:
    """The assets that the list shows, streamed."""
    if wanted_day():
        return export_past_list(read_filter())
    return send_csv("assets", ASSET_COLUMNS, export_assets(Chosen(shown=read_filter())))


@assets.get("/<int:asset_id>")
@requires(Permission.READ)
def show(asset_id: int) -> ResponseReturnValue:
    detail = get_asset_detail(asset_id)
    return page_or_region(
        "assets/detail.html", {"asset-body": "assets/_body.html"}, **_detail_context(detail)
    )


@assets.post("/<int:asset_id>/refresh")
@requires(Permission.REFRESH)
def refresh(asset_id: int) -> ResponseReturnValue:
    asset = asset_service.get_asset(asset_id)
    requests.request_run(SyncKind.AGENT, "button", asset.rmm_device_id, get_user().id)
    if htmx:
        detail = get_asset_detail(asset_id)
        return render_template("assets/_body.html", **_detail_context(detail))
    flash(f"{asset.name} is being refreshed.", "info")
    return redirect(url_of_tab("show", asset_id))


def _detail_context(detail: AssetDetail) -> dict[str, object]:
    asset, integration = detail.asset, find_integration()
    is_current = integration is not None and integration.id == asset.integration_id
    return {
        **frame(asset, "show", detail.stale_before, integration),
        "stale_before": detail.stale_before,
        "uptime": asset.uptime_at(utc_now()),
        "organization": detail.organization,
        "superseded": detail.superseded,
        "windows": list_of_asset(asset),
        "tags": detail.tags,
        "maintenance_hours": HOURS,
        "flags": _flags(detail),
        "locked": list_locked(asset),
        "has_conflict": bool(find_conflicted([asset.id])),
        "alerts": list_open_of_asset(asset.id, ALERTS_SHOWN),
        "alert_counts": count_by_status(AlertFilter(asset_id=asset.id)),
        "tickets": list_open(TICKETS_SHOWN, asset_id=asset.id),
        "can_refresh": is_current
        and integration is not None
        and integration.state is IntegrationState.ACTIVE
        and (detail.not_synced_because is None or asset.missing_since is not None),
        "dashboard_option": DASHBOARD.label,
        "run": find_active_run(SyncKind.AGENT, asset.rmm_device_id),
    }


def _flags(detail: AssetDetail) -> list[dict[str, str]]:
    asset, flags = detail.asset, []
    if detail.not_synced_because:
        flags.append(_flag("No longer refreshed", detail.not_synced_because))
    if asset.shown_status == "overdue":
        text = (
            "Tactical has not heard from this agent for longer than its limit. This page shows "
            "what it last reported."
        )
        flags.append(_flag("Not reachable", text))
    return flags


def _flag(title: str, text: str) -> dict[str, str]:
    return {"tone": "warn", "title": title, "text": text}
