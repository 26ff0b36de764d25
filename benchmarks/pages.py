"""The heaviest pages at 10,000 assets, 1,000,000 software rows and 100,000 alerts.

    .venv/bin/python -m benchmarks.pages [--times 40] [--database sqlite] [--slow]
        [--limited 20] [--assets 50000] [--only palette]

Each page is asked for through the application, by a user who is signed in: all that a real
request does but the network. The first answer is not counted: it compiles the template. All of
a page's statements count, those of the session and the tenant too.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select
from sqlalchemy.engine import Engine

from benchmarks.databases import KINDS, database, make_core
from benchmarks.seed import BIG, Seeded, seed
from benchmarks.steps import NO_STATEMENTS
from portal import add_pages
from portal.db import db, transaction
from portal.models import Asset, Membership, MembershipClient, UserSession
from portal.scope import tenant_scope
from portal.services.accounts.tokens import digest
from portal.supervisor.memory import settle
from portal.web.guard import TOKEN

SLOW_MS, MANY_STATEMENTS = 150, 12


def pages(made: Seeded) -> dict[str, str]:
    """What a person calls it -> its address under the tenant."""
    return {
        "dashboard": "",
        "palette": "search/",
        "palette, searched": "search/?q=pc-0",
        "palette, nothing found": "search/?q=nothing+like+it",
        "assets": "assets/",
        "assets, overdue and searched": "assets/?status=overdue&q=pc-0+user",
        "assets, last page by last seen": "assets/?sort=-last_seen&page=200",
        "asset": f"assets/{made.asset_id}",
        "asset, of a list": f"assets/{made.asset_id}?list=status%3Donline%26sort%3D-last_seen",
        "alerts of an asset, of a list": f"assets/{made.asset_id}/alerts?list=q%3Dpc%26sort%3Dos",
        "alerts": "alerts/",
        "alerts, all, far page": "alerts/?status=any&page=1500",
        "alerts, of a client, by severity": f"alerts/?status=any&client_id={made.client_id}"
        "&sort=-severity",
        "alerts, searched": "alerts/?status=any&q=disk+00042",
        "alerts, without a ticket": "alerts/?status=any&ticket=without",
        "alerts, with a ticket": "alerts/?status=any&ticket=with",
        "alert": f"alerts/{made.ticket_id}",
        "tickets": "tickets/",
        "tickets, all, searched": "tickets/?state=any&q=disk+42",
        "ticket": f"tickets/{made.ticket_id}",
        "deliveries": "deliveries/",
        "deliveries, searched": "deliveries/?q=00042",
        "activity": "activity/",
        "activity, searched": "activity/?q=00042",
        "sync runs": "sync-runs/",
        "sync run of 10,000 entries": f"sync-runs/{made.run_id}?page=100",
        "clients": "clients/",
        "client": f"clients/{made.client_id}",
        "software of a client": f"clients/{made.client_id}/software",
        "history of a client": f"clients/{made.client_id}/history",
        "month of a client": f"clients/{made.client_id}/report?month={made.past_day:%Y-%m}",
        "assets of a past day": f"assets/?as_of={made.past_day}",
        "assets of a past day, of a client, far page": f"assets/?as_of={made.past_day}"
        "&sort=-client&page=150",
        "software of a past day": f"software/?as_of={made.past_day}",
        "clients of a past day": f"clients/?as_of={made.past_day}",
        "organizations": "organizations/",
        "mapping of one": "organizations/?show=unmapped",
        "software": "software/",
        "software, most behind": "software/?sort=-older&page=20",
        "software, searched": "software/?q=driver+2",
        "product": f"software/products/{made.product_id}",
        "product, what is old of it": f"software/products/{made.product_id}?older_than=1.9",
        "software of an asset": f"assets/{made.asset_id}/software",
        "history of an asset": f"assets/{made.asset_id}/history",
        "history of an asset, far page": f"assets/{made.asset_id}/history?page=1500",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=40)
    parser.add_argument("--database", choices=KINDS, action="append")
    parser.add_argument("--slow", action="store_true", help="show the slowest statement of each")
    parser.add_argument("--limited", type=int, help="to so many of the 200 clients")
    parser.add_argument("--assets", type=int, default=BIG.assets)
    parser.add_argument("--only", default="", help="pages whose name begins so")
    options = parser.parse_args()
    sizes = BIG
    if options.assets != BIG.assets:  # a million installs are enough
        titles = max(5, BIG.assets * BIG.titles_per_asset // options.assets)
        sizes = replace(BIG, assets=options.assets, titles_per_asset=titles)
    print("| page | database | p50 ms | p95 ms | statements |")
    print("|---|---|---|---|---|")
    for kind in options.database or KINDS:
        with database(kind) as url:
            made = seed(make_core(url), sizes)
            app = make_core(url)
            add_pages(app)
            if options.limited:
                limit(app, made, options.limited)
            wanted = {n: path for n, path in pages(made).items() if n.startswith(options.only)}
            measure(app, made, wanted, kind, options.times, options.slow)


def limit(app: Flask, made: Seeded, clients: int) -> None:
    """The person, to the clients that the pages are of and those behind them."""
    with app.app_context(), tenant_scope(made.tenant_id), transaction() as session:
        place = session.scalars(select(Membership).filter_by(user_id=made.user_id)).one()
        place.role, place.limited = "technician", True
        ids = {session.get_one(Asset, made.asset_id).client_id}
        ids |= set(range(made.client_id, made.client_id + clients - 1))
        session.add_all([MembershipClient(membership_id=place.id, client_id=i) for i in ids])


def measure(
    app: Flask, made: Seeded, wanted: Mapping[str, str], kind: str, times: int, show_slow: bool
) -> None:
    settle()
    http = sign_in(app, made)
    missed = []
    for name, path in wanted.items():
        status, seconds, statements = ask(app, http, f"/t/t{made.tenant_id}/{path}", times)
        if status != 200:
            print(f"| {name} | {kind} | answers {status} | | |")
            continue
        p50, p95 = percentile(seconds, 0.5), percentile(seconds, 0.95)
        print(f"| {name} | {kind} | {p50:.0f} | {p95:.0f} | {len(statements)} |", flush=True)
        if p95 > SLOW_MS or len(statements) > MANY_STATEMENTS:
            missed.append(name)
        if show_slow:
            for took, sql in sorted(statements, reverse=True)[:3]:
                print(f"    {took * 1000:.0f} ms ... {' '.join(sql[sql.find('FROM') :].split())}")
    print(f"\n{kind}, over {SLOW_MS} ms or {MANY_STATEMENTS} statements: {missed or 'none'}.\n")
    with app.app_context():
        db.engine.dispose()


def ask(
    app: Flask, http: FlaskClient, path: str, times: int
) -> tuple[int, list[float], list[tuple[float, str]]]:
    """Status, seconds of each answer, and the statements of the last."""
    seconds = []
    status = http.get(path).status_code
    for _ in range(times if status == 200 else 0):
        begun = time.perf_counter()
        http.get(path)
        seconds.append(time.perf_counter() - begun)
    with statements_of(app) as statements:
        http.get(path)
    return status, seconds, statements


@contextmanager
def statements_of(app: Flask) -> Iterator[list[tuple[float, str]]]:
    """Seconds and text of each statement but those that begin a transaction."""
    found: list[tuple[float, str]] = []
    begun = [0.0]

    def before(*_: object) -> None:
        begun[0] = time.perf_counter()

    def after(_c: object, _cursor: object, sql: str, *_: object) -> None:
        if not sql.startswith(NO_STATEMENTS):
            found.append((time.perf_counter() - begun[0], sql))

    with app.app_context():
        engine: Engine = db.engine
    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", before)
        event.remove(engine, "after_cursor_execute", after)


def sign_in(app: Flask, made: Seeded) -> FlaskClient:
    """A browser whose user is signed in."""
    with app.app_context(), transaction() as session:
        session.add(UserSession(token_digest=digest("bench"), user_id=made.user_id))
    http = app.test_client()
    with http.session_transaction() as cookie:
        cookie[TOKEN] = "bench"
    return http


def percentile(seconds: list[float], share: float) -> float:
    """Milliseconds."""
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000


if __name__ == "__main__":
    main()
