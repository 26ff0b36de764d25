"""The running application."""

from __future__ import annotations

from flask import Flask, current_app


def get_app() -> Flask:
    """The application itself, for a thread that has none in its context."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    return app
