"""Canary: whatever a command prints or leaves, and wherever it fails, it tells no secret."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from portal.cli import portal as portal_command
from tactical_simulator import SimulatedTactical
from tests.audit import test_commands as commands
from tests.audit.test_everything_is_recorded import READ_ONLY, list_commands
from tests.canary.browser import FIRST_WRITE, LAST_WRITE
from tests.canary.secrets_made import catch
from tests.canary.watch import Watch, watching
from tests.cli.conftest import Portal, Said, acme, connected, folder, mapped
from tests.cli.conftest import portal as plain_portal
from tests.support.keys import KEYS

__all__ = ["acme", "connected", "folder", "mapped", "plain_portal"]

pytestmark = [pytest.mark.one_database, pytest.mark.servers]

SHOWN = {
    "keys._add_key webhook_keys.value": r"output of webhook (show|rotate)",
    "tokens.add_token": r"output of tokens add",
    "invitations.invite": r"output of users invite",
    "password_changes.issue_reset": r"output of users reset",
}
"""Kinds that are made to be copied, and the commands that show them to who asked."""
COOKIE_KEY = "CanaryKeyOfCookies"
ARGUMENTS = {
    "alerts timeline": "1",
    "plans show": "1",
    "runs show": "1",
    "tenants list-networks": "acme",
    "users list": "--tenant acme",
}
USES_UP = {"keys rotate"}
"""What it did before its last write is done."""
REFUSED = {"replay", "oidc set", "channels test", "helpdesks test"}
"""The delivery that it replays is one that cannot be processed; no provider answers its test; the
channel has no address and the helpdesk no settings."""
DRIVEN_ELSEWHERE = {"audit prune", "keys remove"}
"""They take a month, or another key, and know no secret."""


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    with watching() as watch:
        catch(watch, monkeypatch)
        yield watch


@pytest.fixture
def portal(
    plain_portal: Portal,
    watch: Watch,
    done: dict[str, set[int]],
    monkeypatch: pytest.MonkeyPatch,
) -> Portal:
    """Each command fails first: where it writes its audit row, or else at its last question."""
    monkeypatch.setenv("PORTAL_SECRET_KEY", COOKIE_KEY)
    for key in (COOKIE_KEY, KEYS["PORTAL_ENCRYPTION_KEYS"].partition(":")[2]):
        watch.add("key of the install", key)

    def call(*words: str, stdin: str = "") -> Said:
        name = next(each for each in NAMES if words[: len(each.split())] == tuple(each.split()))

        def run() -> Said:
            said = plain_portal(*words, stdin=stdin)
            watch.look(f"output of {name}", said)
            done.setdefault(name, set()).add(said.exit_code)
            return said

        if name not in READ_ONLY:
            with watch.failing(FIRST_WRITE if name in USES_UP else LAST_WRITE):
                run()
        with watch.failing("no such words"):
            said, asked = run(), watch.statements
        if name in READ_ONLY:
            with watch.failing(asked):
                run()
        return said

    return call


@pytest.fixture
def done() -> dict[str, set[int]]:
    return {}


NAMES = sorted(list_commands(portal_command), key=len, reverse=True)


@pytest.mark.fleet(clients=2, sites=2, agents=6, titles=2)
def test_no_command_tells_a_secret(
    mapped: Portal,
    tactical: SimulatedTactical,
    folder: Path,
    watch: Watch,
    done: dict[str, set[int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = commands.World(mapped, folder / "portal.db")
    commands.drive_syncs(world, tactical)
    commands.drive_assets(world, tactical)
    for command in READ_ONLY:
        world.run(f"{command} {ARGUMENTS.get(command, '')}")
    commands.drive_connection(world, monkeypatch)
    commands.drive_people(world)
    with closing(sqlite3.connect(world.file)) as connection:
        watch.look("database", list(connection.iterdump()))

    told = watch.find_told()
    assert {each for each in told if not re.fullmatch(SHOWN.get(each[0], ""), each[1])} == set()
    assert SHOWN.keys() == {kind for kind, _ in told}
    assert set(NAMES) - DRIVEN_ELSEWHERE == done.keys()
    assert {name for name in done if not done[name] & {0, 2}} == REFUSED, "none succeeded"
    assert {name for name in done if 1 not in done[name]} == set(), "none failed"
