"""The application whole: its core, and all that answers requests."""

from __future__ import annotations

import hashlib

from flask import Flask, Request, Response
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from werkzeug.middleware.proxy_fix import ProxyFix

from portal import api, web, webhooks
from portal.config import Settings
from portal.core import create_core, use_settings
from portal.services import database

__all__ = ["add_pages", "create_app", "use_settings"]


class BrowserSessions(SecureCookieSessionInterface):
    digest_method = staticmethod(hashlib.sha256)

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """An empty one for what no browser sends, whatever its cookies say."""
        if request.path.startswith((webhooks.PREFIX, api.PREFIX)):
            return self.session_class()
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Of an empty one that stayed so there is nothing to add: see Vary in `web.headers`."""
        if session or session.modified:
            super().save_session(app, session, response)


def create_app(settings: Settings | None = None) -> Flask:
    """The application for a web server.

    Opens no connection. Raises ConfigError when a setting cannot be used.
    """
    app = create_core(settings)
    add_pages(app)
    return app


def add_pages(app: Flask) -> None:
    """Let a core answer requests: those of browsers, of programs, and Tactical's."""
    settings: Settings = app.extensions["settings"]
    app.session_interface = BrowserSessions()
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    database.init_app(app)
    web.init_app(app)
    webhooks.init_app(app)
    api.init_app(app)
