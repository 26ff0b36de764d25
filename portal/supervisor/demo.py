"""`portal demo`: the portal beside a simulated Tactical server, connected and synced."""

from __future__ import annotations

import json
import os
import secrets
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from flask import Flask

from portal.config import Settings, read_settings
from portal.errors import ConfigError, NotFound, PortalError
from portal.models.accounts.tenant import FactorRule, Tenant
from portal.models.integrations.integration import AuthMode
from portal.models.runs.sync_run import COMPLETED, SyncKind
from portal.scope import tenant_scope
from portal.services.accounts import tenants, users
from portal.services.accounts.second_factors import requirement
from portal.services.integrations import connect, testing
from portal.services.integrations.options import DASHBOARD
from portal.services.organizations import mapping
from portal.services.runs import execution
from portal.supervisor.children import Child
from portal.supervisor.demo_alerts import plan_patch_night, tell_mail_box
from portal.supervisor.demo_history import remember_days
from portal.supervisor.listening import find_free_port, is_free, wait_until_it_answers

REAL_SERVERS = ("DATABASE_URL", "REDIS_URL")
HOST = "127.0.0.1"
FLEET = {"clients": 6, "sites": 18, "agents": 250, "alerts": 60}


@dataclass(frozen=True, slots=True)
class Demo:
    """What the next start must find again. Kept in the demo's data folder, mode 0600."""

    port: int
    """Of the simulated server: the stored address of the integration names it."""
    epoch: int
    """What the fleet's times count from: the same fleet at every start."""
    api_key: str
    password: str
    is_seeded: bool = False
    smtp_port: int = 0
    """Of its mail box: the channel names it. As `box_port`, 0 in the file of a demo that was made
    before there was one."""
    box_port: int = 0
    """Of the pages that show the mails, and stand in for Tactical's web interface."""

    email = "admin@demo.example"
    slug = "demo"

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def pages_url(self) -> str:
        return f"http://{HOST}:{self.box_port}"


def check_is_here() -> None:
    """Raises ConfigError in an install for production, which has no simulated server."""
    if find_spec("tactical_simulator") is None:
        raise ConfigError(
            "This install is for production and has no demo. Install the portal with its "
            "simulated server elsewhere to try it out."
        )


def demo_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """A data folder of its own, and nothing that points at a real database or Redis. Its console
    keeps the sign-in in sight: each call to Tactical would be a line there."""
    allowed = [environ.get("PORTAL_EGRESS_ALLOW", ""), "127.0.0.0/8"]
    return dict.fromkeys(REAL_SERVERS, "") | {
        "PORTAL_DATA_DIR": str(read_settings(environ).data_dir / "demo"),
        "PORTAL_EGRESS_ALLOW": " ".join(filter(None, allowed)),
        "PORTAL_LOG_LEVEL": environ.get("PORTAL_LOG_LEVEL") or "WARNING",
    }


def server_children(settings: Settings) -> list[Child]:
    """The simulated server and the mail box. Raises ConfigError when something else has taken a
    port of theirs since."""
    demo = _read_or_make(settings)
    for port in (demo.port, demo.smtp_port, demo.box_port):
        if not is_free(HOST, port):
            raise ConfigError(
                f"Port {port}, which the demo's servers had before, is in use. "
                f"Stop what uses it, or remove {settings.data_dir} to start over."
            )
    return [
        Child("tactical", partial(_become_simulator, demo), is_server=True),
        Child("mail-box", partial(_become_mail_box, demo), is_server=True),
    ]


def seed(app: Flask) -> None:
    """Bring the demo to where it is worth a look. Does nothing after the first start."""
    settings: Settings = app.extensions["settings"]
    demo = _read_or_make(settings)
    if demo.is_seeded:
        return
    wait_until_it_answers(HOST, demo.port)
    with app.app_context(), tenant_scope(_add_tenant(demo).id):
        _connect_and_sync(demo)
    _write(_file(settings), replace(demo, is_seeded=True))


def sign_in_notice(settings: Settings) -> str:
    demo = _read_or_make(settings)
    return "\n".join(
        (
            "",
            f"    sign in as   {demo.email}",
            f"    password     {demo.password}",
            "",
            f"The simulated Tactical server is at {demo.url}, its API key is {demo.api_key}.",
            f"The mails that the portal sends are at {demo.pages_url}.",
        )
    )


def _become_simulator(demo: Demo) -> None:
    fleet = [word for name, value in FLEET.items() for word in (f"--{name}", str(value))]
    where = ["--port", str(demo.port), "--epoch", str(demo.epoch)]
    _become("tactical_simulator", *where, *fleet, TACTICAL_DEMO_API_KEY=demo.api_key)


def _become_mail_box(demo: Demo) -> None:
    where = ["--port", str(demo.box_port), "--smtp-port", str(demo.smtp_port)]
    _become("tactical_simulator.mail_box", *where)


def _become(module: str, *words: str, **variables: str) -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # its ready line is for programs
    command = [sys.executable, "-m", module, "--host", HOST, *words]
    os.execve(sys.executable, command, os.environ | variables)  # noqa: S606  # no shell, and that is right


def _add_tenant(demo: Demo) -> Tenant:
    """Also after a first start that was interrupted."""
    try:
        tenant = tenants.get_tenant(demo.slug)
    except NotFound:
        tenant = tenants.add_tenant("Demo MSP", demo.slug)
    requirement.set_rule(demo.slug, FactorRule.NOBODY)  # nothing in it is worth one
    users.add_user(demo.email, demo.password, demo.slug, "owner")
    return tenant


def _connect_and_sync(demo: Demo) -> None:
    print(f"Connecting to the simulated Tactical server at {demo.url} …", flush=True)
    connect.save_connection(
        connect.ConnectionSettings(
            base_url=demo.url,
            auth_mode=AuthMode.API_KEY,
            api_key=demo.api_key,
            options={DASHBOARD.name: demo.pages_url},
        )
    )
    test = testing.test_now()
    if not test.ok:
        raise PortalError(f"The simulated server cannot be used: {test.message}")
    _sync(SyncKind.ORGANIZATIONS)
    mapping.map_exact(create=True)
    _sync(SyncKind.DEVICES)
    _sync(SyncKind.SOFTWARE)
    _sync(SyncKind.ALERTS)
    remember_days(demo.epoch)
    plan_patch_night(demo.email)
    tell_mail_box(HOST, demo.smtp_port)


def _sync(kind: SyncKind) -> None:
    run = execution.run_to_end(kind)
    if run.status not in COMPLETED:
        raise PortalError(f"The first sync of {kind} ended {run.status}: {run.error}")
    print(f"Synced {run.seen} {kind}.", flush=True)


def _file(settings: Settings) -> Path:
    return settings.data_dir / "demo.json"


def _read_or_make(settings: Settings) -> Demo:
    file = _file(settings)
    demo = Demo(**json.loads(file.read_text())) if file.exists() else _make()
    if demo.smtp_port and file.exists():
        return demo
    demo = replace(demo, smtp_port=find_free_port(HOST), box_port=find_free_port(HOST))
    _write(file, demo)
    return demo


def _make() -> Demo:
    return Demo(
        port=find_free_port(HOST),
        epoch=int(time.time()),
        api_key=secrets.token_hex(16).upper(),
        password=secrets.token_urlsafe(12),
    )


def _write(file: Path, demo: Demo) -> None:
    draft = file.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as output:
        json.dump(asdict(demo), output)
    draft.replace(file)
