"""Messages to send."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from portal.channels import AlertFacts, Group, Telling

BEGAN = datetime(2026, 11, 28, 14, 3, tzinfo=UTC)
OVER = BEGAN + timedelta(minutes=12)


def make_alert(**changes: Any) -> AlertFacts:
    facts: dict[str, Any] = {
        "hostname": "SRV-01",
        "client": "Contoso",
        "site": "Berlin",
        "kind": "availability",
        "message": "SRV-01 is overdue.",
        "asset_type": "server",
        "began": BEGAN,
        "rule": "Servers",
        "url": "https://portal.example/t/msp/alerts/7",
        "acknowledge_url": "https://portal.example/acknowledge/#abc",
    }
    return AlertFacts(**facts | changes)


def make_telling(alert: AlertFacts | None = None, **changes: Any) -> Telling:
    values: dict[str, Any] = {
        "key": "h7:raised:c1",
        "reason": "raised",
        "alerts": [alert or make_alert()],
    }
    return Telling(**values | changes)


def make_digest(**changes: Any) -> Telling:
    values: dict[str, Any] = {
        "key": "h7:raised:c1",
        "reason": "raised",
        "alerts": [make_alert(), make_alert(hostname="PC-02", asset_type="workstation")],
        "groups": [
            Group(client="Contoso", alerts=39, types={"server": 13, "workstation": 26}),
            Group(client="Fabrikam", alerts=1, types={"server": 1}),
        ],
    }
    return Telling(**values | changes)
