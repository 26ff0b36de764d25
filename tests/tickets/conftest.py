"""A tenant with alerts and rules, and a helpdesk that suffers what is planned for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select

from portal.db import db, transaction
from portal.helpdesks import KINDS
from portal.models import Client, Helpdesk, OrganizationMapping, Ticket, TicketTask
from portal.models.tickets.ticket import TaskStatus
from portal.scope import all_tenants
from portal.services.handling import deciding
from portal.services.rules.terms import Conditions, TicketStep
from portal.services.tickets import doing, polling
from portal.vault import store_secret
from tests.handling.conftest import Desk, clock, desk
from tests.helpdesks.simulated import TOKEN, SimulatedHelpdesk, simulated
from tests.helpdesks.simulated import Ticket as There
from tests.helpdesks.simulated_kind import SIMULATED
from tests.web.world import make_asset

__all__ = ["clock", "desk"]


@dataclass(slots=True)
class Office:
    """A desk with a helpdesk, which `far` is."""

    desk: Desk
    far: SimulatedHelpdesk
    helpdesk_id: int

    def add_rule(self, conditions: Conditions | None = None, **step: Any) -> int:
        values: dict[str, Any] = {"helpdesk": self.helpdesk_id, "queue": "support"} | step
        return self.desk.add_rule(conditions, ticket=TicketStep(**values))

    def add_client(self, name: str = "Contoso") -> int:
        """Whose alerts come from the organization of the same name."""
        with transaction() as session:
            client = Client(name=name)
            session.add(client)
            session.flush()
            mapping = OrganizationMapping(
                integration_id=self.desk.integration_id,
                external_organization_id="7",
                external_organization_name=name,
                client_id=client.id,
            )
            session.add(mapping)
        return client.id

    def add_asset(self, client_id: int, pk: int) -> int:
        """Whose alerts are those of this number."""
        with transaction() as session:
            found = make_asset(
                self.desk.integration_id, client_id, f"SRV-{pk}", rmm_device_id=f"agent-{pk}"
            )
            session.add(found)
        return found.id

    def work(self) -> None:
        """What workers do once the scheduler has looked: decide, and do what is due."""
        deciding.handle_due()
        self.do()

    def do(self) -> None:
        with all_tenants():
            behind = doing.list_helpdesks_behind()
        for _tenant, helpdesk_id in behind:
            doing.do_tickets(helpdesk_id)

    def poll(self) -> None:
        with all_tenants():
            behind = polling.list_helpdesks_to_poll()
        for _tenant, helpdesk_id in behind:
            polling.poll_tickets(helpdesk_id)

    def tickets(self) -> list[Ticket]:
        query = select(Ticket).order_by(Ticket.id).execution_options(populate_existing=True)
        found = list(db.session.scalars(query))
        db.session.rollback()
        return found

    def ticket(self) -> Ticket:
        [ticket] = self.tickets()
        return ticket

    def tasks(self) -> list[tuple[str, str]]:
        """Verb and status of all, in order."""
        rows = db.session.execute(
            select(TicketTask.verb, TicketTask.status).order_by(TicketTask.id)
        ).all()
        db.session.rollback()
        return [(str(verb), str(status)) for verb, status in rows]

    def waits(self) -> bool:
        return any(status == TaskStatus.WAITING for _verb, status in self.tasks())

    def helpdesk(self) -> Helpdesk:
        found = db.session.get_one(Helpdesk, self.helpdesk_id, populate_existing=True)
        db.session.rollback()
        return found

    def change(self, **values: Any) -> None:
        """Of the helpdesk's row."""
        with transaction() as session:
            row = session.get_one(Helpdesk, self.helpdesk_id, populate_existing=True)
            for name, value in values.items():
                setattr(row, name, value)

    def there(self) -> list[There]:
        """The tickets as the helpdesk has them."""
        return list(self.far.tickets.values())

    def said(self, at: int = 0) -> list[str]:
        """The portal's comments there, without their markers."""
        comments = self.there()[at].comments
        return [each["text"].partition("\n\n[")[0] for each in comments if each["by"] == "portal"]


@pytest.fixture
def office(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    monkeypatch.setitem(KINDS, SIMULATED.name, SIMULATED)
    with simulated() as far:
        with transaction() as session:
            helpdesk = Helpdesk(
                kind=SIMULATED.name, name="Desk", settings={"url": far.url}, is_proven=True
            )
            session.add(helpdesk)
            session.flush()
            store_secret(session, helpdesk, "token", TOKEN)
        yield Office(desk, far, helpdesk.id)
