"""`portal run` and `portal demo`: everything the portal needs, until a signal comes."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack

import flask_migrate
from flask import Flask

from portal import create_app, queue
from portal.config import Settings, read_settings
from portal.services import setup
from portal.supervisor import demo
from portal.supervisor.children import Child, say
from portal.supervisor.crew import Crew, Interrupted
from portal.supervisor.folder import lock_folder
from portal.supervisor.listening import answers, listen, portal_address
from portal.supervisor.logs import set_up_logging
from portal.supervisor.redis_server import forget_interrupted_jobs, redis_child, wait_for_redis


def run_portal(environ: Mapping[str, str], *, is_demo: bool = False) -> None:
    """Start everything, keep it running, stop it cleanly on a signal.

    Raises ConfigError, with nothing left running, when it cannot start.
    """
    if is_demo:
        environ = demo.demo_environ(environ)
    settings = read_settings(environ)
    set_up_logging(settings)
    crew = Crew()
    with ExitStack() as stack:
        stack.enter_context(lock_folder(settings.data_dir))
        listener = stack.enter_context(listen(settings))
        stack.callback(crew.stop)
        crew.handle_signals()
        try:
            notice = _start(crew, settings, environ, listener.fileno(), is_demo=is_demo)
            _announce(crew, settings, notice)
            crew.watch()
        except Interrupted:
            pass
        say("stopping")


def migrate(app: Flask) -> None:
    with app.app_context():
        flask_migrate.upgrade()


def _start(
    crew: Crew, settings: Settings, environ: Mapping[str, str], listener: int, *, is_demo: bool
) -> list[str]:
    """All children, servers first. What the console is to say once the portal answers."""
    if not settings.redis_url:
        redis = redis_child(settings, environ)
        crew.add(redis)
        forget_interrupted_jobs(wait_for_redis(settings, redis))
    app = create_app(settings)
    migrate(app)
    if is_demo:
        simulator = demo.simulator_child(settings, environ)
        crew.add(simulator.child)
        notice = demo.seed(app, simulator)
    else:
        notice = _setup_notice(app, settings)
    for child in _own_children(environ, listener):
        crew.add(child)
    return notice


def _own_children(environ: Mapping[str, str], listener: int) -> list[Child]:
    python = sys.executable
    config = "python:portal.supervisor.gunicorn_config"
    web = [python, "-m", "gunicorn", "--config", config, "--bind", f"fd://{listener}"]
    own = [python, "-m", "portal.supervisor"]
    children = [Child("web", web, environ, pass_fds=(listener,))]
    for name, count in queue.QUEUES.items():
        children += [
            Child(name if count == 1 else f"{name}-{number}", [*own, "worker", name], environ)
            for number in range(1, count + 1)
        ]
    return [*children, Child("scheduler", [*own, "scheduler"], environ)]


def _setup_notice(app: Flask, settings: Settings) -> list[str]:
    with app.app_context():
        token = setup.issue_token()
    if token is None:
        return []
    address = portal_address(settings)
    return [
        f"There is no user yet. Make the first one at {address}/setup",
        f"with this one-time token: {token}",
    ]


def _announce(crew: Crew, settings: Settings, notice: list[str]) -> None:
    while not answers(settings):
        for child in crew.children:
            child.look_after()
    say(f"The portal is at {portal_address(settings)} (data in {_short(settings)}), Ctrl-C stops it.")
    for line in notice:
        say(line)


def _short(settings: Settings) -> str:
    return os.path.relpath(settings.data_dir)
