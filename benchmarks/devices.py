"""Device sync beside its floor: the bare download of the same bytes, and one insert of the rows
that it writes.

    .venv/bin/python -m benchmarks.devices [--agents 1000] [--source beta] [--database sqlite]
        [--spelling blanks]

Every sync runs in a process of its own, the simulated server in another. Flat out, the server
sends what it has ready, far quicker than Tactical; at live pace it takes the 8 ms (beta) or 3 ms
(dashboard) an agent that a live server was seen to take. For an update the stored address of
every asset is spoilt beforehand. A run that changes nothing has the download alone for a floor. A
preview that finds nothing is to cost no more than such a run, and one of updates its rows beside.

Tactical writes its JSON compactly. Other spellings, as of a proxy that writes it anew, are measured
flat out with the smallest fleet.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import update

from benchmarks.databases import KINDS, database, make_core
from benchmarks.server import Server, tactical
from benchmarks.steps import (
    Download,
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
from portal.models import Asset, AssetChange, ExternalEntityMapping, SyncPlanRow
from portal.scope import all_tenants
from portal.services.integrations.options import DEFAULT_PAGE_SIZE
from tactical_simulator.transport.spelling import Spelling

SIZES = (1000, 5000, 10_000)
SOURCES = ("beta", "dashboard")
PACES = ("flat out", "live")
SPELLINGS = [str(spelling) for spelling in Spelling]
COUNTED: Final = {"create": "created", "update": "updated", "no change": "unchanged"}
"""What a run must say of every agent for its time to mean anything."""
PREVIEWS = ("preview", "preview of updates")


def main() -> None:
    steps = {"connect": connect, "spoil": spoil, "sync": sync, "insert": insert}
    if serve_step({**steps, "insert_plan": insert_plan}):
        return
    options = read_options(__doc__, source=SOURCES, database=KINDS, pace=PACES, spelling=SPELLINGS)
    print(
        "| pace | source | spelling | database | agents | sync | s | floor s | ratio | CPU s"
        " | peak RSS MiB | statements an agent | MB |\n" + "|---" * 13 + "|"
    )
    for pace in options.pace or PACES:
        for source in options.source or SOURCES:
            for agents in options.agents or SIZES:
                with tactical(agents) as server:
                    for spelling in options.spelling or list_spellings(pace, agents):
                        kinds = options.database or KINDS
                        measure_source(server, pace, source, spelling, agents, kinds)


def list_spellings(pace: str, agents: int) -> Sequence[str]:
    """All for the smallest fleet, flat out."""
    return SPELLINGS if (pace, agents) == (PACES[0], SIZES[0]) else SPELLINGS[:1]


def measure_source(
    server: Server, pace: str, source: str, spelling: str, agents: int, kinds: Sequence[str]
) -> None:
    server.set_spelling(spelling)
    paths = list_paths(source, agents)
    download(server, paths)  # the server makes its rows the first time
    server.set_pace(live=pace == "live")
    bare = download(server, paths)
    for kind in kinds:
        with database(kind) as database_url:
            asked = {
                "database": database_url,
                "url": server.url,
                "key": server.api_key,
                "source": source,
                "kind": "devices",
            }
            run_step(__spec__.name, "connect", asked)
            for name in COUNTED:
                made = measure(name, asked, agents)
                begin = f"| {pace} | {source} | {spelling} | {kind} | {agents} | {name} "
                report(begin, made, bare, agents)
            for name in PREVIEWS:
                made = preview(name, asked, agents)
                begin = f"| {pace} | {source} | {spelling} | {kind} | {agents} | {name} "
                report(begin, made, bare, agents)


def measure(name: str, asked: Said, agents: int) -> Said:
    if name == "update":
        run_step(__spec__.name, "spoil", asked)
    made = run_step(__spec__.name, "sync", asked)
    check(name, made, {COUNTED[name]: agents})
    inserted = {"seconds": 0.0}
    if name != "no change":
        inserted = run_step(__spec__.name, "insert", {**asked, "newest": agents})
    return {**made, "insert": inserted["seconds"]}


def preview(name: str, asked: Said, agents: int) -> Said:
    """One that finds nothing to do, and one with a row for each agent."""
    inserted = {"seconds": 0.0}
    if name == PREVIEWS[1]:
        run_step(__spec__.name, "spoil", asked)
    made = run_step(__spec__.name, "sync", {**asked, "kind": "preview"})
    check(name, made, {"seen": agents}, status="planned")
    if name == PREVIEWS[1]:
        inserted = run_step(__spec__.name, "insert_plan", asked)
    return {**made, "insert": inserted["seconds"]}


def report(begin: str, made: Said, bare: Download, agents: int) -> None:
    floor = bare.seconds + made["insert"]
    print(
        f"{begin}| {made['seconds']:.2f} | {floor:.2f} | {made['seconds'] / floor:.2f} "
        f"| {made['cpu']:.2f} | {made['rss']:.0f} | {made['statements'] / agents:.3f} "
        f"| {bare.bytes / 1e6:.1f} |",
        flush=True,
    )


def list_paths(source: str, agents: int) -> list[str]:
    """What a device sync reads but for the organizations, which are a few KB."""
    if source == "dashboard":
        return ["/agents/"]
    pages = -(-agents // DEFAULT_PAGE_SIZE)
    return [
        f"/beta/v1/agent/?page={page}&page_size={DEFAULT_PAGE_SIZE}" for page in range(1, pages + 1)
    ]


def spoil(asked: Said) -> Said:
    with (
        make_core(asked["database"]).app_context(),
        all_tenants(),
        db.engine.begin() as connection,
    ):
        connection.execute(update(table_of(Asset)).values(lan_ip="192.0.2.1"))
    return {}


def insert(asked: Said) -> Said:
    with make_core(asked["database"]).app_context(), all_tenants():
        tables = [table_of(each) for each in (Asset, ExternalEntityMapping, AssetChange)]
        return {"seconds": insert_again(tables, asked["newest"])}


def insert_plan(asked: Said) -> Said:
    with make_core(asked["database"]).app_context(), all_tenants():
        return {"seconds": insert_again([table_of(SyncPlanRow)])}


if __name__ == "__main__":
    main()
