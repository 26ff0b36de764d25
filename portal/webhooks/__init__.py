"""The public intake of webhooks."""

from __future__ import annotations

from flask import Flask

from portal.extensions import csrf
from portal.webhooks.views import PREFIX, make_failure_counter, webhooks

__all__ = ["PREFIX", "init_app", "make_failure_counter"]


def init_app(app: Flask) -> None:
    csrf.exempt(webhooks)  # the sender is no browser; its secret is in a header
    app.register_blueprint(webhooks)
