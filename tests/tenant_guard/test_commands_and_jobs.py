"""No command and no job of a tenant reaches another one's rows, whatever ids it is given.

Pages: `tests/web/safety/test_isolation.py`. The API: `tests/api/test_isolation.py`.
"""

from __future__ import annotations

import inspect
import io
import shlex
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import NoResultFound

from portal import queue
from portal.cli import command, main
from portal.cli import portal as portal_command
from portal.config import Settings
from portal.db import db
from portal.errors import PortalError
from portal.jobs.context import use_app
from portal.models import Asset, Integration
from portal.scope import all_tenants
from tests.audit.test_everything_is_recorded import list_commands
from tests.stateful.tables import Dump, dump
from tests.support.keys import KEYS
from tests.web.world import Place, make_place

WITH_FOREIGN_IDS = {
    **{f"assets {deed}": "{device}" for deed in ("restore", "retire")},
    "alerts ack": "{alert}",
    "alerts snooze": "{alert} --for 1",
    "alerts timeline": "{alert}",
    "alerts unsnooze": "{alert}",
    "assets delete": "{device} --yes",
    "assets merge": "{device} {device}",
    "channels test": "{channel}",
    "helpdesks test": "{helpdesk} --queue support",
    "conflicts reopen": "{conflict}",
    "conflicts settle": "{conflict} --as separate",
    "plans apply": "{plan}",
    "plans decline": "{plan}",
    "plans show": "{plan}",
    "replay": "{delivery}",
    "report": "'Other Client'",
    "runs revert": "{run}",
    "runs show": "{run}",
    "sync agent": "{device}",
    "tokens revoke": "'other reports'",
    "tickets link": "{alert} {helpdesk} 77",
    "tickets retry": "{ticket}",
    "users disable": "member@other.example",
    "users enable": "member@other.example",
    "users limit": "member@other.example --client 'Other Client'",
    "users remove": "member@other.example",
    "users role": "member@other.example owner",
    "windows end": "{window}",
    "software watch add": "'Other Suite'",
    "software watch remove": "{watch}",
}
"""What is another tenant's, named to a command of ours: it is not there."""
OF_OURS = {
    **dict.fromkeys(("conflicts list", "missing", "organizations list", "runs list"), ""),
    **dict.fromkeys(("notices list", "tokens list", "users list", "webhook show"), ""),
    "channels list": "",
    **dict.fromkeys(("helpdesks list", "tickets list"), ""),
    **{f"export {name}": "" for name in ("alerts", "assets", "deliveries", "software")},
    "export organizations": "",
    **dict.fromkeys(("rules export", "rules list", "rules try"), ""),
    "rules import": "/dev/null",
    "oidc show": "",
    "oidc set": "--issuer http://127.0.0.1:9 --client-id portal --secret-stdin",
    "oidc off": "",
    "audit list": "",
    "audit verify": "",
    "clients add": "Zebra",
    "map": "7 --client 'Other Client'",
    "organizations settle": "7 --as keep",
    "decide-server": "same",
    **{f"sync {kind}": "" for kind in ("alerts", "devices", "organizations", "software", "status")},
    "test-connection": "",
    "tokens add": "reports --scope read",
    "windows list": "",
    "software watch list": "",
    "windows add": "Night --zone UTC --starts 2090-01-01T00:00 --ends 2090-01-01T01:00",
    "webhook install": "--apply-to none",
    "webhook rotate": "",
    "webhook remove": "",
    "users invite": "new@acme.example --role viewer",
    "users add": "new@acme.example --role viewer --password-stdin",
    "connect": "--url https://api.acme.example --api-key-stdin",
    "disconnect": "",
}
"""Of the whole tenant: it shows and changes our own."""
OF_THE_INSTALL = {
    *("audit prune", "keys list", "keys remove", "keys rotate"),
    *("tenants add", "tenants allow-network", "tenants list", "tenants list-networks"),
    *("tenants remove", "tenants second-factor", "tenants withdraw-network"),
    *("users reset", "users reset-factors", "users sign-out"),
}
"""Of an operator, who names a tenant or a person of any."""

OF_THEIRS = ("other-pc", "other.example", "Other Client", "Other Organization", "Other Suite")
IDS = {
    **{"run_id": "run", "test_id": "test", "errand_id": "errand", "subscriber_id": "subscriber"},
    **{"integration_id": "integration", "_integration_id": "integration"},
    **{"installation_id": "run", "channel_id": "channel", "helpdesk_id": "helpdesk"},
}
"""Parameter of a job -> what it names. A job with another one must be listed here. (The world has
no installation of the webhook and no channel: the numbers are nobody's.)"""


@pytest.fixture
def acme(app: Flask) -> Place:
    return make_place(app, "acme")


@pytest.fixture
def other(app: Flask) -> Place:
    return make_place(app, "other")


def find_more(place: Place) -> dict[str, Any]:
    """What a place does not name itself."""
    with all_tenants():
        device = select(Asset.rmm_device_id).where(Asset.id == place.asset)
        integration = select(Integration.id).where(Integration.tenant_id == place.id)
        found = {
            "device": db.session.scalar(device),
            "integration": db.session.scalar(integration),
        }
    db.session.remove()
    return found


def read(app: Flask, place: Place) -> Dump:
    with app.app_context():
        return dump(place.id, looks=True)


@pytest.mark.one_database
def test_every_command_is_known() -> None:
    known = [*WITH_FOREIGN_IDS, *OF_OURS, *OF_THE_INSTALL]
    assert sorted(known) == sorted(list_commands(portal_command))


def test_no_command_reaches_another_tenant(
    app: Flask, acme: Place, other: Place, call: Callable[[list[str]], tuple[object, str]]
) -> None:
    with app.app_context():
        ids = {name: getattr(other, name) for name in Place.__slots__} | find_more(other)
    before, wrong = read(app, other), {}
    for name, more in (WITH_FOREIGN_IDS | OF_OURS).items():
        words = [*name.split(), *shlex.split(more.format(**ids)), "--tenant", acme.slug]
        exit_code, said = call(words)
        for word in words:
            said = said.replace(word, "")  # as it was typed
        is_done = exit_code != 1 and name in WITH_FOREIGN_IDS
        tells = any(word in said for word in OF_THEIRS)
        if is_done or tells:
            wrong[name] = f"{exit_code}: {said}"
    assert wrong == {}
    assert read(app, other) == before


@pytest.fixture
def call(
    app: Flask,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[[list[str]], tuple[object, str]]:
    """Exit code and all that a command says, run in the application of the test."""
    monkeypatch.setattr(command, "create_core", lambda _settings: app)
    monkeypatch.setattr("portal.tactical.http.retries.FIRST_PAUSE", 0)
    for name, value in {**KEYS, "PORTAL_DATA_DIR": str(settings.data_dir)}.items():
        monkeypatch.setenv(name, value)

    def run(words: list[str]) -> tuple[object, str]:
        monkeypatch.setattr(sys, "argv", ["portal", *words])
        monkeypatch.setattr(sys, "stdin", io.StringIO("correct horse battery\n"))
        with pytest.raises(SystemExit) as end:
            main()
        printed = capsys.readouterr()
        return end.value.code, printed.out + printed.err

    return run


@pytest.mark.parametrize("whose", ["own", "foreign"])
def test_no_job_reaches_another_tenant(
    app: Flask, acme: Place, other: Place, whose: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_app(app)
    monkeypatch.setattr("portal.tactical.http.retries.FIRST_PAUSE", 0)
    place = other if whose == "foreign" else acme
    with app.app_context():
        more = find_more(place)
    before = read(app, other)
    for name, job in queue.JOBS.items():
        module, _, function = job.function.rpartition(".")
        work = getattr(import_module(module), function)
        parameters = list(inspect.signature(work).parameters)
        assert parameters.pop(0) == "tenant_id", f"{name} is of no tenant."
        ids = [more.get(IDS[each]) or getattr(place, IDS[each]) for each in parameters]
        with suppress(PortalError, NoResultFound):
            work(acme.id, *ids)
        assert read(app, other) == before, name
