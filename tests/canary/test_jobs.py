"""Canary: whatever a job sends, stores or logs, and wherever it fails, it tells no secret."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from rq.utils import import_attribute
from sqlalchemy import select

from portal import queue
from portal.config import Settings
from portal.db import db, release, transaction
from portal.jobs.context import use_app
from portal.models import Channel, Delivery, Helpdesk, Message, Ticket, TicketTask
from portal.models.channels.message import MessageReason
from portal.models.runs.sync_run import SyncKind
from portal.models.tickets.ticket import TaskVerb, TicketStatus
from portal.models.webhook.installation import InstallationAction
from portal.queue import JOBS
from portal.services.accounts.invitations import invite
from portal.services.events import subscribers
from portal.services.integrations import connect, testing
from portal.services.integrations.current import get_integration
from portal.services.runs.requests import request_run
from portal.services.webhook import installation, keys
from portal.services.webhook.records import ApplyTo, Wanted
from portal.sync.alerts.hints import write_hint
from portal.tactical.webhook import TRIGGER, Hint
from portal.vault import store_secret
from tests.canary.browser import FIRST_WRITE
from tests.canary.secrets_made import catch
from tests.canary.watch import Watch, watching
from tests.events.receiver import Receiver, receiving
from tests.support.mail_server import mail_server
from tests.support.msp import Msp, msp
from tests.tactical.talking import admin

__all__ = ["msp"]

pytestmark = [pytest.mark.mainly("sqlite"), pytest.mark.servers]

log = logging.getLogger("rq.worker")

FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "status", "status": 500},
    {"kind": "html"},
    {"kind": "drop"},
)
"""Of the far side."""


@dataclass(frozen=True, slots=True)
class World:
    msp: Msp
    subscriber: int
    receiver: str

    def run(self, kind: SyncKind, subject: str = "") -> int:
        return request_run(kind, "button", subject)[0].id

    def integration(self) -> int:
        return get_integration().id

    def kept_alive(self) -> int:
        """With a new sign-in: Tactical has forgotten the last one."""
        self.msp.tactical.control.access.revoke_tokens()
        return self.integration()

    def installed(self) -> int:
        wanted = Wanted("https://portal.example/webhooks", ApplyTo.DEFAULT, (), True)
        return installation.request_action(InstallationAction.INSTALL, wanted).id

    def delivered(self) -> None:
        with transaction() as session:
            session.add(
                Delivery(integration_id=get_integration().id, body="{}", body_bytes=2, kept_bytes=2)
            )

    def alerted(self) -> None:
        hint = Hint(event=TRIGGER, agent_id=self.msp.agents[0], alert_type="check")
        with transaction() as session:
            write_hint(session, get_integration().id, hint)

    def told(self) -> int:
        """A channel that has something to say."""
        with transaction() as session:
            settings = {"method": "POST", "format": "json"}
            channel = Channel(kind="http", name="Ops", settings=settings)
            session.add(channel)
            session.flush()
            store_secret(session, channel, "url", f"{self.receiver}/Canary9AddressOfChannel")
            facts = {"title": "Lost", "text": "Since noon."}
            told = Message(channel_id=channel.id, key="n1", reason=MessageReason.NOTICE)
            told.facts = facts
            session.add(told)
        return channel.id

    def ticketed(self) -> int:
        """A helpdesk with an open ticket and one to be opened."""
        with transaction() as session:
            count = len(session.scalars(select(Helpdesk.id)).all())
            settings = {"url": self.receiver, "field": "PortalKey", "closed": "resolved"}
            desk = Helpdesk(kind="rt", name=f"RT {count}", settings=settings, is_proven=True)
            session.add(desk)
            session.flush()
            store_secret(session, desk, "token", "Canary10TokenOfHelpdesk")
            words = dict.fromkeys(("outage", "queue", "subject", "body"), "x")
            opened, new = (
                Ticket(helpdesk_id=desk.id, key=f"k{count}-{each}", **words | {"outage": each})
                for each in ("one", "two")
            )
            opened.status, opened.reference = TicketStatus.OPEN, "7"
            session.add_all((opened, new))
            session.flush()
            owner = {"ticket_id": new.id, "helpdesk_id": desk.id}
            session.add(TicketTask(verb=TaskVerb.OPEN, key=f"k{count}", **owner))
        return desk.id

    def signed_out(self) -> None:
        """Another password: the sign-in with the one of before is ended at Tactical."""
        user = admin(self.msp.tactical)
        connect.save_connection(connect.ConnectionSettings(password=user.password))


NIGHTLY = {"count_days", "prune_deliveries", "prune_events", "prune_runs"}
PREPARE: dict[str, Callable[[World], int | None]] = {
    "sync_organizations": lambda world: world.run(SyncKind.ORGANIZATIONS),
    "sync_devices": lambda world: world.run(SyncKind.DEVICES),
    "sync_software": lambda world: world.run(SyncKind.SOFTWARE),
    "sync_steadily": lambda world: world.run(SyncKind.ALERTS),
    "refresh_agent": lambda world: world.run(SyncKind.AGENT, world.msp.agents[0]),
    "test_connection": lambda _world: testing.request_test().id,
    "process_deliveries": World.delivered,
    "install_webhook": World.installed,
    "do_errand": lambda world: subscribers.request_test(world.subscriber).id,
    "deliver_events": lambda world: world.subscriber,
    "keep_alive": World.kept_alive,
    **dict.fromkeys(NIGHTLY, World.integration),
    "sign_out": World.signed_out,
    "handle_alerts": World.alerted,
    "send_messages": World.told,
    **dict.fromkeys(("do_tickets", "poll_tickets"), World.ticketed),
}
"""What there is to do for each job; its second id."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    with watching() as watch:
        catch(watch, monkeypatch)
        yield watch


@pytest.mark.fleet(clients=2, sites=2, agents=6, titles=2)
def test_no_job_tells_a_secret(
    watch: Watch,
    msp: Msp,
    receiver: Receiver,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = connected(msp, receiver)
    use_app(msp.app)
    assert PREPARE.keys() == JOBS.keys()
    failed = set()
    for name in PREPARE:
        if drive(watch, world, name, settings):
            failed.add(name)
    for fault in FAULTS:
        assert testing.test_now().ok
        msp.tactical.control.access.revoke_tokens()
        msp.tactical.control.faults.add(**fault, times=None)
        receiver.plan = [(500, {})] * 4
        for name in ("sync_devices", "test_connection", "do_errand", "keep_alive"):
            drive(watch, world, name, settings)
        msp.tactical.control.faults.clear()
    monkeypatch.setattr(logging.getLogger("mail.log"), "propagate", False)  # the far side's own
    drive_mailed_link(watch, world, settings)
    watch.look("events", receiver.received)
    watch.look_at_tables()

    assert watch.find_told() == set()
    assert failed >= JOBS.keys() - NIGHTLY
    assert receiver.received != []
    assert {
        *("rmm_integrations.password", "rmm_integrations.totp_secret", "code"),
        *("rmm_integrations.knox_token", "rmm_ended_sign_ins.token"),
        *("event_subscribers.url", "event_subscribers.signing_secret", "channels.url"),
        *("messages.code", "helpdesks.token"),
    } <= watch.kinds


def connected(msp: Msp, receiver: Receiver) -> World:
    msp.connect_by_totp()
    url = receiver.url.replace("hook", "Canary9AddressOfSubscriber")
    subscriber, receiver.secret = subscribers.add_subscriber(url)
    msp.waive_preview()
    keys.reveal()
    return World(msp, subscriber.id, receiver.url)


def drive_mailed_link(watch: Watch, world: World, settings: Settings) -> None:
    """By a server that says what it was sent, and refuses it."""
    with mail_server("none", signs_in=False) as server:
        where = {"server": "localhost", "port": str(server.port), "security": "none"}
        values = {"username": "", "sender": "a@acme.example", "sender_name": "", "to": ""}
        with transaction() as session:
            channel = Channel(kind="mail", name="Mail", settings=where | values)
            session.add(channel)
        for refusal in ("451 4.3.0 Later: {}", "554 5.7.1 No such links: {}"):
            made = invite("new@acme.example", str(world.msp.id), "viewer", by_mail=True)
            server.answers = {"DATA": refusal.format(made.link)}
            assert drive(watch, world, "send_messages", settings, channel.id)


def drive(
    watch: Watch, world: World, name: str, settings: Settings, second: int | None = None
) -> bool:
    """Whether it failed when the database did; then it is done for real."""
    second = second or PREPARE[name](world)
    release()
    ids = [world.msp.id, *([second] if second is not None else [])]
    queue.enqueue(name, *ids)
    watch.look_at_redis(settings.redis_url)
    function = import_attribute(JOBS[name].function)
    with watch.failing(FIRST_WRITE):
        perform(function, ids)
        has_failed = watch.failed > 0
    db.session.rollback()
    perform(function, ids)
    watch.look_at_redis(settings.redis_url)
    return has_failed


def perform(function: Callable[..., Any], ids: list[int]) -> None:
    """As a worker of RQ does, which keeps the traceback in Redis and logs it."""
    try:
        function(*ids)
    except Exception:
        log.exception("Job: exception raised while executing (%s)", function.__name__)
