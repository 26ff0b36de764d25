"""What a person should look at: why, since when, and the button that leads to what to do."""

from __future__ import annotations

from datetime import datetime
from textwrap import shorten
from typing import Any

from flask import url_for

from portal.models import Integration
from portal.models.integrations.integration import IntegrationState, Stop
from portal.models.tickets.ticket import TicketStatus
from portal.services.dashboard.fleet import Fleet
from portal.services.dashboard.overview import Overview
from portal.services.dashboard.waiting import REVIEW_PERIOD, Waiting
from portal.services.integrations.preview_due import PendingPreview
from portal.services.integrations.server_health import Outage
from portal.services.tickets.listing import Unsettled
from portal.services.webhook.state import Health, WebhookState
from portal.wording import plural

Item = dict[str, Any]

MOST_OF_MESSAGE = 160


def list_attention(overview: Overview) -> list[Item]:
    """What a person should look at, the most urgent first."""
    integration, items = overview.integration, []
    settings = url_for("tacticalrmm.show")
    if integration is None:
        return []
    if integration.state is not IntegrationState.ACTIVE:
        items.append(_connection_item(integration, overview, settings))
    stale_because = overview.stale_because or ""
    if overview.outage is not None:
        items += _outage_items(integration, overview.outage)
    elif (
        integration.state is IntegrationState.ACTIVE
        and integration.last_error
        and integration.last_error not in stale_because  # it is shown once
    ):
        began = integration.failing_since or integration.last_error_at
        items.append(_item("bad", integration.last_error, "Connection", settings, began))
    if stale_because:
        items.append(_stale_item(overview))
    items += _helpdesk_items(overview.waiting.helpdesks)
    items += _ticket_items(overview)
    items += [*_alert_items(overview), *_delivery_items(overview), *_conflict_items(overview)]
    if overview.webhook is not None:
        items += _webhook_items(overview.webhook)
        items += _rule_items(overview)
    items += _held_items(overview.waiting.held)
    items += _unmapped_items(overview.waiting.unmapped)
    items += _preview_items(integration, overview.pending_preview)
    items += _retirement_items(integration, overview.fleet)
    return [*items, *_overdue_items(overview), *_watch_items(overview)]


def list_of_clients(overview: Overview) -> list[Item]:
    """For whoever is limited to some clients: what concerns their assets."""
    stale = [_stale_item(overview)] if overview.stale_because else []
    integration = overview.integration
    retire = _retirement_items(integration, overview.fleet) if integration else []
    ticket_items = _ticket_items(overview)
    theirs = [*stale, *ticket_items, *_alert_items(overview), *retire]
    return [*theirs, *_overdue_items(overview), *_watch_items(overview)]


def _overdue_items(overview: Overview) -> list[Item]:
    overdue = overview.fleet.assets_by_status["overdue"]
    if not overdue:
        return []
    text = f"{plural(overdue, 'asset is', 'assets are')} overdue."
    where, since = url_for("assets.index", status="overdue"), overview.fleet.overdue_since
    whose, its = ("it", "its limit") if overdue == 1 else ("them", "their limits")
    why = f"Tactical has not heard from {whose} for longer than {its}."
    return [_item("info", text, "Assets", where, since, overdue) | {"why": why}]


def _watch_items(overview: Overview) -> list[Item]:
    if not overview.watches:
        return []
    text = f"{plural(overview.watches, 'software watch matches', 'software watches match')} now."
    where, since = url_for("watches.index"), overview.watches_since
    first = "It is" if overview.watches == 1 else "The first is"
    why = f"{first} for {overview.first_matched}." if overview.first_matched else None
    return [_item("info", text, "Watches", where, since, overview.watches) | {"why": why}]


def _connection_item(integration: Integration, overview: Overview, settings: str) -> Item:
    """Of one that is not in use: what is to be done, and why."""
    if integration.state is IntegrationState.HELD:
        text = "The Tactical server may be a different one."
        why = "It lists none of the organizations and agents that the portal knows."
        return _item("bad", text, "Decide", settings, integration.tested_at) | {"why": why}
    if integration.state is IntegrationState.UNTESTED:
        text, saved_at = "The connection has not passed a test.", overview.waiting.saved_at
        item = _item("bad", text, "Test it", settings, saved_at or integration.created_at)
        return item | {"why": integration.last_error or "Until then nothing is read from Tactical."}
    ended_at = overview.waiting.disconnected_at
    item = _item("warn", "Tactical RMM is disconnected.", "Connect", settings, ended_at)
    return item | {"why": "The portal reads nothing from it."}


def _held_items(held: Waiting) -> list[Item]:
    if not held.number:
        return []
    text = f"Tactical no longer lists {plural(held.number, 'organization')}."
    where = url_for("organizations.index", show="held")
    item = _item("warn", text, "Decide", where, held.since, held.number)
    return [item | {"why": "So many went at once that they stay in use until somebody decides."}]


def _unmapped_items(unmapped: Waiting) -> list[Item]:
    number = unmapped.number
    if not number:
        return []
    text = f"{plural(number, 'organization has', 'organizations have')} no client."
    whose, what = ("Its", "it") if number == 1 else ("Their", "them")
    why = f"{whose} agents become assets once you map {what}."
    where = url_for("organizations.index", show="unmapped")
    return [_item("warn", text, "Map", where, unmapped.since, number) | {"why": why}]


def _preview_items(integration: Integration, pending: PendingPreview | None) -> list[Item]:
    if pending is None or not pending.schedule_waits:
        return []
    text = f"{pending.why} Scheduled device syncs wait until somebody has looked at a preview."
    since = integration.preview_due_at
    if pending.plan_id is None:
        return [_item("warn", text, "Preview", url_for("tacticalrmm.show"), since)]
    where = url_for("plans.show", plan_id=pending.plan_id)
    return [_item("warn", text, "Open it", where, since)]


def _retirement_items(integration: Integration, fleet: Fleet) -> list[Item]:
    proposed = fleet.assets_by_status["proposed"]
    if not proposed:
        return []
    days = plural(integration.retire_after_days, "day")
    text = f"{plural(proposed, 'asset has', 'assets have')} not been in Tactical for {days}."
    where = url_for("assets.index", status="proposed")
    item = _item("info", text, "Retire", where, fleet.proposed_since, proposed)
    return [item | {"why": "Nothing is retired until somebody agrees."}]


def _outage_items(integration: Integration, outage: Outage) -> list[Item]:
    """Since when scheduled syncs wait, why, and what to do about it. When Tactical asks for a code,
    every page asks for it."""
    settings = url_for("tacticalrmm.show")
    if outage.stop is Stop.CODE_NEEDED:
        return []
    if outage.stop is not None:
        text = "Scheduled syncs are stopped because Tactical refuses the credentials."
        item = _item("bad", text, "Fix the credentials", settings, outage.since)
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
    where, since = url_for("alerts.index", severity="error"), overview.fleet.first_error_at
    return [_item("bad", text, "Alerts", where, since, errors) | {"why": _quote_error(overview)}]


def _quote_error(overview: Overview) -> str | None:
    says = shorten(overview.newest_error or "", MOST_OF_MESSAGE, placeholder=" …")
    if not says:
        return None
    newest = "" if overview.fleet.active_alerts["error"] == 1 else "The newest: "
    return f"{newest}{says}{'' if says[-1] in '.!?…' else '.'}"


def _ticket_items(overview: Overview) -> list[Item]:
    """What is unsure or failing: why, since when, and what to do about it."""
    items = [_ticket_item(each) for each in overview.unsettled_tickets]
    more = overview.unsettled_count - len(overview.unsettled_tickets)
    if more > 0:
        text = f"{plural(more, 'more ticket needs', 'more tickets need')} somebody."
        items.append(_item("warn", text, "Tickets", url_for("tickets.index", state="attention")))
    return items


def _helpdesk_items(failing: Waiting) -> list[Item]:
    """The one that fails longest says why."""
    if not failing.number:
        return []
    others = failing.number - 1
    who = f"{failing.name} and {plural(others, 'more helpdesk')} do" if others else failing.name
    text = f"{who} not take tickets." if others else f"{who} does not take tickets."
    where = url_for("helpdesks.index")
    item = _item("bad", text, "Helpdesks", where, failing.since, failing.number)
    return [item | {"why": failing.why}]


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
    integration = overview.integration
    since = overview.waiting.rule_ended_at or (integration.created_at if integration else None)
    return [_item("warn", text, "Rules", url_for("rules.index"), since)]


def _delivery_items(overview: Overview) -> list[Item]:
    items: list[Item] = []
    failed, unread = overview.waiting.failed_calls, overview.waiting.unread_calls
    if failed.number:
        text = f"{_deliveries(failed.number)} could not be processed."
        where = url_for("deliveries.index", status="failed")
        item = _item("bad", text, "Process again", where, failed.since, failed.number)
        items.append(item | {"why": failed.why})
    if unread.number:
        text = f"{_deliveries(unread.number)} could not be read."
        where = url_for("deliveries.index", status="needs_review", period=REVIEW_PERIOD)
        item = _item("warn", text, "Review", where, unread.since, unread.number)
        items.append(item | {"why": unread.why})
    return items


def _conflict_items(overview: Overview) -> list[Item]:
    conflicts = overview.waiting.conflicts
    if not conflicts.number:
        return []
    text = f"{plural(conflicts.number, 'conflict needs', 'conflicts need')} your decision."
    where = url_for("conflicts.index")
    item = _item("warn", text, "Decide", where, conflicts.since, conflicts.number)
    return [item | {"why": conflicts.why if conflicts.number == 1 else None}]


def _webhook_items(health: Health) -> list[Item]:
    where = url_for("webhook.show")
    if health.state is WebhookState.UNREACHED:
        text = "Tactical's webhook does not reach the portal."
        item = _item("bad", text, "Webhook", where, health.test_failed_at)
        return [item | {"why": health.test_failed_because}]
    if health.missed:
        them = "it" if health.missed == 1 else "them"
        text = f"The webhook missed {plural(health.missed, 'alert')}. The alert sync found {them}."
        return [_item("warn", text, "Webhook", where, health.missed_since, health.missed)]
    return []


def _deliveries(number: int) -> str:
    return plural(number, "webhook call")


def _item(
    tone: str,
    text: str,
    action: str,
    url: str,
    began: datetime | None = None,
    number: int = 1,
) -> Item:
    """`began`: since when, of several the first."""
    item = {"tone": tone, "text": text, "action": action, "url": url}
    return item | {"began": began, "several": number > 1}
