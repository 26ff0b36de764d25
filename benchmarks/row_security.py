"""What row-level security costs each of the heaviest pages, on PostgreSQL at 10,000 assets.

    .venv/bin/python -m benchmarks.row_security [--rounds 6] [--times 5]

Each page is asked for with it and without it in turns, so that whatever else the machine does
meets both alike. Without it the tables have no policies, and the portal does not tell the database
whose rows it means.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from statistics import median
from unittest.mock import patch

from flask import Flask
from sqlalchemy import create_engine

from benchmarks.databases import database, make_core
from benchmarks.pages import pages, sign_in
from benchmarks.seed import BIG, SMALL, seed
from portal import add_pages
from portal.db import db
from portal.db.row_security import open_tables, protect_tables
from portal.supervisor.memory import settle
from tests.support.processes import OWNER

Seconds = dict[tuple[str, bool], list[float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--small", action="store_true", help="few rows, to try this out")
    options = parser.parse_args()
    with database("postgresql") as url:
        made = seed(make_core(url), SMALL if options.small else BIG)
        apps = {True: make_portal(url), False: make_portal_of_before(url)}
        addresses = {name: f"/t/t{made.tenant_id}/{path}" for name, path in pages(made).items()}
        browser = sign_in(apps[True], made)
        cookie = browser.get_cookie("portal")
        assert cookie is not None
        settle()
        seconds: Seconds = defaultdict(list)
        for _ in range(options.rounds):
            for is_protected, app in apps.items():
                set_policies(app, is_protected)
                http = app.test_client()
                http.set_cookie("portal", cookie.value)
                for name, address in addresses.items():
                    assert http.get(address).status_code == 200  # plans it anew
                    for _ in range(options.times):
                        begun = time.perf_counter()
                        http.get(address)
                        seconds[name, is_protected].append(time.perf_counter() - begun)
        report(seconds, list(addresses))
        for app in apps.values():
            with app.app_context():
                db.engine.dispose()


def make_portal(url: str) -> Flask:
    app = make_core(url)
    add_pages(app)
    return app


def make_portal_of_before(url: str) -> Flask:
    with patch("portal.core.follow_scope"):
        return make_portal(url)


def set_policies(app: Flask, is_protected: bool) -> None:
    with app.app_context():
        engine = create_engine(db.engine.url.set(username=OWNER))
    with engine.begin() as connection:
        (protect_tables if is_protected else open_tables)(connection)
    engine.dispose()


def report(seconds: Seconds, names: list[str]) -> None:
    print("| page | without, ms | with, ms | |")
    print("|---|---|---|---|")
    sums = {False: 0.0, True: 0.0}
    for name in names:
        without, protected = (median(seconds[name, each]) * 1000 for each in (False, True))
        sums[False] += without
        sums[True] += protected
        print(f"| {name} | {without:.1f} | {protected:.1f} | {protected / without - 1:+.0%} |")
    print(f"| all | {sums[False]:.0f} | {sums[True]:.0f} | {sums[True] / sums[False] - 1:+.1%} |")


if __name__ == "__main__":
    main()
