"""Alerts: the list, one alert, what can be done about them, the export."""

from __future__ import annotations

from flask import (
    current_app,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput, NotFound
from portal.extensions import htmx
from portal.models.integrations.integration import IntegrationState
from portal.models.runs.sync_run import SyncKind
from portal.services.accounts.permissions import Permission
from portal.services.alerts import actions
from portal.services.alerts import listing as alert_service
from portal.services.alerts.listing import AlertFilter
from portal.services.alerts.results import AlertAction
from portal.services.assets.listing import get_asset
from portal.services.deliveries.history import any_deliveries, list_deliveries_of_alert
from portal.services.errands.requests import TooManyWaiting
from portal.services.export import ALERT_COLUMNS, export_alerts
from portal.services.integrations.current import find_integration
from portal.services.runs.history import find_active_run, find_last_finished_run
from portal.services.webhook.state import get_health
from portal.web.client_filter import find_shown_client, read_client_id
from portal.web.downloads import send_csv
from portal.web.errands.following import follow
from portal.web.fragments import page_number, page_or_region, words
from portal.web.guard import is_safe_target, requires, tenant_blueprint
from portal.web.input import to_id, to_number

alerts = tenant_blueprint("alerts", __name__, "/alerts")

ALL = "any"
"""Of the address: without a status, the list shows what is active."""

DELIVERIES_SHOWN = 20


@alerts.get("/")
@requires(Permission.READ)
def index() -> ResponseReturnValue:
    shown = _read_filter()
    asset_id = shown.asset_id
    page, counts = alert_service.list_and_count(shown, page_number())
    integration = find_integration()
    any_alerts = counts["total"] > 0 or alert_service.any_alerts()
    return page_or_region(
        "alerts/list.html",
        {"alert-rows": "alerts/_rows.html"},
        filters={
            "q": shown.search,
            "status": words("status"),
            "severity": shown.severity,
            "client": find_shown_client(shown.client_id),
            "asset": get_asset(asset_id) if asset_id else None,
            "age": shown.age,
        },
        sort=shown.sort,
        page=page,
        alert_counts=counts,
        any_alerts=any_alerts,
        any_deliveries=any_deliveries(),
        integration=integration,
        webhook_health=get_health(integration) if integration and not any_alerts else None,
        webhook_url=find_webhook_url(),
        last_alert_sync=find_last_finished_run(SyncKind.ALERTS),
        run=find_active_run(SyncKind.ALERTS),
    )


@alerts.get("/export.csv")
@requires(Permission.READ)
def export() -> ResponseReturnValue:
    """The alerts that the list shows, streamed."""
    return send_csv("alerts", ALERT_COLUMNS, export_alerts(_read_filter()))


@alerts.post("/act")
@requires(Permission.ACT_ON_ALERTS)
def act_on_many() -> ResponseReturnValue:
    """The answer shows it as pending; with its outcome the list reads itself again."""
    try:
        ids = request.form.getlist("alert", type=to_id)
        errand = actions.request_action(_read_action(), ids, _read_days())
    except (InvalidInput, NotFound, TooManyWaiting) as error:
        if htmx:
            raise
        flash(error.message, "error")
        return redirect(_back(url_for("alerts.index")))
    follow(errand)
    if htmx:
        return render_template("errands/_errand.html", errand=errand)
    return redirect(_back(url_for("alerts.index")))


@alerts.get("/<int:alert_id>")
@requires(Permission.READ)
def show(alert_id: int) -> ResponseReturnValue:
    row = alert_service.get_alert_row(alert_id)
    integration = find_integration()
    return render_template(
        "alerts/detail.html",
        alert=row.alert,
        client=row.client,
        deliveries=list_deliveries_of_alert(alert_id, DELIVERIES_SHOWN),
        can_act=integration is not None
        and integration.id == row.alert.integration_id
        and integration.state is IntegrationState.ACTIVE
        and row.alert.external_alert_id is not None,
    )


@alerts.post("/<int:alert_id>/act")
@requires(Permission.ACT_ON_ALERTS)
def act(alert_id: int) -> ResponseReturnValue:
    alert_service.get_alert(alert_id)
    try:
        follow(actions.request_action(_read_action(), [alert_id], _read_days()))
    except TooManyWaiting as error:
        flash(error.message, "error")
    return redirect(url_for("alerts.show", alert_id=alert_id))


def find_webhook_url() -> str | None:
    """Where the webhook is set up, if that page is part of this portal."""
    has_page = "webhook.show" in current_app.view_functions
    return url_for("webhook.show") if has_page else None


def _read_filter() -> AlertFilter:
    status = words("status") or "active"
    return AlertFilter(
        search=words("q"),
        status="" if status == ALL else status,
        severity=words("severity"),
        client_id=read_client_id(),
        asset_id=request.args.get("asset_id", type=to_id),
        age=words("age"),
        sort=words("sort") or "-triggered",
    )


def _read_action() -> AlertAction:
    word = request.form.get("action", "")
    if word not in list(AlertAction):
        raise InvalidInput("Choose what to do: resolve, snooze or unsnooze.")
    return AlertAction(word)


def _read_days() -> int | None:
    return to_number(request.form.get("days", ""))


def _back(otherwise: str) -> str:
    back = request.form.get("next")
    return back if back and is_safe_target(back) else otherwise
