"""The web server process: gunicorn on the supervisor's socket and application."""

from __future__ import annotations

from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from portal.supervisor import gunicorn_config


class WebServer(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    def __init__(self, app: Flask, listener: int) -> None:
        self._app = app
        self._listener = listener
        super().__init__()

    def load_config(self) -> None:
        settings: dict[str, Any] = vars(gunicorn_config)
        for name in self.cfg.settings.keys() & settings.keys():
            self.cfg.set(name, settings[name])
        self.cfg.set("bind", f"fd://{self._listener}")

    def load(self) -> Flask:
        return self._app


def run_web(app: Flask, listener: int) -> None:
    WebServer(app, listener).run()
