"""The list of commands: quick, and true."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from portal.cli import COMMANDS, portal

pytestmark = pytest.mark.one_database

HEAVY = {
    "alembic",
    "argon2",
    "cryptography",
    "flask",
    "gunicorn",
    "jinja2",
    "msgspec",
    "psycopg",
    "redis",
    "requests",
    "rq",
    "sqlalchemy",
    "werkzeug",
    "wtforms",
}

PROJECT = Path(__file__).parents[2] / "pyproject.toml"

LIST_MODULES = """
import json, sys
from portal.cli import main
sys.argv = ["portal", "--help"]
try:
    main()
finally:
    print(json.dumps(sorted(name.partition(".")[0] for name in sys.modules)))
"""


def test_the_help_imports_nothing_that_only_a_command_needs() -> None:
    said = subprocess.run(
        [sys.executable, "-c", LIST_MODULES], capture_output=True, text=True, check=True
    )
    help_text, _, modules = said.stdout.rstrip().rpartition("\n")
    assert set(json.loads(modules)) & HEAVY == set()
    assert all(f"\n  {name} " in help_text for name in COMMANDS)


def test_the_version_is_that_of_the_project() -> None:
    version = tomllib.loads(PROJECT.read_text())["project"]["version"]
    said = CliRunner().invoke(portal, ["--version"])
    assert (said.exit_code, said.output) == (0, f"portal {version}\n")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_there_and_its_line_in_the_list_is_its_own(name: str) -> None:
    with portal.make_context("portal", [name], resilient_parsing=True) as context:
        command = portal.get_command(context, name)
    assert command is not None
    assert command.name == name
    assert command.get_short_help_str(limit=200) == COMMANDS[name].help
