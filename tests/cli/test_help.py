"""The list of commands: quick, and true."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
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


COMMON = {"--tenant", "--json", "--help"}
DOCUMENT = PROJECT.parent / "docs" / "commands.md"


def test_every_option_of_every_command_is_documented() -> None:
    """In a row of the table of commands that begins with the command's first word."""
    lines = DOCUMENT.read_text().splitlines()
    missing = []
    for words, command in list_commands(portal, ()):
        rows = "\n".join(line for line in lines if line.startswith(f"| `{words[0]}"))
        options = [each for each in command.params if isinstance(each, click.Option)]
        names = {name for each in options for name in (*each.opts, *each.secondary_opts)}
        said = set(re.findall(r"--[a-z][a-z-]*", rows))
        missing += [" ".join((*words, name)) for name in sorted(names - said - COMMON)]
    assert not missing, "\n".join(missing)


def list_commands(
    group: click.Command, words: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if not isinstance(group, click.Group):
        yield words, group
        return
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield from list_commands(command, (*words, name))
