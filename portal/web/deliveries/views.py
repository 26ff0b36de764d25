"""Webhook deliveries: the list, one delivery, replaying."""

from __future__ import annotations

import json

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput, Refused
from portal.extensions import htmx
from portal.services.accounts.permissions import Permission
from portal.services.deliveries import history, replay
from portal.services.deliveries.history import DeliveryFilter
from portal.services.deliveries.intake import KEPT_BODY
from portal.services.integrations.current import find_integration
from portal.web.alerts.views import find_webhook_url
from portal.web.errors import toast_response
from portal.web.fragments import page_number, page_or_region, words
from portal.web.guard import is_safe_target, requires, tenant_blueprint
from portal.web.input import to_id, wants_all_matching
from portal.web.saved_views.look import list_context
from portal.wording import plural

deliveries = tenant_blueprint("deliveries", __name__, "/deliveries")


@deliveries.get("/")
@requires(Permission.READ_CONNECTION)
def index() -> ResponseReturnValue:
    shown = _read_filter()
    page, counts = history.list_and_count(shown, page_number())
    return page_or_region(
        "deliveries/list.html",
        {"delivery-rows": "deliveries/_rows.html"},
        filters={
            "q": shown.search,
            "status": shown.status,
            "event": shown.event,
            "period": shown.period,
            "agent_id": shown.agent_id,
        },
        page=page,
        delivery_counts=counts,
        failed=history.count_failed(),
        any_deliveries=counts["total"] > 0 or history.any_deliveries(),
        **list_context("deliveries"),
        integration=find_integration(),
        webhook_url=find_webhook_url(),
    )


@deliveries.get("/<int:delivery_id>")
@requires(Permission.READ_CONNECTION)
def show(delivery_id: int) -> ResponseReturnValue:
    row = history.get_delivery_row(delivery_id)
    return page_or_region(
        "deliveries/detail.html",
        {"delivery-body": "deliveries/_body.html"},
        delivery=row.delivery,
        asset=row.asset,
        alert=row.alert,
        is_under_way=row.is_under_way,
        is_cut=row.delivery.body_bytes > KEPT_BODY,
        kept_bytes=KEPT_BODY,
    )


@deliveries.post("/<int:delivery_id>/replay")
@requires(Permission.SYNC)
def replay_one(delivery_id: int) -> ResponseReturnValue:
    try:
        replay.replay_soon(delivery_id)
    except Refused as error:
        return _report(error.message, "error", url_for("deliveries.show", delivery_id=delivery_id))
    return _report(
        f"Call {delivery_id} is being processed again.",
        "success",
        url_for("deliveries.show", delivery_id=delivery_id),
    )


@deliveries.post("/replay-failed")
@requires(Permission.SYNC)
def replay_failed() -> ResponseReturnValue:
    number = replay.replay_failed_soon()
    return _report(
        f"{plural(number, 'failed call is', 'failed calls are')} being processed again.",
        "success",
        url_for("deliveries.index"),
    )


@deliveries.post("/replay")
@requires(Permission.SYNC)
def replay_many() -> ResponseReturnValue:
    """Those that are ticked, or all that the filters of the address show."""
    matching = wants_all_matching()
    which = _read_filter() if matching else request.form.getlist("delivery", type=to_id)
    back = url_for("deliveries.index")
    try:
        number = replay.replay_many_soon(which)
    except InvalidInput as error:
        return _report(error.message, "error", back)
    if not number:
        return _report(
            "None of these calls can be processed: their bodies are gone.", "error", back
        )
    return _report(
        f"{plural(number, 'call is', 'calls are')} being processed again.", "success", back
    )


def _read_filter() -> DeliveryFilter:
    return DeliveryFilter(
        search=words("q"),
        status=words("status"),
        event=words("event"),
        period=words("period"),
        agent_id=words("agent_id"),
    )


def _report(message: str, category: str, otherwise: str) -> ResponseReturnValue:
    """A toast, and the page reads itself again; without htmx a redirect."""
    if not htmx:
        flash(message, category)
        back = request.form.get("next")
        return redirect(back if back and is_safe_target(back) else otherwise)
    response = toast_response(message, category)
    triggers = json.loads(response.headers["HX-Trigger"]) | {"deliveries-changed": True}
    response.headers["HX-Trigger"] = json.dumps(triggers)
    return response
