"""What an admin needs to set the webhook up and to see whether it works."""

from __future__ import annotations

import ipaddress
import json
import re
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode, urlsplit

from flask import current_app
from sqlalchemy import select

from portal.config import Settings
from portal.db import db, transaction
from portal.models import Tenant, WebhookKey
from portal.scope import get_tenant_id
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record
from portal.services.integrations.current import integration_id
from portal.services.webhook.execution import read_wanted
from portal.services.webhook.installation import find_installation
from portal.services.webhook.keys import is_valid
from portal.services.webhook.keys import reveal as reveal_secret
from portal.services.webhook.plan import placeholder
from portal.services.webhook.records import Made, Piece
from portal.tactical.webhook import FAILURE_BODY, RESOLVED_BODY, SECRET_HEADER, headers_text
from portal.vault import last_four_of

__all__ = ["FAILURE_BODY", "RESOLVED_BODY", "SECRET_HEADER"]

INTAKE = "/api/webhooks/tacticalrmm"
_SAMPLE = {
    "agent.agent_id": "dktGXFyfzYyqhMMyJAkXsJVNpHeRAVslCAHFONkm",
    "alert.id": "503",
    "alert.alert_type": "availability",
    "alert.severity": "error",
    "alert.alert_time": "2026-11-23 03:39:56.791162+00:00",
    "alert.resolved_on": "2026-11-23 03:39:57.138399+00:00",
    "client.id": "1",
    "site.id": "2",
}


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A valid secret as it may be shown."""

    last_four: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


def get_webhook_url(root: str | None = None) -> str:
    """Where Tactical shall send. `root` is what the person's browser calls the portal.

    A command, which knows no root, keeps to what was installed.
    """
    settings: Settings = current_app.extensions["settings"]
    slug = db.session.scalar(select(Tenant.slug).where(Tenant.id == get_tenant_id()))
    if not settings.public_url and root is None:
        installed = read_wanted(find_installation())
        if installed is not None:
            return installed.url
    base = settings.public_url or (root or settings.address).rstrip("/")
    return f"{base}{INTAKE}?{urlencode({'tenant': slug})}"


def list_url_warnings(url: str, is_reached: bool) -> list[str]:
    """Why Tactical may not reach it, unless something came from there, or should not."""
    parts = urlsplit(url)
    warnings = []
    if not is_reached and _is_local(parts.hostname or ""):
        warnings.append(
            "This address leads to the portal's own machine, so Tactical reaches it only if it "
            "runs there too. Set PORTAL_PUBLIC_URL to an address that Tactical can reach."
        )
    if parts.scheme != "https":
        warnings.append("This address does not use https, so the secret is sent unencrypted.")
    return warnings


def headers_for(secret: str | None, made: Made) -> str | None:
    """What Tactical's headers field takes, as it works when pasted there.

    Without the secret they refer to Tactical's key store; None where it does not hold it.
    """
    key = made.records.get(Piece.KEY)
    if secret is None and key is not None:
        return headers_text(placeholder(key.name))
    return None if secret is None else headers_text(secret)


def render_sample(body: str) -> str:
    """What a template sends, for a sample alert."""
    resolved = "True" if "alert.resolved_on" in body else "None"
    values = {**_SAMPLE, "alert.resolved": resolved}
    text = re.sub(r"\{\{([\w.]+)\}\}", lambda found: values.get(found[1], "None"), body)
    return json.dumps(json.loads(text), indent=2)


def reveal() -> str:
    """The present secret, to whoever asks for it: the audit trail says who."""
    with transaction():
        record(Action.WEBHOOK_SECRET_REVEALED, Target("webhook"))
    return reveal_secret()


def list_key_rows() -> list[KeyRow]:
    """The present secret first, then the one that is about to expire."""
    last_four = last_four_of(WebhookKey, "value")
    rows = db.session.execute(
        select(last_four, WebhookKey.created_at, WebhookKey.expires_at, WebhookKey.last_used_at)
        .where(WebhookKey.integration_id == integration_id(), is_valid())
        .order_by(WebhookKey.expires_at.is_not(None), WebhookKey.id.desc())
    )
    return [KeyRow(row[0] or "", row[1], row[2], row[3]) for row in rows]


def _is_local(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
