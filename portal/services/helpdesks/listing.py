"""The helpdesks of a tenant, as pages, commands and the API show them: never a secret."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select

from portal.clock import iso_utc
from portal.db import db
from portal.errors import NotFound
from portal.helpdesks import KINDS
from portal.helpdesks.kind import HelpdeskKind
from portal.models import AlertRule, Helpdesk, Ticket
from portal.models.tickets.ticket import LIVE, TicketStatus
from portal.services.far_sides import TARGET
from portal.vault import list_change_times


@dataclass(frozen=True, slots=True)
class HelpdeskRow:
    """`rules`: names of those that open tickets in it. `tickets`: how many there are of each
    status."""

    helpdesk: Helpdesk
    rules: Sequence[str]
    tickets: Mapping[TicketStatus, int]

    @property
    def kind(self) -> HelpdeskKind:
        return KINDS[self.helpdesk.kind]

    @property
    def target(self) -> str:
        return str(self.helpdesk.settings.get(TARGET, ""))

    @property
    def state(self) -> str:
        """`working`, `failing`, `unproven` (no good probe: no ticket is opened), `unused` (nothing
        was done in it yet) or `off`."""
        if not self.helpdesk.active:
            return "off"
        if self.helpdesk.failures:
            return "failing"
        if not self.helpdesk.is_proven:
            return "unproven"
        return "working" if self.helpdesk.last_done_at else "unused"

    @property
    def live_tickets(self) -> int:
        """How many are open, or are to be: what the list of its tickets shows at first."""
        return sum(self.tickets.get(status, 0) for status in LIVE)


def list_helpdesks() -> list[HelpdeskRow]:
    """By name."""
    ordered = _select().order_by(func.lower(Helpdesk.name), Helpdesk.id)
    return view_helpdesks(db.session.scalars(ordered).all())


def list_names() -> dict[int, str]:
    """Of all helpdesks by id, in the order of the names."""
    ordered = select(Helpdesk.id, Helpdesk.name).order_by(func.lower(Helpdesk.name), Helpdesk.id)
    return {row.id: row.name for row in db.session.execute(ordered)}


def view_helpdesks(helpdesks: Iterable[Helpdesk]) -> list[HelpdeskRow]:
    """With what is counted of them."""
    rules, tickets = _list_rules(), _count_tickets()
    return [
        HelpdeskRow(helpdesk, rules.get(helpdesk.id, ()), tickets.get(helpdesk.id, {}))
        for helpdesk in helpdesks
    ]


def get_row(helpdesk_id: int) -> HelpdeskRow:
    """Raises NotFound."""
    return view_helpdesks([get_helpdesk(helpdesk_id)])[0]


def get_helpdesk(helpdesk_id: int) -> Helpdesk:
    """Raises NotFound."""
    found = db.session.scalar(_select().where(Helpdesk.id == helpdesk_id))
    if found is None:
        raise NotFound("This helpdesk does not exist.")
    return found


def _select() -> Select[Helpdesk]:
    """Of kinds that there are."""
    known = select(Helpdesk).where(Helpdesk.kind.in_(list(KINDS)))
    return known.execution_options(populate_existing=True)


def list_stored(helpdesk: Helpdesk) -> Collection[str]:
    """Names of the fields whose secrets are kept."""
    return list_change_times(helpdesk).keys()


def to_public(row: HelpdeskRow) -> dict[str, Any]:
    helpdesk = row.helpdesk
    return {
        "id": str(helpdesk.id),
        "kind": helpdesk.kind,
        "name": helpdesk.name,
        "target": row.target,
        "state": row.state,
        "active": helpdesk.active,
        "is_proven": helpdesk.is_proven,
        "probed_at": iso_utc(helpdesk.probed_at) if helpdesk.probed_at else None,
        "rules": list(row.rules),
        "tickets": {str(status): row.tickets.get(status, 0) for status in TicketStatus},
        "last_done_at": iso_utc(helpdesk.last_done_at) if helpdesk.last_done_at else None,
        "polled_at": iso_utc(helpdesk.polled_at) if helpdesk.polled_at else None,
        "failures": helpdesk.failures,
        "failing_since": iso_utc(helpdesk.failing_since) if helpdesk.failing_since else None,
        "last_error": helpdesk.last_error,
        "created_at": iso_utc(helpdesk.created_at),
    }


def _list_rules() -> Mapping[int, Sequence[str]]:
    """Names of the rules that open tickets in a helpdesk, by its id."""
    found: dict[int, list[str]] = defaultdict(list)
    rules = db.session.execute(
        select(AlertRule.name, AlertRule.steps).order_by(AlertRule.position, AlertRule.id)
    )
    for name, steps in rules:
        if ticket := steps.get("ticket"):
            found[ticket["helpdesk"]].append(name)
    return found


def _count_tickets() -> Mapping[int, Mapping[TicketStatus, int]]:
    query = select(Ticket.helpdesk_id, Ticket.status, func.count()).group_by(
        Ticket.helpdesk_id, Ticket.status
    )
    found: dict[int, dict[TicketStatus, int]] = defaultdict(dict)
    for helpdesk_id, status, number in db.session.execute(query):
        found[helpdesk_id][status] = number
    return found
