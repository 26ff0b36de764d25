"""Settings of the web server. gunicorn reads the names of this module."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from portal.config import read_settings
from portal.supervisor.logs import set_up_logging
from portal.supervisor.shim import die_with_parent

wsgi_app = "portal:create_app()"
worker_class = "gthread"
workers = 2
threads = 8
preload_app = True  # one import for all workers; the application opens no connection
timeout = 60
graceful_timeout = 4  # less than the supervisor's patience
keepalive = 5
accesslog = None
errorlog = "-"
loglevel = "warning"
control_socket_disable = True
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  # only its clock
limit_request_line = 8190


def on_starting(_server: Any) -> None:
    set_up_logging(read_settings(os.environ))


def post_fork(_server: Any, _worker: Any) -> None:
    die_with_parent(os.getppid())
