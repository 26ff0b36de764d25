"""A message that a person asks for, to see whether a channel works, and what one would say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import select

from portal.channels import KINDS, Outcome, Result, Telling, find_missing
from portal.clock import utc_now
from portal.db import db, release, transaction
from portal.far_side.templating import BadTemplate
from portal.lease import make_lease
from portal.models import Channel, Errand, Tenant
from portal.models.errands.errand import ErrandKind
from portal.scope import get_tenant_id
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record
from portal.services.channels.listing import get_channel
from portal.services.errands.requests import add_errand, enqueue_errand
from portal.services.far_sides import BadFields, read_secrets
from portal.services.handling.alert_facts import load_example
from portal.services.integrations.networks import get_gateway

TITLE = "Test message"
TEXT = "The portal reaches you here. Nothing is wrong: somebody pressed “Send test”."
NOTICE: Final[Mapping[str, Any]] = {
    "reason": "notice",
    "title": "The webhook is silent",
    "text": "No webhook call has arrived for six hours.",
    "url": "https://…",
}
"""For a preview."""


def request_test(channel_id: int) -> Errand:
    """Have a worker send a test message, beside the line of the others. Raises TooManyWaiting."""
    channel = get_channel(channel_id)
    title = f"Send a test message to {channel.name}"
    with transaction() as session:
        errand = add_errand(session, ErrandKind.TEST_CHANNEL, title, {"channel_id": channel_id})
        record(Action.CHANNEL_TESTED, Target("channel", channel_id, get_channel(channel_id).name))
    enqueue_errand(errand)
    return errand


def test_now(channel_id: int) -> Outcome:
    """For who waits for it in a shell. Raises SecretUnreadable and NotFound."""
    with transaction():
        name = get_channel(channel_id).name
        record(Action.CHANNEL_TESTED, Target("channel", channel_id, name))
    return send_test(channel_id, key=f"test-{make_lease()}")


def send_test(channel_id: int, key: str) -> Outcome:
    """Now, and wait for the answer. Raises SecretUnreadable and NotFound."""
    channel = get_channel(channel_id)
    kind, settings = KINDS[channel.kind], dict(channel.settings)
    kept = read_secrets(channel, kind.fields)
    tenant = db.session.get_one(Tenant, get_tenant_id())
    missing = find_missing(kind, kept)
    if missing is not None:
        return missing
    telling = Telling(
        key=f"{tenant.slug}-{key}",
        reason="test",
        title=f"{TITLE} of {tenant.name}",
        text=TEXT,
        sender=tenant.name,
    )
    release()  # no transaction waits for somebody else's server
    outcome = kind.send(get_gateway(), settings, kept, telling)
    if outcome.result is Result.SENT:
        _note_good_test(channel_id, settings)
    return outcome


def _note_good_test(channel_id: int, settings: Mapping[str, Any]) -> None:
    """Unless somebody changed or deleted the channel meanwhile."""
    with transaction() as session:
        channel = session.scalar(
            select(Channel)
            .where(Channel.id == channel_id)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
        if channel is not None and channel.settings == settings:
            channel.tested_at = utc_now()


def preview(channel: Channel, templates: Mapping[str, str]) -> str:
    """What the channel would say of the newest alert in these words, and of a notice where that has
    words of its own. Raises BadFields."""
    tenant = db.session.get_one(Tenant, get_tenant_id())
    alert = Telling(
        key="preview",
        reason="raised",
        alerts=[load_example()],
        templates=templates,
        sender=tenant.name,
    )
    has_own = any(templates.get(part) for part in ("notice_subject", "notice_text"))
    tellings = [alert, replace(alert, alerts=(), **NOTICE)] if has_own else [alert]
    try:
        said = [KINDS[channel.kind].preview(channel.settings, each) for each in tellings]
        return "\n\n———\n\n".join(said)
    except BadTemplate as error:
        raise BadFields({"body": str(error)}) from error
