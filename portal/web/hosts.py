"""By which names pages may be asked for: whoever makes up a host name gets no page for it."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from flask import Flask, current_app, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.routing import RequestRedirect

from portal.config import Settings
from portal.errors import PortalError

OPEN = ("webhooks", "health")
"""Intake takes a delivery by whatever name it came, and load balancers ask by address. Neither
answer holds anything of the name."""


class HostRefused(PortalError):
    """A name by which the portal is not to be reached."""


def init_app(app: Flask) -> None:
    app.before_request(_check_host)
    app.before_request(_redirect_within)


def _check_host() -> None:
    """Raises HostRefused, which is a 400, for a name that is not among the trusted ones."""
    if request.blueprint in OPEN:
        return
    settings: Settings = current_app.extensions["settings"]
    name = _read_name(request.host)
    if name in settings.trusted_hosts or name.endswith(_suffixes(settings)):
        return
    raise HostRefused(
        f"The portal cannot be reached under the name {name[:100] or 'in the request'}. Use the "
        "address that its operator gave you. The operator can add a name with PORTAL_PUBLIC_URL "
        "or PORTAL_TRUSTED_HOSTS."
    )


def _read_name(host: str) -> str:
    """Without port and brackets, in small letters; empty when it is no name at all."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _suffixes(settings: Settings) -> tuple[str, ...]:
    return tuple(name for name in settings.trusted_hosts if name.startswith("."))


def _redirect_within() -> ResponseReturnValue | None:
    """To the path with its slash, without the host that Werkzeug would repeat."""
    found = request.routing_exception
    if not isinstance(found, RequestRedirect):
        return None
    parts = urlsplit(found.new_url)
    path = "/" + parts.path.lstrip("/")
    return redirect(urlunsplit(("", "", path, parts.query, "")), found.code)
