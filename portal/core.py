"""The application without its pages: what jobs, schedules and commands run in.

They answer no request, and each is a process: what pages are made of would cost each of them the
memory.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from types import TracebackType
from typing import Any

from flask import Flask, request

from portal import models, webhooks
from portal.config import LARGEST_REQUEST, Settings, read_settings
from portal.data_folder import keep_private
from portal.db import db, engine_options, follow_scope, tune_sqlite
from portal.egress import Gateways
from portal.extensions import csrf, htmx
from portal.keys import get_encryption_keys, get_secret_key
from portal.services.accounts.throttle import Throttle
from portal.vault import Vault

__all__ = ["create_core", "models", "use_settings"]


ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]


class Portal(Flask):
    """Flask, without what each request would pay for and none needs."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """As it is: no view and no hook is a coroutine, of which Flask looks for the signs in each
        of them, each time."""
        return func

    def log_exception(self, exc_info: ExceptionInfo) -> None:
        """With the route as it is declared: an address may hold a secret, as that of a link to a
        new password does."""
        where = f"{request.method} {request.url_rule or 'an unknown address'}"
        self.logger.error("Exception at %s", where, exc_info=exc_info)


def create_core(settings: Settings | None = None) -> Portal:
    """Opens no connection. Raises ConfigError when a setting cannot be used."""
    settings = settings or read_settings(os.environ)
    keep_private(settings)
    app = Portal("portal")
    use_settings(app, settings)
    _init_extensions(app, settings)
    return app


def use_settings(app: Flask, settings: Settings) -> None:
    """Give the application its settings, and what is made from them and remembers calls, anew.

    The database and the number of proxies stay those that it was created with.
    """
    app.config.update(_flask_config(settings))
    app.extensions["settings"] = settings
    app.extensions["vault"] = Vault(get_encryption_keys(settings))
    app.extensions["throttle"] = Throttle(settings)
    app.extensions["gateways"] = Gateways(
        settings.egress_allow, settings.ca_bundle, settings.unencrypted.networks
    )
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
    csrf.init_app(app)
    htmx.init_app(app)
    with app.app_context():
        if settings.is_sqlite:
            tune_sqlite(db.engine)
        else:
            follow_scope(db.engine)
