"""Who worked on a ticket, where the helpdesk names the last who changed it and nobody before."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from portal.db import db, transaction
from portal.models import Helpdesk
from portal.vault import store_secret
from tests.helpdesks.benches import HTTP_SETTINGS
from tests.helpdesks.simulated import TOKEN, Answer, Fault, SimulatedHelpdesk
from tests.tickets.conftest import Office

pytestmark = pytest.mark.one_database


@pytest.fixture
def forgetful(office: Office, monkeypatch: pytest.MonkeyPatch) -> Office:
    """By HTTP, and each write of the portal hides who wrote before."""
    settings = {**HTTP_SETTINGS, "url": office.far.url, "own_name": "Portal , System"}
    office.change(kind="http", settings=settings)
    with transaction() as session:
        helpdesk = session.get_one(Helpdesk, office.helpdesk_id)
        store_secret(session, helpdesk, "headers", f"Authorization: Bearer {TOKEN}")
    db.session.rollback()
    do = SimulatedHelpdesk._do

    def do_and_sign(
        far: Any, method: str, ticket: Any, account: str, *args: Any, **own: Any
    ) -> Any:
        answered: Answer = do(far, method, ticket, account, *args, **own)
        if method != "GET":
            ticket.touched_by = account
        return answered

    monkeypatch.setattr(SimulatedHelpdesk, "_do", do_and_sign)
    office.add_client()
    office.add_rule(per="client")
    office.desk.raise_alerts(1)
    office.work()
    office.poll()
    return office


@pytest.mark.parametrize("fault", [None, Fault.LOSES_ANSWER])
def test_a_comment_of_ours_hides_nobody(forgetful: Office, clock: Any, fault: Fault | None) -> None:
    forgetful.far.touch("1001")
    forgetful.far.plan = [fault]
    forgetful.desk.raise_alerts(2)
    forgetful.work()
    clock.shift(timedelta(minutes=3))
    forgetful.work()
    forgetful.poll()
    assert len(forgetful.said()) == 1
    forgetful.desk.resolve(1, 2)
    forgetful.work()
    assert (forgetful.ticket().touched_by, forgetful.there()[0].state) == ("anna", "open")


def test_reopening_it_hides_nobody(forgetful: Office) -> None:
    forgetful.desk.resolve(1)
    forgetful.work()
    forgetful.far.touch("1001")
    forgetful.desk.raise_alerts(2)
    forgetful.work()
    forgetful.desk.resolve(2)
    forgetful.work()
    assert (forgetful.ticket().touched_by, forgetful.there()[0].state) == ("anna", "open")


def test_what_the_helpdesk_does_itself_is_nobodys_work(forgetful: Office) -> None:
    forgetful.far.touch("1001", "Escalated.", by="System")
    forgetful.desk.resolve(1)
    forgetful.work()
    assert (forgetful.ticket().touched_by, forgetful.there()[0].state) == (None, "closed")
