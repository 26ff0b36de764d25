"""The portal: create_app() and nothing else."""

from __future__ import annotations

import os

from flask import Flask

from portal import models  # noqa: F401  # every table is known before the first query
from portal.config import Settings, read_settings
from portal.db import db, tune_sqlite
from portal.egress import Door
from portal.extensions import migrate
from portal.keys import get_encryption_keys, get_secret_key
from portal.vault import Vault


def create_app(settings: Settings | None = None) -> Flask:
    """The application, for the web server, the workers and the command line alike.

    Opens no connection. Raises ConfigError when a setting cannot be used.
    """
    settings = settings or read_settings(os.environ)
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=get_secret_key(settings),
        SQLALCHEMY_DATABASE_URI=settings.database_url,
    )
    app.extensions["settings"] = settings
    app.extensions["vault"] = Vault(get_encryption_keys(settings))
    db.init_app(app)
    migrate.init_app(app, db, directory=f"{app.root_path}/../migrations")
    if settings.is_sqlite:
        with app.app_context():
            tune_sqlite(db.engine)
    return app
