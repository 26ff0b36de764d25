"""Settings of the web server, for `portal run` and for a gunicorn started by hand:

gunicorn --config python:portal.supervisor.gunicorn_config --bind 127.0.0.1:5000
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from portal.data_folder import UMASK
from portal.supervisor.logs import WebLogger
from portal.supervisor.memory import settle
from portal.supervisor.parent import die_with_parent

os.umask(UMASK)  # gunicorn opens its logs before it makes the application

wsgi_app = "portal:create_app()"
worker_class = "portal.supervisor.web_worker.BufferingWorker"
workers = 2
threads = 8
worker_connections = 400  # each, kept ones included: a process may open a thousand files
forwarder_headers = ""  # whoever comes by a proxy on this machine could send them
secure_scheme_headers: dict[str, str] = {}  # PORTAL_TRUSTED_PROXIES says who is believed
sendfile = False  # a piece at a time, each within its time
preload_app = True  # one import for all workers; the application opens no connection
timeout = 60
graceful_timeout = 4  # less than the supervisor's patience
keepalive = 5
loglevel = "warning"
logger_class = WebLogger
access_log_format = '%(h)s "%(r)s" %(s)s %(b)s %(M)s ms %({x-request-id}o)s'
"""For who asks for it by `--access-logfile`; the last is the id that the other lines carry."""
control_socket_disable = True
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108  # a clock only


def when_ready(_server: Any) -> None:
    settle()


def post_fork(_server: Any, _worker: Any) -> None:
    die_with_parent(os.getppid())
