"""What a person should look at: why, since when, and the button that leads to what to do."""

from __future__ import annotations

from typing import Any

from flask import url_for

from portal.models import Integration
from portal.models.integrations.integration import IntegrationState, Stop
from portal.models.tickets.ticket import TicketStatus
from portal.services.dashboard.overview import REVIEW_PERIOD, Overview
from portal.services.integrations.preview_due import PendingPreview
from portal.services.integrations.server_health import Outage
from portal.services.organizations.listing import OrganizationFilter
from portal.services.tickets.listing import Unsettled
from portal.services.webhook.state import Health, WebhookState
from portal.wording import plural

Item = dict[str, Any]


def list_attention(overview: Overview) -> list[Item]:
    """What a person should look at, the most urgent first."""
    integration, items = overview.integration, []
    settings = url_for("tacticalrmm.show")
    if integration is None:
        return []
    if integration.state is IntegrationState.HELD:
        items.append(
            _item("bad", "The Tactical server may be a different one.", "Decide", settings)
        )
    if integration.state is IntegrationState.UNTESTED:
        items.append(_item("bad", "The connection has not passed a test.", "Test it", settings))
    if integration.state is IntegrationState.DISCONNECTED:
        items.append(_item("warn", "Tactical RMM is disconnected.", "Connect", settings))
    stale_because = overview.stale_because or ""
    if overview.outage is not None:
        items += _outage_items(integration, overview.outage)
    elif (
        integration.state is IntegrationState.ACTIVE
        and integration.last_error
        and integration.last_error not in stale_because  # it is shown once
    ):
        items.append(_item("bad", integration.last_error, "Connection", settings))
    if stale_because:
        items.append(_stale_item(overview))
    items += _helpdesk_items(overview.failing_helpdesks)
    items += _ticket_items(overview)
    items += [*_alert_items(overview), *_delivery_items(overview), *_conflict_items(overview)]
    if overview.webhook is not None:
        items += _webhook_items(overview.webhook)
        items += _rule_items(overview)
    items += _held_items(overview.organizations[OrganizationFilter.HELD])
    items += _unmapped_items(overview.organizations[OrganizationFilter.UNMAPPED])
    items += _preview_items(overview.pending_preview)
    items += _retirement_items(integration, overview.fleet.assets_by_status["proposed"])
    return [*items, *_overdue_items(overview), *_watch_items(overview)]


def list_of_clients(overview: Overview) -> list[Item]:
    """For whoever is limited to some clients: what concerns their assets."""
    stale = [_stale_item(overview)] if overview.stale_because else []
    proposed = overview.fleet.assets_by_status["proposed"]
    integration = overview.integration
    retire = _retirement_items(integration, proposed) if integration else []
    ticket_items = _ticket_items(overview)
    theirs = [*stale, *ticket_items, *_alert_items(overview), *retire]
    return [*theirs, *_overdue_items(overview), *_watch_items(overview)]


def _overdue_items(overview: Overview) -> list[Item]:
    overdue = overview.fleet.assets_by_status["overdue"]
    if not overdue:
        return []
    text = f"{plural(overdue, 'asset is', 'assets are')} overdue."
    item = _item("info", text, "View", url_for("assets.index", status="overdue"))
    return [item | {"began": overview.fleet.overdue_since, "several": overdue > 1}]


def _watch_items(overview: Overview) -> list[Item]:
    if not overview.watches:
        return []
    text = f"{plural(overview.watches, 'software watch matches', 'software watches match')} now."
    item = _item("info", text, "Watches", url_for("watches.index"))
    return [item | {"began": overview.watches_since, "several": overview.watches > 1}]


def _held_items(held: int) -> list[Item]:
    if not held:
        return []
    text = f"Tactical no longer lists {plural(held, 'organization')}."
    return [_item("warn", text, "Decide", url_for("organizations.index", show="held"))]


def _unmapped_items(unmapped: int) -> list[Item]:
    if not unmapped:
        return []
    text = f"{plural(unmapped, 'organization has', 'organizations have')} no client."
    return [_item("warn", text, "Map", url_for("organizations.index", show="unmapped"))]


def _preview_items(pending: PendingPreview | None) -> list[Item]:
    if pending is None or not pending.schedule_waits:
        return []
    text = f"{pending.why} Scheduled device syncs wait until somebody has looked at a preview."
    if pending.plan_id is None:
        return [_item("warn", text, "Preview", url_for("tacticalrmm.show"))]
    return [_item("warn", text, "Open it", url_for("plans.show", plan_id=pending.plan_id))]


def _retirement_items(integration: Integration, proposed: int) -> list[Item]:
    if not proposed:
        return []
    days = plural(integration.retire_after_days, "day")
    text = f"{plural(proposed, 'asset has', 'assets have')} not been in Tactical for {days}."
    return [_item("info", text, "Retire", url_for("assets.index", status="proposed"))]


def _outage_items(integration: Integration, outage: Outage) -> list[Item]:
    """Since when scheduled syncs wait, why, and what to do about it. When Tactical asks for a code,
    every page asks for it."""
    settings = url_for("tacticalrmm.show")
    if outage.stop is Stop.CODE_NEEDED:
        return []
    if outage.stop is not None:
        text = "Scheduled syncs are stopped because Tactical refuses the credentials."
        item = _item("bad", text, "Fix the credentials", settings)
        return [item | {"why": integration.last_error}]
    item = _item("bad", "Tactical has not answered since", "Connection", settings)
    details = {"since": outage.since, "why": integration.last_error, "look": "Try now"}
    return [item | details | {"outage": outage}]


def _stale_item(overview: Overview) -> Item:
    """Since when the status was not read, why, and what to do about it."""
    integration, since = overview.integration, overview.last_read_at
    text = (
        "The status of agents is stale. It is from" if since else "The status of agents is stale."
    )
    tone = "bad" if integration and integration.last_error else "warn"
    return _item(tone, text, "Sync runs", url_for("sync_runs.index", kind="status")) | {
        "since": since,
        "why": overview.stale_because,
        "look": "Sync the status now"
        if _is_active(integration) and overview.outage is None
        else None,
    }


def _is_active(integration: Integration | None) -> bool:
    return integration is not None and integration.state is IntegrationState.ACTIVE


def _alert_items(overview: Overview) -> list[Item]:
    errors = overview.fleet.active_alerts["error"]
    if not errors:
        return []
    text = f"{plural(errors, 'active alert has', 'active alerts have')} the severity error."
    item = _item("bad", text, "Alerts", url_for("alerts.index", severity="error"))
    return [item | {"began": overview.fleet.first_error_at, "several": errors > 1}]


def _ticket_items(overview: Overview) -> list[Item]:
    """What is unsure or failing: why, since when, and what to do about it."""
    items = [_ticket_item(each) for each in overview.unsettled_tickets]
    more = overview.unsettled_count - len(overview.unsettled_tickets)
    if more > 0:
        text = f"{plural(more, 'more ticket needs', 'more tickets need')} somebody."
        items.append(_item("warn", text, "Tickets", url_for("tickets.index", state="attention")))
    return items


def _helpdesk_items(failing: int) -> list[Item]:
    if not failing:
        return []
    text = f"{plural(failing, 'helpdesk does', 'helpdesks do')} not take tickets."
    return [_item("bad", text, "Helpdesks", url_for("helpdesks.index"))]


def _ticket_item(unsettled: Unsettled) -> Item:
    row, ticket = unsettled.row, unsettled.row.ticket
    where = url_for("tickets.show", ticket_id=ticket.id)
    if ticket.status is TicketStatus.UNSURE:
        text = f"It is not sure whether “{ticket.subject}” is in {row.helpdesk}, since"
        item = _item("warn", text, "Settle", where)
    else:
        number = f"Ticket {ticket.reference}" if ticket.reference else f"“{ticket.subject}”"
        item = _item("bad", f"{number} in {row.helpdesk} has failed since", "Open it", where)
        item["retry"] = url_for("tickets.retry_one", ticket_id=ticket.id)
    return item | {"since": unsettled.since, "why": ticket.last_error}


def _rule_items(overview: Overview) -> list[Item]:
    if overview.any_rule:
        return []
    text = "No rule is switched on: nobody is told of alerts."
    return [_item("warn", text, "Rules", url_for("rules.index"))]


def _delivery_items(overview: Overview) -> list[Item]:
    items: list[Item] = []
    failed = overview.failed_deliveries
    if failed:
        text = f"{_deliveries(failed)} could not be processed."
        where = url_for("deliveries.index", status="failed")
        items.append(_item("bad", text, "View and process again", where))
    unread = overview.deliveries_to_review
    if unread:
        text = f"{_deliveries(unread)} could not be read."
        where = url_for("deliveries.index", status="needs_review", period=REVIEW_PERIOD)
        items.append(_item("warn", text, "Review", where))
    return items


def _conflict_items(overview: Overview) -> list[Item]:
    if not overview.conflicts:
        return []
    text = f"{plural(overview.conflicts, 'conflict needs', 'conflicts need')} your decision."
    return [_item("warn", text, "Decide", url_for("conflicts.index"))]


def _webhook_items(health: Health) -> list[Item]:
    where = url_for("webhook.show")
    if health.state is WebhookState.UNREACHED:
        text = "Tactical's webhook does not reach the portal."
        return [_item("bad", text, "Webhook", where) | {"began": health.test_failed_at}]
    if health.missed:
        them = "it" if health.missed == 1 else "them"
        text = f"The webhook missed {plural(health.missed, 'alert')}. The alert sync found {them}."
        return [_item("warn", text, "Webhook", where) | {"began": health.missed_since}]
    return []


def _deliveries(number: int) -> str:
    return plural(number, "webhook call")


def _item(tone: str, text: str, action: str, url: str) -> Item:
    return {"tone": tone, "text": text, "action": action, "url": url}
