"""What may tell a secret, watched while everything is driven: answers, log, Redis, database."""

from __future__ import annotations

import base64
import logging
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis
from sqlalchemy import event, text
from sqlalchemy.engine import Engine
from werkzeug.test import TestResponse

from portal.db import Base, db
from portal.supervisor.logs import TextLines

RUN = re.compile(r"[A-Za-z0-9_+/=-]{6,}")
"""Letters in a row: what a secret, plain or in base64 or hexadecimal, stands in. Repeated pages
repeat most of them, so that there are few to look through."""
TIME = re.compile(r"datetime\.datetime\([^)]*\)|(?<=:\d\d)\.\d{6}")
"""Its microseconds, which stand alone and look like a code: one in a million is."""
SHORTEST = 8
"""A shorter secret, such as a code, counts where it stands alone: its digits occur by chance."""
MARKS = re.compile("[_+/=-]")
WRITES = ("INSERT", "UPDATE", "DELETE")
FAILS = f"SELECT {', '.join('?' * 77)}"
"""Never has as many values as it wants, so the driver refuses it, and the error has the values."""


class Watch:
    """`secrets`: each that came up, with its kinds. `seen`: each run of letters, with where."""

    def __init__(self) -> None:
        self.secrets: dict[str, set[str]] = defaultdict(set)
        self.seen: dict[str, set[str]] = defaultdict(set)
        self.fails_at: str | int | None = None
        self.statements = self.failed = 0

    def add(self, kind: str, secret: str) -> None:
        self.secrets[secret].add(kind)

    @property
    def kinds(self) -> set[str]:
        return {kind for kinds in self.secrets.values() for kind in kinds}

    def look(self, where: str, said: object) -> None:
        for run in set(RUN.findall(TIME.sub("", str(said)))):
            self.seen[run].add(where)

    def look_at_answer(self, answer: TestResponse) -> None:
        """All but the cookies, which carry the token of the session to its browser alone."""
        where = f"{answer.request.method} {answer.request.path}"
        headers = [each for each in answer.headers.items() if each[0] != "Set-Cookie"]
        self.look(f"answer to {where}", (headers, answer.get_data().decode(errors="replace")))

    def look_at_redis(self, url: str) -> None:
        """Whatever is there, and make room: callers are counted anew."""
        with redis.Redis.from_url(url) as connection:
            for key in connection.scan_iter():
                self.look("redis", (key, connection.dump(key)))
                self.look("redis", _read_redis(connection, key))
            connection.flushdb()

    def look_at_tables(self) -> None:
        """All columns of all tables, as the database has them."""
        with db.engine.connect() as connection:
            for table in Base.metadata.tables:
                for row in connection.execute(text(f'SELECT * FROM "{table}"')):  # noqa: S608
                    self.look(f"table {table}", tuple(row))

    def find_told(self) -> set[tuple[str, str]]:
        """The kinds of each secret that was seen, and where."""
        runs = list(self.seen)
        whole, told = "\n".join(runs), set()
        for secret, kinds in self.secrets.items():
            for form in _forms(secret):
                holders = [run for run in runs if form in run] if form in whole else []
                if len(form) < SHORTEST:
                    holders = [run for run in holders if form in MARKS.split(run)]
                wheres = {where for run in holders for where in self.seen[run]}
                told |= {(" ".join(sorted(kinds)), where) for where in wheres}
        return told

    @contextmanager
    def failing(self, at: str | int) -> Iterator[None]:
        """Each statement fails that writes and has the words, or that is the nth."""
        self.fails_at, self.statements, self.failed = at, 0, 0
        try:
            yield
        finally:
            self.fails_at = None

    def _before(
        self, _connection: Any, _cursor: Any, statement: str, values: Any, *_: Any
    ) -> tuple[str, Any]:
        self.statements += 1
        if statement.startswith(WRITES):
            self.look(f"values of {' '.join(statement.split()[:3])}", values)
        if self.fails_at is None:
            return statement, values
        is_meant = (
            self.fails_at == self.statements
            if isinstance(self.fails_at, int)
            else statement.startswith(WRITES) and self.fails_at in statement
        )
        self.failed += is_meant
        return (FAILS if is_meant else statement), values


class _Log(logging.Handler):
    """What the log of a portal would say, tracebacks and all, from the lowest level on."""

    def __init__(self, watch: Watch) -> None:
        super().__init__(logging.DEBUG)
        self.watch = watch
        self.setFormatter(TextLines())

    def emit(self, record: logging.LogRecord) -> None:
        self.watch.look("log", self.format(record))


@contextmanager
def watching() -> Iterator[Watch]:
    watch, root = Watch(), logging.getLogger()
    handler, level = _Log(watch), root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    event.listen(Engine, "before_cursor_execute", watch._before, retval=True)
    try:
        yield watch
    finally:
        event.remove(Engine, "before_cursor_execute", watch._before)
        root.removeHandler(handler)
        root.setLevel(level)


def _read_redis(connection: redis.Redis, key: bytes) -> object:
    """The value in clear: a dump may be packed."""
    readers: dict[bytes, Any] = {
        b"string": connection.get,
        b"hash": connection.hgetall,
        b"list": lambda name: connection.lrange(name, 0, -1),
        b"set": connection.smembers,
        b"zset": lambda name: connection.zrange(name, 0, -1),
    }
    kind = connection.type(key)
    assert isinstance(kind, bytes)
    return readers[kind](key)


def _forms(secret: str) -> set[str]:
    """As it is, in hexadecimal, and in base64 at whatever place of a longer text."""
    if len(secret) < SHORTEST:
        return {secret}
    data = secret.encode()
    forms = {secret, data.hex(), data.hex().upper()}
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + data).decode().rstrip("=")
        whole = encoded[(0, 2, 3)[offset] : len(encoded) - 1]  # letters that hold it alone
        forms |= {whole, whole.replace("+", "-").replace("/", "_")}
    return forms
