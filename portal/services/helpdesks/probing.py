"""What a person asks of a helpdesk and waits for: whether its set-up works, and its lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from enum import StrEnum
from typing import Any

from sqlalchemy import select

from portal import queue
from portal.clock import utc_now
from portal.db import db, release, transaction
from portal.errors import Refused
from portal.helpdesks.carefully import ProbeStep, make_key, probe
from portal.helpdesks.kind import Choice, Draft, HelpdeskError
from portal.models import Errand, Helpdesk, Tenant
from portal.models.errands.errand import ErrandKind
from portal.scope import get_tenant_id
from portal.services.audit.actions import Action
from portal.services.audit.record import record
from portal.services.errands.requests import add_errand, enqueue_errand
from portal.services.handling.alert_facts import make_address
from portal.services.helpdesks.changing import forget_failures, get_target, hold
from portal.services.helpdesks.listing import get_helpdesk
from portal.services.helpdesks.reaching import Way, make_way
from portal.services.text import clean_line

SUBJECT = "Test of the connection to the portal"
BODY = (
    "The portal opened this ticket to see whether its connection to the helpdesk works. It can be "
    "deleted."
)
CHANGED = "The settings were changed meanwhile. Test the helpdesk once more."
PASSED = "Everything works. Tickets are opened from now on."


class Lists(StrEnum):
    QUEUES = "queues"
    CUSTOMERS = "customers"
    PRIORITIES = "priorities"


def request_probe(helpdesk_id: int, queue_id: str, customer: str = "") -> Errand:
    """Have a worker try it, with a ticket in that queue. Raises InvalidInput, TooManyWaiting and
    NotFound."""
    queue_id = _clean_queue(queue_id)
    with transaction() as session:
        helpdesk = get_helpdesk(helpdesk_id)
        wanted = {"helpdesk_id": helpdesk_id, "queue": queue_id, "customer": customer}
        title = f"Test {helpdesk.name}"
        errand = add_errand(session, ErrandKind.PROBE_HELPDESK, title, wanted)
        record(Action.HELPDESK_PROBED, get_target(helpdesk), after={"queue": queue_id})
    enqueue_errand(errand)
    return errand


def probe_now(helpdesk_id: int, queue_id: str, customer: str = "") -> Sequence[ProbeStep]:
    """For who waits for it in a shell. Raises InvalidInput, Refused and NotFound."""
    queue_id = _clean_queue(queue_id)
    with transaction():
        helpdesk = get_helpdesk(helpdesk_id)
        record(Action.HELPDESK_PROBED, get_target(helpdesk), after={"queue": queue_id})
    return run_probe(helpdesk_id, queue_id, customer)


def run_probe(
    helpdesk_id: int,
    queue_id: str,
    customer: str,
    tell: Callable[[Sequence[ProbeStep]], None] = lambda _steps: None,
) -> Sequence[ProbeStep]:
    """And keep what came of it. `tell`: what is done so far. Raises Refused where the settings were
    changed meanwhile."""
    way = _get_way(helpdesk_id)
    draft = _make_draft(queue_id, customer)
    release()  # no transaction waits for somebody else's server
    try:
        far_side = way.connect()
        can = {"can_find": way.can_find, "can_close": way.can_close}
        steps = probe(far_side, draft, **can, tell=tell)
    except HelpdeskError as error:
        steps = [ProbeStep("account", False, error.message)]
    _keep(helpdesk_id, way, steps)
    return steps


def _keep(helpdesk_id: int, way: Way, steps: Sequence[ProbeStep]) -> None:
    is_good = all(step.is_good for step in steps)
    with transaction() as session:
        helpdesk = hold(session, helpdesk_id)
        if make_way(helpdesk) != way:
            raise Refused(CHANGED)
        helpdesk.probe, helpdesk.probed_at = [asdict(step) for step in steps], utc_now()
        helpdesk.is_proven = is_good
        if is_good:
            forget_failures(helpdesk)
    if is_good:
        queue.enqueue("do_tickets", get_tenant_id(), helpdesk_id)


def request_lists(helpdesk_id: int) -> Errand:
    """Have a worker ask for its lists, for people to choose from. Raises TooManyWaiting and
    NotFound."""
    with transaction() as session:
        helpdesk = get_helpdesk(helpdesk_id)
        title = f"Ask {helpdesk.name} for its queues and customers"
        wanted = {"helpdesk_id": helpdesk_id}
        errand = add_errand(session, ErrandKind.LIST_CHOICES, title, wanted)
        record(Action.HELPDESK_ASKED, get_target(helpdesk))
    enqueue_errand(errand)
    return errand


def ask_for_lists(helpdesk_id: int) -> dict[Lists, Sequence[Choice]]:
    """Now, wait for the answers, and keep them. Raises Refused with what the helpdesk said, and
    NotFound."""
    way = _get_way(helpdesk_id)
    release()
    try:
        far_side = way.connect()
        found: dict[Lists, Sequence[Choice]] = {
            Lists.QUEUES: far_side.list_queues(),
            Lists.CUSTOMERS: far_side.list_customers(),
            Lists.PRIORITIES: far_side.list_priorities(),
        }
    except HelpdeskError as error:
        raise Refused(error.message) from error
    with transaction() as session:
        helpdesk = hold(session, helpdesk_id)
        helpdesk.lists = {str(which): [asdict(each) for each in found[which]] for which in found}
        helpdesk.listed_at = utc_now()
    return found


def read_list(helpdesk_id: int, which: Lists) -> list[Choice]:
    """As it was last told; empty before that."""
    kept = db.session.scalar(select(Helpdesk.lists).where(Helpdesk.id == helpdesk_id))
    return parse_list(kept, which)


def parse_list(kept: Mapping[str, Any] | None, which: Lists) -> list[Choice]:
    """`kept`: the column of a helpdesk."""
    return [Choice(each["id"], each["name"]) for each in (kept or {}).get(which, ())]


def _get_way(helpdesk_id: int) -> Way:
    way = make_way(get_helpdesk(helpdesk_id))
    assert way is not None  # `get_helpdesk` knows its kind
    return way


def _make_draft(queue_id: str, customer: str) -> Draft:
    tenant = db.session.get_one(Tenant, get_tenant_id())
    return Draft(
        key=make_key(f"{tenant.slug}-test"),
        queue=queue_id,
        customer=customer,
        subject=SUBJECT,
        body=f"{BODY}\n\n{make_address(tenant)}/",
        url=f"{make_address(tenant)}/",
    )


def _clean_queue(queue_id: str) -> str:
    """Raises InvalidInput."""
    return clean_line(queue_id, "queue", "the queue in which the test opens a ticket")


def tell_outcome(steps: Sequence[ProbeStep]) -> tuple[bool, str]:
    """In one sentence or two."""
    bad = [step for step in steps if not step.is_good]
    return (False, bad[0].text) if bad else (True, PASSED)
