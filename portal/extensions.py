"""Flask extensions, made here and bound to an application in `create_app`."""

from __future__ import annotations

import hashlib

from flask_htmx import HTMX
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_migrate import Migrate
from flask_wtf.csrf import CSRFProtect


def caller_key() -> str:
    """Who is counted. A digest, as of everything that comes from outside: keys stand in Redis and
    in the log."""
    return hashlib.sha256(get_remote_address().encode()).hexdigest()


csrf = CSRFProtect()
htmx = HTMX()
migrate = Migrate()
limiter = Limiter(key_func=caller_key)
