"""The lists of which views are kept, and the columns that each may show."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from portal.services.accounts.permissions import Permission, role_allows


@dataclass(frozen=True, slots=True)
class ListShape:
    """`columns`: those that can be left out, by their word, in order; `extra` are shown only to
    whoever chooses them. `needs`: what opens the list."""

    label: str
    columns: Mapping[str, str] = field(default_factory=dict)
    extra: frozenset[str] = frozenset()
    needs: Permission = Permission.READ

    @property
    def standard(self) -> tuple[str, ...]:
        return tuple(word for word in self.columns if word not in self.extra)

    def choose(self, words: Collection[str]) -> tuple[str, ...]:
        """The columns among the words, in order. Without any, the standard ones."""
        return tuple(word for word in self.columns if word in words) or self.standard


LISTS: Mapping[str, ListShape] = {
    "assets": ListShape(
        "Assets",
        {
            "status": "Status",
            "client": "Client",
            "site": "Site",
            "os": "System",
            "user": "User",
            "last_seen": "Last seen",
            "type": "Type",
            "serial": "Serial number",
            "lan_ip": "LAN address",
            "model": "Model",
            "agent": "Agent version",
            "agent_id": "Agent id",
        },
        frozenset({"type", "serial", "lan_ip", "model", "agent", "agent_id"}),
    ),
    "alerts": ListShape(
        "Alerts",
        {
            "severity": "Severity",
            "asset": "Asset",
            "client": "Client",
            "triggered": "Triggered",
            "rule": "Rule",
            "acknowledged": "Acknowledged",
            "assigned": "Assigned",
        },
        frozenset({"acknowledged", "assigned"}),
    ),
    "tickets": ListShape(
        "Tickets",
        {
            "state": "State",
            "queue": "Queue",
            "touched": "Touched by",
            "opened": "Opened",
            "closed": "Closed",
        },
    ),
    "sync_runs": ListShape(
        "Sync runs",
        {
            "status": "Status",
            "what": "What happened",
            "started": "Started",
            "took": "Took",
            "by": "By",
        },
    ),
    "software": ListShape(
        "Software",
        {
            "publisher": "Publisher",
            "assets": "Assets",
            "installs": "Installs",
            "versions": "Versions",
            "newest": "Newest",
            "older": "Older",
        },
    ),
    "clients": ListShape(
        "Clients",
        {
            "assets": "Assets",
            "overdue": "Overdue",
            "alerts": "Active alerts",
            "organizations": "Organizations",
        },
    ),
    "organizations": ListShape(
        "Organizations",
        {
            "agents": "Agents",
            "suggestion": "Suggestion",
            "auto_sync": "Auto-sync",
            "assets": "Assets",
        },
    ),
    "activity": ListShape("Activity", {"about": "About", "content": "Content", "when": "When"}),
    "deliveries": ListShape(
        "Webhook calls",
        {
            "outcome": "Outcome",
            "agent": "Agent",
            "alert": "Alert",
            "changed": "What it changed",
            "took": "Took",
            "received": "Received",
        },
        needs=Permission.READ_CONNECTION,
    ),
    "conflicts": ListShape("Conflicts"),
    "audit": ListShape(
        "Audit",
        {"target": "Target", "changes": "Changes", "who": "Who", "when": "When"},
        needs=Permission.READ_AUDIT,
    ),
}
"""By the name of their blueprint, whose page `index` shows the list."""
OF_EVERYBODY = [name for name, shape in LISTS.items() if shape.needs is Permission.READ]


def may_open(list_name: str, role: str, *, limited: bool) -> bool:
    """Whether there is such a list for the role. `limited`: to some clients."""
    shape = LISTS.get(list_name)
    return shape is not None and role_allows(role, shape.needs, limited=limited)
