"""No request, of whatever area, waits for somebody else's server."""

from __future__ import annotations

from flask import Flask

from portal.egress import reopen_egress, shut_egress


def init_app(app: Flask) -> None:
    app.before_request(shut_egress)
    app.teardown_request(_reopen)


def _reopen(_error: BaseException | None) -> None:
    reopen_egress()
