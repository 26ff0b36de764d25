"""One id from a request through its job to the calls that the job makes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer

from portal import queue
from portal.config import Settings
from portal.scope import tenant_scope
from portal.services.integrations.connect import ConnectionSettings, save_connection
from tactical_simulator import SimulatedTactical
from tests.support.keys import KEYS
from tests.web.world import Place, make_place, make_user, sign_in

pytestmark = pytest.mark.one_database


@pytest.fixture
def acme(app: Flask, tactical: SimulatedTactical) -> Place:
    place = make_place(app)
    with app.app_context(), tenant_scope(place.id):
        save_connection(ConnectionSettings(base_url=tactical.url, api_key=tactical.api_key))
    return place


@pytest.fixture
def admin(app: Flask, http: FlaskClient, acme: Place) -> FlaskClient:
    app.config["WTF_CSRF_ENABLED"] = False
    sign_in(app, http, make_user(app, "admin@acme.example", acme))
    return http


def waiting_job(settings: Settings) -> Job:
    asked = Queue(queue.ASKED, connection=queue.connect(settings), serializer=JSONSerializer)
    (job,) = asked.get_jobs()
    return job


def test_the_outgoing_calls_of_a_job_carry_the_id_of_its_request(
    admin: FlaskClient, acme: Place, settings: Settings, tmp_path: Path
) -> None:
    answer = admin.post(acme.url("integrations/tacticalrmm/test"))
    asked = answer.headers["X-Request-ID"]
    assert re.fullmatch("[0-9a-f]{16}", asked)
    assert waiting_job(settings).get_meta() == {queue.WORK_ID: asked}

    entries = work(settings, tmp_path)
    calls = [entry for entry in entries if entry["logger"] == "portal.egress.gateway"]
    assert len(calls) > 3
    assert {entry["id"] for entry in calls} == {asked}
    assert {entry["level"] for entry in calls} == {"INFO"}
    assert {entry["message"] for entry in calls} >= {"GET to 127.0.0.1: 200"}


def work(settings: Settings, tmp_path: Path) -> list[dict[str, object]]:
    """What a worker logs until it has done what waits."""
    code = (
        "import os, rq; from rq.serializers import JSONSerializer\n"
        "from portal import create_app, queue\n"
        "from portal.config import read_settings\n"
        "from portal.jobs.context import use_app\n"
        "from portal.supervisor.logs import set_up_logging\n"
        "from portal.supervisor.worker import PortalWorker\n"
        "settings = read_settings(os.environ); set_up_logging(settings)\n"
        "use_app(create_app(settings))\n"
        "PortalWorker(['asked'], connection=queue.connect(settings),"
        " serializer=JSONSerializer).work(burst=True, logging_level=None)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={
            **KEYS,
            "DATABASE_URL": settings.database_url,
            "REDIS_URL": settings.redis_url,
            "PORTAL_DATA_DIR": str(tmp_path),
            "PORTAL_EGRESS_ALLOW": "127.0.0.0/8",
            "PORTAL_LOG_FORMAT": "json",
        },
        stderr=subprocess.PIPE,
        text=True,
        check=True,
        timeout=60,
    )
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_each_request_has_an_id_of_its_own(http: FlaskClient) -> None:
    ids = [
        http.get("/livez", headers={"X-Request-ID": "0123456789abcdef"}).headers["X-Request-ID"]
        for _ in range(3)
    ]
    assert len({*ids, "0123456789abcdef"}) == 4
