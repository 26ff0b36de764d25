"""The API's lists, read from beginning to end, at 10,000 assets and 1,000,000 software rows.

    .venv/bin/python -m benchmarks.api [--database sqlite] [--limit 100]

Each part is asked for through the application, with a token: all that a real request does but the
network. `MiB` is by how much the process has grown at most; a list must not be held in memory.
"""

from __future__ import annotations

import argparse
import resource
import time

from flask import Flask

from benchmarks.databases import KINDS, database, make_core
from benchmarks.seed import BIG, Seeded, seed
from portal import add_pages
from portal.db import db
from portal.scope import tenant_scope
from portal.services.api.rate import PER_TOKEN
from portal.services.api.tokens import add_token
from portal.supervisor.memory import settle

LISTS = ("clients", "organizations", "assets?status=every", "alerts", "software", "history")
MOST_PARTS = 200
"""Of one list: the largest would take more than a token may ask for in a minute."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=KINDS, action="append")
    parser.add_argument("--limit", type=int, action="append", help="items in a part (100, 1000)")
    options = parser.parse_args()
    PER_TOKEN.amount = 1_000_000
    print("| list | database | items in a part | items | seconds | of them CPU | MiB |")
    print("|---|---|---|---|---|---|---|")
    for kind in options.database or KINDS:
        with database(kind) as url:
            made = seed(make_core(url), BIG)
            app = make_core(url)
            add_pages(app)
            measure(app, made, kind, options.limit or [100, 1000])
            with app.app_context():
                db.engine.dispose()


def measure(app: Flask, made: Seeded, kind: str, limits: list[int]) -> None:
    with app.app_context(), tenant_scope(made.tenant_id):
        token = add_token("Benchmark", ["read"]).secret
    settle()
    for path in (*LISTS, "installs"):
        for limit in limits:
            read(app, token, path, 1, 1)  # the first answer compiles
            before, begun, busy = peak(), time.perf_counter(), time.process_time()
            items = read(app, token, path, limit, MOST_PARTS)
            seconds, cpu = time.perf_counter() - begun, time.process_time() - busy
            print(
                f"| {path} | {kind} | {limit} | {items:,} | {seconds:.2f} | {cpu:.2f} "
                f"| {peak() - before:.1f} |",
                flush=True,
            )


def read(app: Flask, token: str, path: str, limit: int, parts: int) -> int:
    """How many items there were in so many parts."""
    http, items = app.test_client(), 0
    query: dict[str, str | int] = {"limit": limit}
    if "?" in path:
        path, _, more = path.partition("?")
        query |= dict([more.split("=")])
    for _ in range(parts):
        answer = http.get(
            f"/api/v1/{path}", query_string=query, headers={"Authorization": f"Bearer {token}"}
        )
        part = answer.get_json()
        items += len(part["items"])
        if part["next"] is None:
            break
        query["cursor"] = part["next"]
    return items


def peak() -> float:
    """MiB that the process had at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
