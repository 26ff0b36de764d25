"""Webhook intake: 200 deliveries a second held, and the highest rate beside a bare endpoint.

    .venv/bin/python -m benchmarks.intake [--seconds 60]

Both applications run under gunicorn with the portal's own settings, on SQLite; the bare one
reads the body, inserts one row and commits. Redis is away and no worker runs, so that it is
intake alone that is measured.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import socket
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select

from benchmarks.load import Load, post_at_rate, post_flat_out
from portal import create_app
from portal.config import read_settings
from portal.db import db
from portal.models import Delivery
from portal.scope import tenant_scope
from portal.services.accounts.tenants import add_tenant
from portal.services.database import prepare_database
from portal.services.integrations.connect import ConnectionSettings, save_connection
from portal.services.webhook.keys import reveal
from portal.supervisor.web import run_web

RATE = 200
FLAT_OUT_SECONDS = 10.0
NO_LIMIT = "100000"
"""Deliveries are counted as always, and the highest rate is that of the work."""
BODY = json.dumps(
    {
        "agent_id": "dktGXFyfzYyqhMMyJAkXsJVNpHeRAVslCAHFONkm",
        "alert_id": "503",
        "event": "trigger",
        "alert_type": "availability",
        "severity": "error",
        "alert_time": "2026-11-23 03:39:56.791162+00:00",
        "resolved": "None",
        "client_id": "1",
        "site_id": "2",
        "check_id": "None",
        "task_id": "None",
    }
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), options.seconds)


def measure(folder: Path, seconds: float) -> None:
    app, secret = make_portal(folder)
    with serving(lambda: make_bare(folder / "bare.db")) as port:
        bare = post_flat_out(port, to_request("/", "none"), FLAT_OUT_SECONDS)
    path = "/api/webhooks/tacticalrmm?tenant=bench"
    with serving(lambda: app) as port:
        steady = post_at_rate(port, to_request(path, secret), RATE, seconds)
        flat_out = post_flat_out(port, to_request(path, secret), FLAT_OUT_SECONDS)
    acknowledged = len(steady.seconds) + len(flat_out.seconds)
    print("| load | answers a second | p50 ms | p99 ms | refused |")
    print("|---|---|---|---|---|")
    report("bare endpoint, flat out", bare)
    report(f"intake, {RATE} a second for {seconds:.0f} s", steady)
    report("intake, flat out", flat_out)
    print(f"\nIntake is {flat_out.rate / bare.rate:.2f} of the bare endpoint.")
    print(f"Acknowledged {acknowledged}, stored {count_stored(app)}.")


def report(name: str, load: Load) -> None:
    p50, p99 = load.percentile(0.5), load.percentile(0.99)
    print(f"| {name} | {load.rate:.0f} | {p50:.1f} | {p99:.1f} | {load.refused} |")


def make_portal(folder: Path) -> tuple[Flask, str]:
    """A portal with one tenant, and its webhook secret."""
    environ = {**os.environ, "PORTAL_DATA_DIR": str(folder), "PORTAL_WEBHOOK_RATE": NO_LIMIT}
    app = create_app(read_settings(environ))
    with app.app_context():
        prepare_database()
        tenant = add_tenant("Bench", "bench")
        with tenant_scope(tenant.id):
            save_connection(
                ConnectionSettings(base_url="https://api.example.com", api_key="k" * 32)
            )
            secret = reveal()
        db.engine.dispose()
    return app, secret


def count_stored(app: Flask) -> int:
    with app.app_context(), tenant_scope(1):
        return db.session.scalar(select(func.count()).select_from(Delivery)) or 0


def make_bare(path: Path) -> Flask:
    """The least that a Flask endpoint can do and still keep what it was sent."""
    app = Flask("bare")
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE deliveries (id INTEGER PRIMARY KEY, body TEXT)")

    @app.post("/")
    def receive() -> ResponseReturnValue:
        connection = sqlite3.connect(path, timeout=30)
        try:
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("INSERT INTO deliveries (body) VALUES (?)", (request.get_data(),))
            connection.commit()
        finally:
            connection.close()
        return jsonify(ok=True), 202

    return app


@contextmanager
def serving(make: Callable[[], Flask]) -> Iterator[int]:
    """The application under gunicorn, with the portal's settings, in processes of its own."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(512)
        port: int = listener.getsockname()[1]
        os.set_inheritable(listener.fileno(), True)
        server = multiprocessing.get_context("fork").Process(
            target=lambda: run_web(make(), listener.fileno())
        )
        server.start()
        try:
            wait_for(port)
            yield port
        finally:
            server.terminate()
            server.join()


def wait_for(port: int) -> None:
    for _ in range(100):
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as connection:
                connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                if connection.recv(1):
                    return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("The server did not start.")


def to_request(path: str, secret: str) -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Alga-Webhook-Secret: {secret}\r\n"
        f"Content-Length: {len(BODY)}\r\n\r\n{BODY}"
    ).encode()


if __name__ == "__main__":
    main()
