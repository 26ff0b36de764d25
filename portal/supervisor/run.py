"""`portal run` and `portal demo`: everything the portal needs, until a signal comes."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

from flask import Flask

import portal
from portal import queue
from portal.config import Settings, read_settings
from portal.core import create_core
from portal.data_folder import keep_private
from portal.services.accounts import setup
from portal.supervisor import demo
from portal.supervisor.children import Child, say
from portal.supervisor.folder import lock_folder
from portal.supervisor.listening import listen, wait_until_it_answers
from portal.supervisor.logs import set_up_logging
from portal.supervisor.redis_server import end_turns, redis_child, wait_for_redis
from portal.supervisor.scheduler import run_scheduler
from portal.supervisor.supervisor import Interrupted, Supervisor
from portal.supervisor.web import run_web
from portal.supervisor.worker import run_worker


def run_portal(*, is_demo: bool = False) -> None:
    """Start everything, keep it running, stop it cleanly on a signal.

    Raises PortalError, with nothing left running, when it cannot start.
    """
    if is_demo:
        demo.check_is_here()
        os.environ.update(demo.demo_environ(os.environ))
    settings = read_settings(os.environ)
    os.environ.pop("DATABASE_OWNER_URL", None)  # one step alone is done as this role: see _start
    set_up_logging(settings)
    keep_private(settings)
    supervisor = Supervisor()
    with ExitStack() as stack:
        stack.enter_context(lock_folder(settings.data_dir))
        listener = stack.enter_context(listen(settings))
        supervisor.handle_signals()
        stack.callback(supervisor.stop)
        try:
            _start(supervisor, settings, listener.fileno(), is_demo=is_demo)
            supervisor.watch()
        except Interrupted:
            say("stopping")


def migrate(app: Flask) -> None:
    from portal.services.database import upgrade_database  # noqa: PLC0415  # workers fork from here

    upgrade_database(app)


def _start(supervisor: Supervisor, settings: Settings, listener: int, *, is_demo: bool) -> None:
    """The supervisor itself opens no database: its forks would share the connection."""
    if not settings.redis_url:
        redis = redis_child(settings)
        supervisor.add(redis)
        with wait_for_redis(settings, redis) as connection:
            end_turns(connection)
    core = create_core(settings)
    if is_demo:
        for server in demo.server_children(settings):
            supervisor.add(server)
    supervisor.run_step(Child("migrate", partial(migrate, core), ends=True))
    core.extensions["settings"] = replace(settings, database_owner_url="")
    if is_demo:
        supervisor.run_step(Child("seed", partial(demo.seed, core), ends=True))
    for child in _children(core, listener):
        supervisor.add(child)
    supervisor.add(Child("portal", partial(_announce, core, is_demo=is_demo), ends=True))


def _serve(core: Flask, listener: int) -> None:
    """The pages come after the fork: the other processes do without them."""
    portal.add_pages(core)
    run_web(core, listener)


def _children(core: Flask, listener: int) -> list[Child]:
    children = [Child("web", partial(_serve, core, listener))]
    for name, count in queue.QUEUES.items():
        for number in range(1, count + 1):
            label = name if count == 1 else f"{name}-{number}"
            children.append(Child(label, partial(run_worker, core, name)))
    return [*children, Child("scheduler", partial(run_scheduler, core))]


def _announce(app: Flask, *, is_demo: bool) -> None:
    """Say where the portal is, once it answers there."""
    settings: Settings = app.extensions["settings"]
    wait_until_it_answers(settings.own_host, settings.port)
    address = settings.address
    print(f"The portal is at {address}, its data in {_short(settings.data_dir)}. Ctrl-C stops it.")
    if is_demo:
        print(demo.sign_in_notice(settings))
        return
    with app.app_context():
        token = setup.issue_token()
    if token is not None:
        print(f"There is no user yet. Create the first one at {address}/setup")
        print(f"with this one-time token: {token}")


def _short(path: Path) -> str:
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
