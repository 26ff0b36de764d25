"""Doing errands, in a worker: each kind by the service that it belongs to."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from sqlalchemy import update

from portal.channels import Result
from portal.clock import utc_now
from portal.db import count_changed, transaction
from portal.errors import PORTAL_FAULT, PortalError
from portal.helpdesks.carefully import ProbeStep
from portal.models import Errand
from portal.models.errands.errand import ErrandKind
from portal.scope import get_tenant_id
from portal.services import leases
from portal.services.alerts.portions import act_on_next, take_next
from portal.services.alerts.results import IN_TACTICAL, AlertAction
from portal.services.channels import testing as channel_testing
from portal.services.errands.requests import enqueue_errand, get_errand
from portal.services.errands.stopping import end_stopped
from portal.services.events import subscribers
from portal.services.helpdesks import probing
from portal.services.integrations import codes
from portal.services.leases import LeaseLost
from portal.services.oidc import testing as provider_testing
from portal.services.tickets import by_hand, unsure
from portal.services.undo.offers import renew_offer
from portal.services.webhook import installation, rotation
from portal.wording import plural

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """`ok`: None while a part of it is left to be done."""

    ok: bool | None
    message: str
    result: dict[str, Any] = field(default_factory=dict)


def run_queued(errand_id: int) -> None:
    """Do the errand if nobody has begun it. A fault of ours ends it too, so that it never hangs."""
    lease = leases.claim(Errand, errand_id)
    if lease is None:
        return
    with suppress(LeaseLost), leases.keep(Errand, errand_id, lease):
        outcome = _run(get_errand(errand_id))
        with transaction() as session:
            errand = leases.get_own(session, Errand, errand_id, lease)
            errand.result, errand.lease = outcome.result, None
            if outcome.ok is None and errand.stopped_by is not None:
                end_stopped(errand)
            elif outcome.ok is None:
                errand.fencing_number = 0  # nobody has begun what is left
            else:
                errand.ok, errand.message = outcome.ok, outcome.message
                errand.finished_at = utc_now()
        if errand.ok is None:
            enqueue_errand(errand)
        else:
            renew_offer(errand.wanted.get("undo"))


def _run(errand: Errand) -> _Outcome:
    errand_id, kind, so_far = errand.id, errand.kind, errand.result
    try:
        return _DOERS[kind](errand)
    except PortalError as error:
        return _Outcome(ok=False, message=error.message)
    except Exception:
        log.exception("Errand %s (%s) of tenant %s failed.", errand_id, kind, get_tenant_id())
        return _Outcome(ok=False, message=PORTAL_FAULT, result=so_far)


def _act_on_alerts(errand: Errand) -> _Outcome:
    in_tactical = AlertAction(errand.wanted["deed"]) in IN_TACTICAL
    progress = act_on_next(errand) if in_tactical else take_next(errand)
    if progress.goes_on:
        return _Outcome(None, "", progress.to_row())
    result = progress.result
    is_done = not result.failures or (not in_tactical and bool(result.done))
    ok = is_done and not progress.left
    return _Outcome(ok, progress.summary, progress.to_row())


def _test_subscriber(errand: Errand) -> _Outcome:
    outcome = subscribers.send_test(errand.wanted["subscriber_id"], message_id=f"test_{errand.id}")
    if outcome.problem is None:
        return _Outcome(ok=True, message="The receiver accepted the test event.")
    return _Outcome(ok=False, message=f"The test event did not arrive. {outcome.problem}")


def _plan_webhook(errand: Errand) -> _Outcome:
    plan = installation.preview(*installation.read_request(errand.wanted))
    return _Outcome(ok=True, message="", result=plan.to_row())


def _update_secret(errand: Errand) -> _Outcome:
    warning = rotation.update_in_tactical(errand.wanted["ended_key_ids"])
    return _Outcome(warning is None, warning or "Tactical has the new secret.")


def _sign_in(_errand: Errand) -> _Outcome:
    codes.sign_in()
    return _Outcome(ok=True, message="The portal is signed in to Tactical. Syncs continue.")


def _test_provider(errand: Errand) -> _Outcome:
    problem = provider_testing.test_provider(errand.wanted["callback"])
    return _Outcome(problem is None, problem or provider_testing.PASSED)


def _test_channel(errand: Errand) -> _Outcome:
    outcome = channel_testing.send_test(errand.wanted["channel_id"], key=f"test-{errand.id}")
    if outcome.result is Result.SENT:
        return _Outcome(ok=True, message=f"The test message was sent. {outcome.answer}")
    return _Outcome(ok=False, message=f"The test message did not arrive. {outcome.answer}")


def _probe_helpdesk(errand: Errand) -> _Outcome:
    wanted = errand.wanted
    asked = (wanted["helpdesk_id"], wanted["queue"], wanted["customer"])
    errand_id = errand.id
    steps = probing.run_probe(*asked, tell=lambda done: _tell_steps(errand_id, done))
    ok, message = probing.tell_outcome(steps)
    return _Outcome(ok, message, {"steps": [asdict(step) for step in steps]})


def _tell_steps(errand_id: int, steps: Sequence[ProbeStep]) -> None:
    """To whoever waits, while it is under way."""
    its = update(Errand).where(Errand.id == errand_id, Errand.ok.is_(None))
    with transaction() as session:
        told = {"steps": [asdict(step) for step in steps]}
        count_changed(session, its.values(result=told))


def _list_choices(errand: Errand) -> _Outcome:
    found = probing.ask_for_lists(errand.wanted["helpdesk_id"])
    counts = [
        plural(len(found[probing.Lists.QUEUES]), "queue"),
        plural(len(found[probing.Lists.CUSTOMERS]), "customer"),
    ]
    return _Outcome(ok=True, message=f"The helpdesk has {' and '.join(counts)}.")


def _link_ticket(errand: Errand) -> _Outcome:
    wanted = errand.wanted
    ticket = by_hand.link_existing(
        wanted["alert_id"],
        wanted["helpdesk_id"],
        wanted["reference"],
        by=wanted["by"],
        clients=wanted.get("clients"),
    )
    return _Outcome(ok=True, message=f"The alert hangs on ticket {ticket.reference}.")


def _settle_ticket(errand: Errand) -> _Outcome:
    wanted = errand.wanted
    ticket = unsure.settle_typed(wanted["ticket_id"], wanted["reference"], wanted["by"])
    return _Outcome(ok=True, message=f"This is ticket {ticket.reference}.")


_DOERS: Final[Mapping[ErrandKind, Callable[[Errand], _Outcome]]] = {
    ErrandKind.ACT_ON_ALERTS: _act_on_alerts,
    ErrandKind.TEST_SUBSCRIBER: _test_subscriber,
    ErrandKind.PLAN_WEBHOOK: _plan_webhook,
    ErrandKind.UPDATE_SECRET: _update_secret,
    ErrandKind.SIGN_IN: _sign_in,
    ErrandKind.TEST_PROVIDER: _test_provider,
    ErrandKind.TEST_CHANNEL: _test_channel,
    ErrandKind.PROBE_HELPDESK: _probe_helpdesk,
    ErrandKind.LIST_CHOICES: _list_choices,
    ErrandKind.LINK_TICKET: _link_ticket,
    ErrandKind.SETTLE_TICKET: _settle_ticket,
}
