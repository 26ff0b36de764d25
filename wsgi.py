"""For a WSGI server: `gunicorn wsgi:app`."""

import os

from portal import create_app
from portal.config import read_settings
from portal.supervisor.logs import set_up_logging

settings = read_settings(os.environ)
set_up_logging(settings)
app = create_app(settings)
