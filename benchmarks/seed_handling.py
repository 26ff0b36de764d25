"""What the portal did about the alerts that are there: handlings, timelines, messages, tickets.

The database makes these rows from the alerts: from here they would take minutes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection, Table, insert, text

from portal.db import Base
from portal.models import AlertRule, Channel, Helpdesk, MaintenanceWindow

RULES, WINDOWS = 20, 5
"""Of each tenant, which has a channel and a helpdesk with its own id."""

_HANDLINGS = """
INSERT INTO alert_handlings (id, tenant_id, alert_id, occurrence, state, reason, began_at,
    noticed_at, over_at, reopened, rule_id, rule_name, explanation, plan, acknowledged_at,
    acknowledged_by, assigned_to, attempts)
SELECT id, tenant_id, id, occurrences, CASE WHEN id % 4 = 0 THEN 'acted' ELSE 'silent' END,
    CASE WHEN id % 4 > 0 THEN 'No rule matched.' END, triggered_at, received_at, resolved_at, 0,
    CASE WHEN id % 4 = 0 THEN (tenant_id - 1) * :rules + 1 END,
    CASE WHEN id % 4 = 0 THEN 'Rule 0' END, :explanation, '[]',
    CASE WHEN id % 3 = 0 THEN received_at END,
    CASE WHEN id % 3 = 0 THEN 'bench@example.com' END,
    CASE WHEN id % 3 = 0 THEN tenant_id END, 0
FROM rmm_alerts
"""
"""One of each alert, with the alert's id. One in four was told, one in three acknowledged."""

_TIMELINE = """
INSERT INTO alert_timeline (tenant_id, alert_id, at, kind, text, details)
SELECT tenant_id, id, received_at, :kind, :words, '{}' FROM rmm_alerts
"""

_MESSAGES = """
INSERT INTO messages (id, tenant_id, channel_id, handling_id, key, reason, facts, status, attempts,
    may_be_double, answer, thread, created_at, settled_at)
SELECT id, tenant_id, tenant_id, id, 'alert:' || id, 'raised', '{}', 'sent', 1, :no,
    'Accepted.', '{}', noticed_at, noticed_at
FROM alert_handlings WHERE state = 'acted'
"""

_TICKETS = """
INSERT INTO tickets (id, tenant_id, helpdesk_id, client_id, asset_id, outage, key, queue,
    customer_id, priority, urgency, subject, body, page, status, reference, last_error, opened_at,
    closed_at, closed_by, created_at)
SELECT h.id, h.tenant_id, h.tenant_id, assets.client_id, a.asset_id, 'alert ' || h.id,
    'ticket:' || h.id, 'Support', '7', '2', 'normal', a.message, a.message, '',
    CASE WHEN h.id % 1000 = 0 THEN 'unsure' WHEN a.status = 'active' THEN 'open' ELSE 'closed' END,
    CASE WHEN h.id % 1000 > 0 THEN CAST(h.id AS VARCHAR) END,
    CASE WHEN h.id % 1000 IN (0, 10) THEN 'It does not answer.' END, h.noticed_at,
    h.over_at, CASE WHEN a.status <> 'active' THEN 'portal' END, h.noticed_at
FROM alert_handlings h JOIN rmm_alerts a ON a.id = h.alert_id
LEFT JOIN assets ON assets.id = a.asset_id
WHERE h.id % 10 = 0
"""
"""With the id of a handling: one in ten."""

_LINKS = """
INSERT INTO ticket_alerts (tenant_id, ticket_id, handling_id, alert_id, occurrence, linked_at,
    is_over)
SELECT h.tenant_id, t.id, h.id, h.alert_id, h.occurrence, h.noticed_at, h.over_at IS NOT NULL
FROM alert_handlings h JOIN tickets t ON t.id = h.id - h.id % 10 AND t.tenant_id = h.tenant_id
WHERE h.id % 10 < 3
"""
"""On a ticket hang the alert that opened it and some of those that followed."""

_TASKS = """
INSERT INTO ticket_tasks (tenant_id, ticket_id, helpdesk_id, handling_id, verb, key, text, status,
    attempts, answer, created_at, settled_at)
SELECT tenant_id, id, helpdesk_id, id, verb, key || ':' || verb, '', 'done', 1, 'Done.',
    created_at, created_at
FROM tickets JOIN (SELECT 'open' AS verb UNION ALL SELECT 'close') AS verbs
    ON verb = 'open' OR status = 'closed'
"""


def seed_handling(connection: Connection, tenant_ids: Iterable[int], now: datetime) -> None:
    tenants = list(tenant_ids)
    rules = range(RULES)
    _put(connection, AlertRule, (_rule(t, n, now) for t in tenants for n in rules))
    _put(connection, MaintenanceWindow, (_window(t, n) for t in tenants for n in range(WINDOWS)))
    far_sides = ((Channel, "mail", "Mail"), (Helpdesk, "zammad", "Zammad"))
    for model, kind, name in far_sides:
        made = ({"id": t, "tenant_id": t, "kind": kind, "name": name} for t in tenants)
        _put(connection, model, made)
    why = "The severity differs."
    tried = [{"rule_id": n, "name": f"Rule {n}", "matched": False, "why": why} for n in rules]
    values: tuple[tuple[str, dict[str, Any]], ...] = (
        (_HANDLINGS, {"rules": RULES, "explanation": json.dumps(tried)}),
        (_TIMELINE, {"kind": "received", "words": "Received from Tactical."}),
        (_TIMELINE, {"kind": "rule", "words": "The rule “Rule 0” was tried."}),
        (_MESSAGES, {"no": False}),
        (_TICKETS, {}),
        (_LINKS, {}),
        (_TASKS, {}),
    )
    for statement, asked in values:
        connection.execute(text(statement), asked)


def find_ticket(connection: Connection, tenant_id: int) -> int:
    """The newest of a tenant."""
    newest = text("SELECT MAX(id) FROM tickets WHERE tenant_id = :tenant_id")
    found: int = connection.execute(newest, {"tenant_id": tenant_id}).scalar_one()
    return found


def _put(connection: Connection, model: type[Base], rows: Iterable[dict[str, Any]]) -> None:
    connection.execute(insert(cast(Table, model.__table__)), list(rows))


def _rule(tenant_id: int, n: int, now: datetime) -> dict[str, Any]:
    return {
        "id": (tenant_id - 1) * RULES + n + 1,
        "tenant_id": tenant_id,
        "position": n,
        "name": f"Rule {n}",
        "conditions": {"severities": ["error"]},
        "steps": {"notify": [tenant_id]},
        "switched_on_at": now,
    }


def _window(tenant_id: int, n: int) -> dict[str, Any]:
    return {
        "id": (tenant_id - 1) * WINDOWS + n + 1,
        "tenant_id": tenant_id,
        "name": f"Window {n}",
        "zone": "Europe/Berlin",
        "starts": f"2026-01-0{n + 1}T22:00",
        "minutes": 480,
        "repeats": {"every": "week", "weekdays": [n]},
        "scope": {},
        "created_by": "bench@example.com",
    }
