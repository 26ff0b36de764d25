"""Software ingest beside its floor: the bare download of the same bytes, and one insert of the
rows it writes.

    .venv/bin/python -m benchmarks.software [--agents 1000] [--database sqlite]

Windows agents with 100 titles each, as on a live server with all their facts. For an update
the versions of one row in ten are spoilt beforehand, so that as many are removed and found new.
A run that changes nothing has the download alone for a floor. Pace: see `devices`; 1.2 ms an agent.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import update

from benchmarks.databases import KINDS, database, make_core
from benchmarks.devices import PACES, report
from benchmarks.server import Server, tactical
from benchmarks.steps import (
    Said,
    check,
    connect,
    download,
    insert_again,
    read_options,
    run_step,
    serve_step,
    sync,
    table_of,
)
from portal.db import db
from portal.models.software.inventory import AssetSoftware
from portal.scope import all_tenants

SIZES = (1000, 10_000)
TITLES = 100
SPOILT: Final = 10
"""One row in so many."""


def main() -> None:
    if serve_step({"connect": connect, "spoil": spoil, "sync": sync, "insert": insert}):
        return
    options = read_options(__doc__, database=KINDS, pace=PACES)
    print(
        "| pace | database | agents | rows | ingest | s | floor s | ratio | CPU s | peak RSS MiB"
        " | statements an agent | MB |\n|---|---|---|---|---|---|---|---|---|---|---|---|"
    )
    for agents in options.agents or SIZES:
        with tactical(
            agents, "--titles", str(TITLES), "--windows", "100", "--linux", "0"
        ) as server:
            for pace in options.pace or PACES:
                for kind in options.database or KINDS:
                    measure_database(server, pace, kind, agents)


def measure_database(server: Server, pace: str, kind: str, agents: int) -> None:
    server.set_pace(live=False)
    with database(kind) as database_url:
        asked = {
            "database": database_url,
            "url": server.url,
            "key": server.api_key,
            "source": "dashboard",
        }
        run_step(__spec__.name, "connect", asked)
        run_step(__spec__.name, "sync", {**asked, "kind": "devices"})
        server.set_pace(live=pace == "live")
        bare = download(server, ["/software/"])
        asked["kind"] = "software"
        rows = 0
        for name in ("first", "update", "no change"):
            made = measure(name, asked)
            rows = rows or made["counts"]["created"]
            report(f"| {pace} | {kind} | {agents} | {rows} | {name} ", made, bare, agents)


def measure(name: str, asked: Said) -> Said:
    if name == "update":
        run_step(__spec__.name, "spoil", asked)
    made = run_step(__spec__.name, "sync", asked)
    written = made["counts"].get("created", 0)
    if name == "no change":
        check(name, made, {"created": 0, "removed": 0})
        return {**made, "insert": 0.0}
    check(name, made, {"created": written, "removed": made["counts"].get("removed", 0)})
    inserted = run_step(__spec__.name, "insert", {**asked, "newest": written})
    return {**made, "insert": inserted["seconds"]}


def spoil(asked: Said) -> Said:
    table = table_of(AssetSoftware)
    with (
        make_core(asked["database"]).app_context(),
        all_tenants(),
        db.engine.begin() as connection,
    ):
        connection.execute(
            update(table)
            .where(table.c.id % SPOILT == 0)
            .values(version="spoilt " + table.c.version)
        )
    return {}


def insert(asked: Said) -> Said:
    with make_core(asked["database"]).app_context(), all_tenants():
        return {"seconds": insert_again([table_of(AssetSoftware)], asked["newest"])}


if __name__ == "__main__":
    main()
