"""Signed links in messages, each about one occurrence of an alert: whoever has one may acknowledge
it. To open one changes nothing, as mail scanners open every link."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from flask import current_app
from itsdangerous import BadData, URLSafeTimedSerializer

from portal.config import Settings
from portal.errors import NotFound
from portal.scope import get_tenant_id

LINK_LASTS = timedelta(days=14)
SALT = "portal.alerts.acknowledge"
"""Makes a key of the install's that signs nothing else."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a link was made for. `channel_id`: whom it was sent to."""

    tenant_id: int
    handling_id: int
    channel_id: int | None


def make_link(handling_id: int, channel_id: int | None) -> str:
    """The address, for a message about a handling of the scope's tenant. It is a secret."""
    token = _serializer().dumps([get_tenant_id(), handling_id, channel_id])
    settings: Settings = current_app.extensions["settings"]
    return f"{settings.address}/acknowledge/#{token}"


def open_link(token: str) -> Link:
    """Raises NotFound for a token that the portal did not sign, or too long ago."""
    try:
        link = Link(*_serializer().loads(token, max_age=int(LINK_LASTS.total_seconds())))
    except (BadData, TypeError) as error:
        raise invalid_link() from error
    return link


def invalid_link() -> NotFound:
    """The same for a link that is too old, was altered, or whose alert is not there any more."""
    return NotFound(
        f"This link is not valid. It works for {LINK_LASTS.days} days after its message was sent. "
        "Sign in to the portal to see the alert."
    )


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt=SALT)
