"""Alerts: the list, one alert, what can be done about them, the export."""

from __future__ import annotations

from flask import current_app, flash, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput
from portal.models.integrations.integration import IntegrationState
from portal.models.runs.sync_run import SyncKind
from portal.services.accounts.permissions import Permission
from portal.services.alerts import listing as alert_service
from portal.services.alerts import timeline
from portal.services.alerts.answer import answer
from portal.services.alerts.assigning import list_assignees
from portal.services.alerts.exporting import ALERT_COLUMNS, export_alerts
from portal.services.alerts.filters import AlertFilter
from portal.services.alerts.occurrences import check_ids
from portal.services.deliveries.history import list_deliveries_of_alert
from portal.services.integrations.current import find_integration
from portal.services.runs.history import find_active_and_last
from portal.services.tickets.listing import list_of_alerts
from portal.services.webhook.state import get_health
from portal.web.alerts.filters import read_chosen, read_filter
from portal.web.alerts.rows import read_rows
from portal.web.downloads import send_csv
from portal.web.fragments import find_way_back, page_or_region
from portal.web.guard import requires, tenant_blueprint
from portal.web.saved_views.look import list_context

alerts = tenant_blueprint("alerts", __name__, "/alerts")

DELIVERIES_SHOWN = 20


@alerts.get("/")
@requires(Permission.READ)
def index() -> ResponseReturnValue:
    rows = read_rows(read_filter(), url_for("alerts.index"))
    integration = find_integration()
    run, last_sync = find_active_and_last(SyncKind.ALERTS)
    any_alerts = rows["alert_counts"]["total"] > 0 or alert_service.any_alerts()
    return page_or_region(
        "alerts/list.html",
        {"alert-rows": "alerts/_rows.html"},
        **list_context("alerts"),
        **rows,
        rules_url=find_rules_url(),
        any_alerts=any_alerts,
        integration=integration,
        webhook_health=get_health(integration) if integration and not any_alerts else None,
        webhook_url=find_webhook_url(),
        last_alert_sync=last_sync,
        run=run,
    )


@alerts.get("/export.csv")
@requires(Permission.READ)
def export() -> ResponseReturnValue:
    """The alerts that the list shows, streamed."""
    return send_csv("alerts", ALERT_COLUMNS, export_alerts(read_filter()))


@alerts.post("/export.csv")
@requires(Permission.READ)
def export_chosen() -> ResponseReturnValue:
    which = read_chosen()
    if isinstance(which, AlertFilter):
        return send_csv("alerts", ALERT_COLUMNS, export_alerts(which))
    try:
        ids = check_ids(which)
    except InvalidInput as error:
        flash(error.message, "error")
        return redirect(find_way_back(url_for("alerts.index")))
    return send_csv("alerts", ALERT_COLUMNS, export_alerts(ids=ids), len(ids))


@alerts.get("/<int:alert_id>")
@requires(Permission.READ)
def show(alert_id: int) -> ResponseReturnValue:
    row = alert_service.get_alert_row(alert_id)
    integration, handling = find_integration(), row.alert.handling
    messages = timeline.list_messages(handling.id) if handling else []
    return render_template(
        "alerts/detail.html",
        alert=row.alert,
        client=row.client,
        answer=answer(handling, messages),
        messages=messages,
        tickets=list_of_alerts([alert_id]).get(alert_id, []),
        entries=timeline.list_entries(alert_id),
        earlier=timeline.list_earlier(alert_id, row.alert.occurrences),
        people=list_assignees(),
        current_place=g.membership.id,
        deliveries=list_deliveries_of_alert(alert_id, DELIVERIES_SHOWN),
        can_act=integration is not None
        and integration.id == row.alert.integration_id
        and integration.state is IntegrationState.ACTIVE
        and row.alert.external_alert_id is not None,
    )


def find_webhook_url() -> str | None:
    """Where the webhook is set up, if that page is part of this portal."""
    has_page = "webhook.show" in current_app.view_functions
    return url_for("webhook.show") if has_page else None


def find_rules_url() -> str | None:
    """Where rules are, if that page is part of this portal."""
    has_page = "rules.index" in current_app.view_functions
    return url_for("rules.index") if has_page else None
