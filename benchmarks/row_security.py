"""What row-level security costs each of the heaviest pages, on PostgreSQL at 10,000 assets.

    .venv/bin/python -m benchmarks.row_security [--times 40] [--only software]

Each page is asked for with it and without it in turns, so that whatever else the machine does
meets both alike. Without it: a portal whose role no policy holds for, and which does not tell the
database whose rows it means.
"""

from __future__ import annotations

import argparse
import time
from statistics import median
from unittest.mock import patch

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, make_url

from benchmarks.databases import database, make_core
from benchmarks.pages import pages, sign_in
from benchmarks.seed import BIG, SMALL, seed
from portal import add_pages
from portal.db import db
from portal.supervisor.memory import settle
from tests.support.processes import PLAIN, SUPERUSER

FREE = "portal_without_policies"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=40)
    parser.add_argument("--small", action="store_true", help="few rows, to try this out")
    parser.add_argument("--only", default="", help="those whose name begins like this")
    options = parser.parse_args()
    with database("postgresql") as url:
        made = seed(make_core(url), SMALL if options.small else BIG)
        held = make_portal(url)
        with patch("portal.core.follow_scope"):
            free = make_portal(make_free_role(url))
        browser = sign_in(held, made)
        cookie = browser.get_cookie("portal")
        assert cookie is not None
        other = free.test_client()
        other.set_cookie("portal", cookie.value)
        settle()
        print("| page | without, ms | with, ms | |")
        print("|---|---|---|---|")
        sums = [0.0, 0.0]
        chosen = {k: v for k, v in pages(made).items() if k.startswith(options.only)}
        for name, path in chosen.items():
            found = compare((other, browser), f"/t/t{made.tenant_id}/{path}", options.times)
            sums = [total + each for total, each in zip(sums, found, strict=True)]
            report(name, *found)
        report("all", *sums)
        for app in (held, free):
            with app.app_context():
                db.engine.dispose()


def make_portal(url: str) -> Flask:
    app = make_core(url)
    add_pages(app)
    return app


def make_free_role(url: str) -> str:
    """The address for a role that may do the same, and for which no policy holds."""
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg", username=SUPERUSER))
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE ROLE {FREE} LOGIN BYPASSRLS IN ROLE {PLAIN}")
    engine.dispose()
    return url.replace(f"//{PLAIN}@", f"//{FREE}@")


def compare(browsers: tuple[FlaskClient, ...], address: str, times: int) -> list[float]:
    """The median of each, in milliseconds."""
    seconds: list[list[float]] = [[] for _ in browsers]
    for browser in browsers:
        assert browser.get(address).status_code == 200
    for _ in range(times):
        for browser, taken in zip(browsers, seconds, strict=True):
            begun = time.perf_counter()
            browser.get(address)
            taken.append(time.perf_counter() - begun)
    return [median(taken) * 1000 for taken in seconds]


def report(name: str, without: float, protected: float) -> None:
    change = f"{protected / without - 1:+.1%}"
    print(f"| {name} | {without:.1f} | {protected:.1f} | {change} |", flush=True)


if __name__ == "__main__":
    main()
