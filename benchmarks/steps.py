"""Measurements that each run in a process of their own, so that their memory is their own.

A benchmark has steps: functions from what is asked to what was found, both JSON objects. It runs
one by `run_step`, which starts the benchmark's own module again, and there `serve_step` does it.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import Table, delete, event, insert, select

from benchmarks.databases import make_core
from benchmarks.server import Server
from portal.db import Base, db
from portal.models.runs.sync_run import SyncKind, SyncRun
from portal.scope import tenant_scope
from portal.services.accounts.tenants import add_tenant
from portal.services.integrations import testing
from portal.services.integrations.connect import ConnectionSettings, save_connection
from portal.services.organizations.mapping import map_exact
from portal.services.runs.execution import run_to_end
from portal.supervisor.memory import settle

Said = dict[str, Any]
Step = Callable[[Said], Said]

FLAG = "--step"
TENANT = 1
CHUNK = 65_536
MEBIBYTE = 2**20
NO_STATEMENTS = ("BEGIN", "PRAGMA", "SELECT set_config")


def read_options(about: str | None, **choices: Sequence[str]) -> argparse.Namespace:
    """`--agents` and an option for each of the choices; all may be given several times."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--agents", type=int, action="append")
    for name, words in choices.items():
        parser.add_argument(f"--{name}", choices=words, action="append")
    return parser.parse_args()


def run_step(module: str, name: str, asked: Said) -> Said:
    command = [sys.executable, "-m", module, FLAG, name]
    said = subprocess.run(
        command, input=json.dumps(asked), stdout=subprocess.PIPE, text=True, check=True
    )
    answer: Said = json.loads(said.stdout.splitlines()[-1])
    return answer


def serve_step(steps: dict[str, Step]) -> bool:
    """Whether this process was started for a step; if so, it is done."""
    if FLAG not in sys.argv:
        return False
    step = steps[sys.argv[sys.argv.index(FLAG) + 1]]
    print(json.dumps(step(json.load(sys.stdin))))
    return True


def connect(asked: Said) -> Said:
    """Connect `url` with `key`, reading from `source`, and map its organizations."""
    with make_core(asked["database"]).app_context():
        tenant_id = add_tenant("Bench", "bench").id
        with tenant_scope(tenant_id):
            save_connection(
                ConnectionSettings(
                    base_url=asked["url"],
                    api_key=asked["key"],
                    options={"inventory_source": asked["source"]},
                )
            )
            assert testing.test_now().ok
            run_to_end(SyncKind.ORGANIZATIONS)
            map_exact(create=True)
    return {}


def sync(asked: Said) -> Said:
    """One run of `kind`: seconds, CPU seconds, peak memory of the process, statements, counts."""
    app = make_core(asked["database"])
    settle()  # as a worker does
    with app.app_context(), tenant_scope(TENANT), counted() as statements:
        begun, cpu = time.perf_counter(), time.process_time()
        run = run_to_end(SyncKind(asked["kind"]))
        return {
            "seconds": time.perf_counter() - begun,
            "cpu": time.process_time() - cpu,
            "rss": peak_memory(),
            "statements": statements.number,
            **_outcome(run),
        }


def peak_memory() -> float:
    """Of this process, in MiB.

    As the kernel has it of the program: `ru_maxrss` begins with what the process held that
    started this one.
    """
    [peak] = re.findall(r"^VmHWM:\s*(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(peak) * 1024 / MEBIBYTE


def _outcome(run: SyncRun) -> Said:
    return {"status": run.status.value, "error": run.error, "counts": run.counts}


@dataclass(slots=True)
class Download:
    """Of the same bytes that a sync reads, by a bare client that does nothing with them."""

    seconds: float
    bytes: int


def download(server: Server, paths: list[str]) -> Download:
    begun, size = time.perf_counter(), 0
    with requests.Session() as session:
        session.headers["X-API-KEY"] = server.api_key
        for path in paths:
            with session.get(server.url + path, stream=True, timeout=600) as answer:
                answer.raise_for_status()
                size += sum(len(chunk) for chunk in answer.iter_content(CHUNK))
    return Download(time.perf_counter() - begun, size)


def insert_again(tables: list[Table], newest: int | None = None) -> float:
    """Take the rows (or the newest so many) out, and time how long one insert a table puts them
    back."""
    with db.engine.begin() as connection:
        rows = [
            [
                _stored(table, dict(row))
                for row in connection.execute(_newest(table, newest)).mappings()
            ]
            for table in tables
        ]
        for table, of_table in zip(reversed(tables), reversed(rows), strict=True):
            if of_table:
                oldest = min(row["id"] for row in of_table)
                connection.execute(delete(table).where(table.c.id >= oldest))
    begun = time.perf_counter()
    with db.engine.begin() as connection:
        for table, of_table in zip(tables, rows, strict=True):
            if of_table:
                connection.execute(insert(table), of_table)
    return time.perf_counter() - begun


def _stored(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """Without what the database computes by itself."""
    return {name: value for name, value in row.items() if table.c[name].computed is None}


def table_of(model: type[Base]) -> Table:
    return Base.metadata.tables[model.__tablename__]


def _newest(table: Table, number: int | None) -> Any:
    return select(table).order_by(table.c.id.desc()).limit(number)


@dataclass(slots=True)
class Statements:
    number: int = 0


@contextmanager
def counted() -> Iterator[Statements]:
    """How many statements the block runs, but for those that begin a transaction of SQLite."""
    statements = Statements()

    def count(_connection: object, _cursor: object, sql: str, *_: object) -> None:
        statements.number += not sql.startswith(NO_STATEMENTS)

    event.listen(db.engine, "before_cursor_execute", count)
    try:
        yield statements
    finally:
        event.remove(db.engine, "before_cursor_execute", count)


def check(name: str, made: Said, expected: dict[str, int], status: str = "success") -> None:
    """Raises SystemExit unless the run did what its time is to be the time of."""
    found = {key: made["counts"].get(key, 0) for key in expected}
    if made["status"] != status or found != expected:
        raise SystemExit(f"{name}: the run ended as {made}")
