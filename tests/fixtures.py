"""Fixtures for every test. Each is defined, with its reason, in `tests/support/`."""

from __future__ import annotations

from tests.support.apps import app, app_context, http, kept_apps, live_portal, redis_url, settings
from tests.support.browser import browser, page
from tests.support.databases import (
    database_url,
    empty_database_url,
    postgres_database,
    postgres_server,
    postgresql_url,
    pytest_generate_tests,
    sqlite_template,
    sqlite_url,
    wiper,
)
from tests.support.network import only_loopback
from tests.support.passwords import quick_passwords
from tests.support.simulator import tactical

__all__ = [
    "app",
    "app_context",
    "browser",
    "database_url",
    "empty_database_url",
    "http",
    "kept_apps",
    "live_portal",
    "only_loopback",
    "page",
    "postgres_database",
    "postgres_server",
    "postgresql_url",
    "pytest_generate_tests",
    "quick_passwords",
    "redis_url",
    "settings",
    "sqlite_template",
    "sqlite_url",
    "tactical",
    "wiper",
]
