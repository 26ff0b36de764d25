"""The filter of the list of alerts, as the address has it."""

from __future__ import annotations

from typing import Any

from flask import g, request

from portal.services.alerts.choosing import Which
from portal.services.alerts.filters import UNACKNOWLEDGED, AlertFilter
from portal.services.assets.listing import get_asset
from portal.web.client_filter import find_shown_client, read_client_id
from portal.web.fragments import words
from portal.web.input import to_day, to_id, wants_all_matching

ALL = "any"
"""Of the address: without a status, the list shows what is active."""
MINE = "mine"
"""Beside the words of `portal.services.alerts.filters.HANDLED`."""


def read_filter() -> AlertFilter:
    status, handled = words("status") or "active", words("handled")
    if status == UNACKNOWLEDGED:
        status, handled = "active", UNACKNOWLEDGED
    return AlertFilter(
        search=words("q"),
        status="" if status == ALL else status,
        severity=words("severity"),
        client_id=read_client_id(),
        asset_id=request.args.get("asset_id", type=to_id),
        age=words("age"),
        handled="" if handled == MINE else handled,
        assigned_to=g.membership.id if handled == MINE else None,
        rule_id=request.args.get("rule_id", type=to_id),
        window_id=request.args.get("window_id", type=to_id),
        urgency=words("urgency"),
        raised_on=to_day(words("raised")),
        resolved_on=to_day(words("resolved")),
        ticket=words("ticket"),
        sort=words("sort") or "-triggered",
    )


def read_chosen() -> Which:
    """As a form says it: those that are ticked, or all that the filters of its address show."""
    return read_filter() if wants_all_matching() else request.form.getlist("alert", type=to_id)


def describe_filter(shown: AlertFilter) -> dict[str, Any]:
    """For the page, which names what is chosen. Raises NotFound for a client or an asset that is
    not there."""
    return {
        "q": shown.search,
        "status": words("status"),
        "severity": shown.severity,
        "client": find_shown_client(shown.client_id),
        "asset": get_asset(shown.asset_id) if shown.asset_id else None,
        "age": shown.age,
        "handled": words("handled"),
        "rule_id": shown.rule_id,
        "window_id": shown.window_id,
        "urgency": shown.urgency,
        "raised": shown.raised_on,
        "resolved": shown.resolved_on,
        "ticket": shown.ticket,
    }
