"""Who a request comes from, as the throttle of sign-in counts it; its device's cookie."""

from __future__ import annotations

import ipaddress
import logging

from flask import Flask, Response, current_app, request

from portal.config import Settings
from portal.services.accounts.known_devices import KNOWN_DEVICE_TIME
from portal.services.accounts.throttle import Caller
from portal.services.accounts.tokens import digest
from portal.web.devices import describe_device

log = logging.getLogger(__name__)

FORWARDED = (
    "HTTP_FORWARDED",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_REAL_IP",
)
"""Headers, as WSGI names them: each request is asked for all of them."""
WARNED = "warned_of_unknown_proxy"


def init_app(app: Flask) -> None:
    app.before_request(_warn_of_unknown_proxy)


def get_caller(email: str = "") -> Caller:
    """`email`: the account whose password is tried."""
    return Caller(
        address=request.remote_addr or "",
        behind_unknown_proxy=is_behind_unknown_proxy(),
        browser=describe_device(request.user_agent.string),
        device=request.cookies.get(_cookie_name(email), "") if email else "",
    )


def remember_device(response: Response, email: str, device: str) -> None:
    response.set_cookie(
        _cookie_name(email),
        device,
        max_age=KNOWN_DEVICE_TIME,
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Lax",
    )


def is_behind_unknown_proxy() -> bool:
    """Whether a machine beside ours forwarded the request, and no setting says that it may.

    Anybody can add the headers, so those of a public address say nothing.
    """
    return _has_undeclared_headers() and not _is_public(request.remote_addr or "")


def _cookie_name(email: str) -> str:
    """One for each account: several people may share a browser."""
    prefix = "__Host-" if current_app.config["SESSION_COOKIE_SECURE"] else ""
    return f"{prefix}portal-device-{digest(email.strip().lower())[:16]}"


def _has_undeclared_headers() -> bool:
    settings: Settings = current_app.extensions["settings"]
    return not settings.trusted_proxies and any(name in request.environ for name in FORWARDED)


def _is_public(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_global
    except ValueError:
        return False  # a socket's path


def _warn_of_unknown_proxy() -> None:
    """Once in each process."""
    if _has_undeclared_headers() and not current_app.extensions.get(WARNED):
        current_app.extensions[WARNED] = True
        log.warning(
            "A request has X-Forwarded- headers, which the portal ignores because "
            "PORTAL_TRUSTED_PROXIES is 0. If the portal is behind proxies, set it to their number. "
            "Until then, everybody seems to come from the proxy's address."
        )
