"""Redmine 5, as Debian packages it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from tests.helpdesks.servers.scratch import HERE, Scratch, find_free_port, install, scratch_folder

PACKAGES = ("redmine", "redmine-sqlite", "puma")
ANSWERS = "redmine redmine/instances/default/dbconfig-install boolean false"
HOME = Path("/usr/share/redmine")


@dataclass(frozen=True, slots=True)
class Redmine:
    url: str
    keys: dict[str, str]
    """Of the accounts that the seed makes: `portal`, `anna`, `reader`, `powerless`."""
    field: int
    """The id of the custom field that may be searched by."""
    unfiltered: int
    """The id of one that may not."""


@contextmanager
def redmine() -> Iterator[Redmine]:
    install(PACKAGES, ANSWERS)
    with scratch_folder() as folder:
        port = find_free_port()
        names = {
            # Debian's package adds this to its own folder of instances.
            "REDMINE_INSTANCE": f"../../../..{folder}",
            "RAILS_ENV": "production",
            "REDMINE_LANG": "en",
            "SCHEMA": f"{folder}/schema.rb",
        }
        scratch = Scratch(folder, names)
        scratch.make("config", "files", "log", "tmp", "public/plugin_assets")
        database = f"production:\n  adapter: sqlite3\n  database: {folder}/redmine.sqlite\n"
        scratch.write("config/database.yml", database)
        scratch.write("config/secret_key.txt", token_hex(40))
        seed = scratch.write("seed.rb", (HERE / "redmine.rb").read_text())
        scratch.run("bin/rake", "db:migrate", cwd=HOME)
        scratch.run("bin/rake", "redmine:load_default_data", cwd=HOME)
        told = scratch.run("bin/rails", "runner", str(seed), cwd=HOME)
        url = f"http://127.0.0.1:{port}"
        own = ("-e", "production", "-b", f"tcp://127.0.0.1:{port}", "-t", "1:4", "config.ru")
        with scratch.running("puma", *own, port=port, cwd=HOME):
            yield Redmine(url, **json.loads(told.splitlines()[-1]))
