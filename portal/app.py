"""Creates the Flask application from its parts."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask, Request, Response
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from werkzeug.middleware.proxy_fix import ProxyFix

from portal import models, web, webhooks
from portal.config import LARGEST_REQUEST, Settings, read_settings
from portal.data_folder import keep_private
from portal.db import db, engine_options, tune_sqlite
from portal.egress import Gateways
from portal.extensions import csrf, htmx, migrate
from portal.keys import get_encryption_keys, get_secret_key
from portal.services.accounts.throttle import Throttle
from portal.vault import Vault

__all__ = ["create_app", "models"]

_HERE = Path(__file__).parent
# A wheel has them within the package, the repository beside it.
MIGRATIONS = _HERE / "migrations"
if not MIGRATIONS.is_dir():
    MIGRATIONS = _HERE.parent / "migrations"


class BrowserSessions(SecureCookieSessionInterface):
    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """An empty one for what no browser sends, whatever its cookies say."""
        if request.path.startswith(webhooks.PREFIX):
            return self.session_class()
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Of an empty one that stayed so there is nothing to add: see Vary in `web.headers`."""
        if session or session.modified:
            super().save_session(app, session, response)


class Portal(Flask):
    """Flask, without what each request would pay for and none needs."""

    session_interface = BrowserSessions()

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """As it is: no view and no hook is a coroutine, of which Flask looks for the signs in each
        of them, each time."""
        return func


def create_app(settings: Settings | None = None) -> Flask:
    """The application, for the web server, the workers and the command line alike.

    Opens no connection. Raises ConfigError when a setting cannot be used.
    """
    settings = settings or read_settings(os.environ)
    keep_private(settings)
    app = Portal("portal")
    use_settings(app, settings)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    _init_extensions(app, settings)
    web.init_app(app)
    webhooks.init_app(app)
    return app


def use_settings(app: Flask, settings: Settings) -> None:
    """Give the application its settings, and what is made from them and remembers calls, anew.

    The database and the number of proxies stay those that it was created with.
    """
    app.config.update(_flask_config(settings))
    app.extensions["settings"] = settings
    app.extensions["vault"] = Vault(get_encryption_keys(settings))
    app.extensions["throttle"] = Throttle(settings)
    app.extensions["gateways"] = Gateways(settings.egress_allow, settings.ca_bundle)
    app.extensions["webhook_failures"] = webhooks.make_failure_counter()


def _flask_config(settings: Settings) -> dict[str, object]:
    secure = settings.public_url.startswith("https://")
    return {
        "SECRET_KEY": get_secret_key(settings),
        "SQLALCHEMY_DATABASE_URI": settings.database_url,
        "SQLALCHEMY_ENGINE_OPTIONS": engine_options(settings.database_url),
        "MAX_CONTENT_LENGTH": LARGEST_REQUEST,
        # A browser keeps a __Host- cookie to this very host, and sends it over TLS only.
        "SESSION_COOKIE_NAME": "__Host-portal" if secure else "portal",
        "SESSION_COOKIE_SECURE": secure,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "WTF_CSRF_TIME_LIMIT": None,  # as long as the session
    }


def _init_extensions(app: Flask, settings: Settings) -> None:
    db.init_app(app)
    migrate.init_app(app, db, directory=str(MIGRATIONS))
    csrf.init_app(app)
    htmx.init_app(app)
    if settings.is_sqlite:
        with app.app_context():
            tune_sqlite(db.engine)
