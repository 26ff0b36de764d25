"""An id for each request: its lines in the log carry it, and so does its answer."""

from __future__ import annotations

from flask import Flask, Response

from portal.work_id import begin_work, end_work, get_work_id


def init_app(app: Flask) -> None:
    app.before_request(_begin)
    app.after_request(_add_header)
    app.teardown_request(_end)


def _begin() -> None:
    begin_work()


def _add_header(response: Response) -> Response:
    """For whoever asks about it later. Ids that others send are not taken over."""
    response.headers["X-Request-ID"] = get_work_id()
    return response


def _end(_error: BaseException | None) -> None:
    end_work()
