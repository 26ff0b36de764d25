"""A person's browser, in which each request fails before it is done: at its first write and at its
last one, and once more, where it only reads, at its last question to the database."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import ProgrammingError
from werkzeug.test import TestResponse

from tests.canary.watch import Watch

FIRST_WRITE, LAST_WRITE = "", "audit_entries"
CUT_OFF = 599


@dataclass
class Browser:
    app: Flask
    watch: Watch
    done: dict[str, set[int]]
    """Endpoint to the statuses that its requests got."""
    redis_url: str
    http: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        self.http = self.app.test_client()

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.open("GET", path, **more)

    def post(self, path: str, **data: Any) -> TestResponse:
        return self.open("POST", path, data=data)

    def post_once(self, path: str, **data: Any) -> TestResponse:
        """What is used up before the last write."""
        return self.open("POST", path, fail_at=(FIRST_WRITE,), data=data)

    def look_at_link(self, path: str, code: str) -> TestResponse:
        """What reads only, though it is sent something: the first statement fails."""
        return self.open("POST", path, fail_at=(1,), data={"code": code})

    def open(
        self,
        method: str,
        path: str,
        fail_at: tuple[str | int, ...] = (FIRST_WRITE, LAST_WRITE),
        **more: Any,
    ) -> TestResponse:
        for at in fail_at if method != "GET" else ():
            self._fail(at, method, path, **more)
        with self.watch.failing("no such words"):
            answer = self.http.open(path, method=method, **more)
            asked = self.watch.statements
        self._keep(answer)
        for at_number in range(asked if method == "GET" else 0, 0, -1):
            if self._fail(at_number, method, path, **more):
                break  # else there were fewer questions this time: what is noted once a minute
        return answer

    def _fail(self, at: str | int, method: str, path: str, **more: Any) -> bool:
        """Whether it failed. In a copy of the browser, whose cookies change nothing here."""
        copy = self.app.test_client()
        copy._cookies = dict(self.http._cookies or {})
        with self.watch.failing(at):
            try:
                answer = copy.open(path, method=method, **more)
            except ProgrammingError:  # in the middle of a file: the server cuts it off, and logs
                self.watch.look("log", traceback.format_exc())
                self._count(method, path, CUT_OFF)
                return True
        if self.watch.failed:
            self._keep(answer)
        return self.watch.failed > 0

    def _keep(self, answer: TestResponse) -> None:
        self.watch.look_at_answer(answer)
        self.watch.look_at_redis(self.redis_url)
        self._count(answer.request.method, answer.request.path, answer.status_code)

    def _count(self, method: str, path: str, status: int) -> None:
        endpoint, _ = self.app.url_map.bind("localhost").match(path, method=method)
        self.done.setdefault(str(endpoint), set()).add(status)
