"""What the API says of a client's month."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from portal.api.fields import (
    Record,
    day,
    moment,
    number,
    page_address,
    row_id,
    text,
    texts,
    yes_or_no,
)
from portal.models.alerts.alert import Severity

FleetCounts = Record.from_dict(
    {name: number("Assets.") for name in ("workstation", "server", "total")}, name="FleetCounts"
)
AlertCounts = Record.from_dict({str(w): number("Alerts.") for w in Severity}, name="AlertCounts")


def _many(record: type[Record], description: str) -> fields.Field[Any]:
    return fields.List(fields.Nested(record), required=True, metadata={"description": description})


class ReportedAsset(Record):
    asset_id = row_id("Its number, of which there may be no asset any more.")
    name = text("Its name then.")
    asset_type = text("`server` or `workstation`.")
    site_name = text("The name of its site then.", nullable=True)
    serial_number = text("As its agent reported it.", nullable=True)
    rmm_device_id = text("Tactical's `agent_id`.")
    created_at = moment("When it came into the portal.")


class ReportedEvent(ReportedAsset):
    at = moment("When it came or went.")
    cause = text("`new`, `back`, `moved`, `missing`, `retired`, `merged` or `deleted`.")
    in_words = text("The same for people.")


class ReportedAlert(Record):
    alert_id = row_id("Its number.")
    asset = text("The asset's name; of a computer that is no asset none.", nullable=True)
    severity = text("`error`, `warning` or `info`.")
    alert_type = text("`availability`, `check`, `task` or `custom`.")
    message = text("What Tactical says of it.", nullable=True)
    triggered_at = moment("When it was triggered.")
    resolved_at = moment("When Tactical resolved it.", nullable=True)


class ReportedSoftware(Record):
    product_id = row_id("The number of the product.")
    name = text("Its name.")
    publisher = text("Its publisher.", nullable=True)
    came = number("On how many assets it was installed.")
    updated = number("On how many it has another version.")
    went = number("From how many it is gone.")
    updated_from = texts("The versions that those which were updated had, the oldest first.")
    updated_to = texts("The versions that they have, the oldest first.")


class ClientReport(Record):
    client_id = row_id("The client.")
    client = text("Its name.")
    month = text("Such as `2026-10`.")
    last_day = day("The last day of the month, or today while it lasts.")
    complete_since = day("Since when the history tells of the month.")
    is_over = yes_or_no("Whether the month is over.")
    bill = text("The numbers in a sentence.")
    limits = texts("What is not known, as sentences.")
    fleet = fields.Nested(FleetCounts, required=True)
    fleet_before = fields.Nested(FleetCounts, required=True)
    added_count = number("Assets that were not there at the beginning, and are at the end.")
    gone_count = number("Assets that were there at the beginning, and are not at the end.")
    retired_count = number("Those of them that were retired.")
    passed_count = number("Assets that came and went within the month.")
    assets = _many(ReportedAsset, "The fleet at the end.")
    added = _many(ReportedEvent, "Those that `added_count` counts.")
    gone = _many(ReportedEvent, "Those that `gone_count` counts.")
    passed = _many(ReportedEvent, "Those that `passed_count` counts.")
    alerts_raised = fields.Nested(AlertCounts, required=True)
    alerts_resolved = number("Alerts of any month that were resolved.")
    alerts = _many(ReportedAlert, "Those that were raised, the oldest first.")
    software = _many(ReportedSoftware, "What changed on assets that were there all month.")
    url = page_address()
