"""The records of alerts: see `portal.api.schemas`."""

from __future__ import annotations

from portal.api.fields import Record, anything, moment, number, page_address, row_id, text


class Alert(Record):
    id = row_id("Its number in the portal.")
    asset_id = row_id("The asset that it is about.", nullable=True)
    client_id = row_id("The asset's client, or that of its organization.", nullable=True)
    external_alert_id = text("Its number at Tactical.", nullable=True)
    agent_id = text("The agent that it is about.", nullable=True)
    asset = text("The name of the asset.", nullable=True)
    client = text("The name of the client.", nullable=True)
    alert_type = text("`availability`, `check`, `task` or `custom`.")
    severity = text("`info`, `warning` or `error`.")
    message = text("What it says.", nullable=True)
    status = text("`active`, `snoozed` or `resolved`.")
    triggered_at = moment("When it was triggered.")
    resolved_at = moment("When Tactical resolved it.", nullable=True)
    source = text("What reported it first: `webhook` or `backfill`.")
    occurrences = number("How often it was triggered.")
    alert_id = row_id("The same as `id`.")
    acknowledged_by = text(
        "Who acknowledged this occurrence: an address, or `the link sent to` a channel.",
        nullable=True,
    )
    assigned_to = text("The address of who looks after it.", nullable=True)
    rule = text("The alert rule that decided about it.", nullable=True)
    window = text("The maintenance window that keeps or kept it silent.", nullable=True)
    urgency = text("`low`, `normal`, `high` or `critical`, as a rule says.", nullable=True)
    ticket_ref = text("The helpdesk's number of this occurrence's ticket.", nullable=True)
    ticket_url = text("The ticket's page in the helpdesk.", nullable=True)
    ticket_state = text(
        "`waiting`, `open`, `failing`, `closed`, `unsure`, `failed` or `gone`.", nullable=True
    )
    snoozed_until = moment("Until when it is snoozed.", nullable=True)
    snoozed_by = text(
        "Who snoozed it in the portal alone; null if Tactical keeps quiet about it.", nullable=True
    )
    url = page_address()


class TimelineEntry(Record):
    """Something that happened to an alert."""

    id = row_id("Its number.")
    alert_id = row_id("The alert.")
    at = moment("When.")
    kind = text("Such as `received`, `rule`, `message`, `acknowledged` or `resolved`.")
    text = text("In words.")
    details = anything("Numbers of what it is about: a rule, a window, a channel, a message.")
    url = page_address()
