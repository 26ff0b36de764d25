"""Request Tracker 5, as Debian packages it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.helpdesks.servers.scratch import HERE, Scratch, find_free_port, install, scratch_folder

PACKAGES = ("request-tracker5", "rt5-db-sqlite", "rt5-standalone", "msmtp-mta")
ANSWERS = "request-tracker5 request-tracker5/dbconfig-install boolean false"
LIBRARY = Path("/usr/share/request-tracker5/lib")
SERVER = "/usr/share/request-tracker5/libexec/rt-server"
CONFIG = """
Set($rtname, 'desk.example');
Set($Organization, 'desk.example');
Set($DatabaseType, 'SQLite');
Set($DatabaseName, '{folder}/rt.sqlite');
Set($WebDomain, '127.0.0.1');
Set($WebPort, {port});
Set($WebBaseURL, 'http://127.0.0.1:{port}');
Set($MailCommand, 'testfile');
Set($LogToSyslog, undef);
Set($LogToSTDERR, 'warning');
$RT::VarPath = '{folder}/var';
$RT::MasonDataDir = '{folder}/var/mason_data';
$RT::MasonSessionDir = '{folder}/var/session_data';
1;
"""


@dataclass(frozen=True, slots=True)
class RequestTracker:
    url: str
    tokens: dict[str, str]
    """Of the accounts that the seed makes: `portal`, `anna`, `blind`, `reader`, `powerless`."""


@contextmanager
def request_tracker() -> Iterator[RequestTracker]:
    install(PACKAGES, ANSWERS)
    with scratch_folder() as folder:
        port = find_free_port()
        names = {"RT_SITE_CONFIG": f"{folder}/site.pm", "RT_SITE_CONFIG_DIR": f"{folder}/site.d"}
        scratch = Scratch(folder, names)
        scratch.make("site.d", "var/mason_data", "var/session_data")
        scratch.write("site.pm", CONFIG.format(folder=folder, port=port))
        seed = scratch.write("seed.pl", (HERE / "request_tracker.pl").read_text())
        scratch.run("rt-setup-database-5", "--action", "init", "--skip-create")
        told = scratch.run("perl", f"-I{LIBRARY}", str(seed))
        url = f"http://127.0.0.1:{port}"
        own = ("--server", "Starlet", "--host", "127.0.0.1", "--port", str(port))
        with scratch.running(SERVER, *own, "--max-workers", "2", port=port):
            yield RequestTracker(url, json.loads(told.splitlines()[-1]))
