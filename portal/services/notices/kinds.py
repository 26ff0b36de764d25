"""The kinds of notices: their words, and how long each must last, or be over, before it counts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from portal.models.notices.notice import NoticeKind

AT_ONCE: Final = timedelta()
CERTIFICATE_LEFT: Final = timedelta(days=21)
"""People are told of a certificate that is valid for less than this."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What comes and goes within `lasts` is told to nobody. What was told, is gone for `calm` and
    does not come back is over: what flaps is one notice."""

    title: str
    """What is the matter, for subjects and lists."""
    about: str
    """When it is told, for whoever chooses."""
    page: str
    """Where to look and what to do, below the tenant's address."""
    lasts: timedelta = AT_ONCE
    calm: timedelta = AT_ONCE


KINDS: Final[dict[NoticeKind, Kind]] = {
    NoticeKind.CONNECTION_LOST: Kind(
        title="Tactical does not answer",
        about="The portal has not reached the Tactical server for 10 minutes.",
        page="integrations/tacticalrmm/",
        lasts=timedelta(minutes=10),
        calm=timedelta(minutes=5),
    ),
    NoticeKind.CREDENTIALS_REFUSED: Kind(
        title="Tactical refuses the credentials",
        about="Scheduled syncs are stopped until the credentials are corrected.",
        page="integrations/tacticalrmm/",
    ),
    NoticeKind.CODE_NEEDED: Kind(
        title="Tactical asks for a one-time code",
        about="The portal cannot sign in until somebody enters a code.",
        page="integrations/tacticalrmm/",
    ),
    NoticeKind.SYNC_HELD: Kind(
        title="A sync waits for a person",
        about="A sync would change so much, or so little is known of the server, that somebody "
        "must decide first.",
        page="sync-runs/",
    ),
    NoticeKind.WEBHOOK_SILENT: Kind(
        title="The webhook is silent",
        about="For 30 minutes, alerts have begun that Tactical's webhook did not report.",
        page="integrations/tacticalrmm/webhook/",
        lasts=timedelta(minutes=30),
        calm=timedelta(minutes=30),
    ),
    NoticeKind.SUBSCRIBER_FAILING: Kind(
        title="A subscriber does not take events",
        about="A subscriber has failed for 15 minutes, or was stopped because it failed for days.",
        page="integrations/events/",
        lasts=timedelta(minutes=15),
        calm=timedelta(minutes=5),
    ),
    NoticeKind.CHANNEL_FAILING: Kind(
        title="A channel does not deliver messages",
        about="Messages have not arrived by a channel for 15 minutes. The other channels say so.",
        page="channels/",
        lasts=timedelta(minutes=15),
        calm=timedelta(minutes=5),
    ),
    NoticeKind.HELPDESK_FAILING: Kind(
        title="A helpdesk does not take tickets",
        about="For 15 minutes a helpdesk has not answered, or tickets wait for it to be tested.",
        page="helpdesks/",
        lasts=timedelta(minutes=15),
        calm=timedelta(minutes=5),
    ),
    NoticeKind.CERTIFICATE_EXPIRES: Kind(
        title="The certificate of the Tactical server expires soon",
        about=f"It is valid for less than {CERTIFICATE_LEFT.days} days.",
        page="integrations/tacticalrmm/",
    ),
    NoticeKind.WATCH_MATCHES: Kind(
        title="A software watch matches",
        about="Some asset has software that is watched for.",
        page="software/watches/",
        calm=timedelta(minutes=15),  # longer than it can be undone that a watch was switched off
    ),
}
