"""Whatever goes wrong is one line on standard error, exit code 1, and JSON where asked for."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from portal.services.runs import execution
from tests.cli.conftest import Portal

NO_COUNTS = {
    "seen": 0,
    "created": 0,
    "updated": 0,
    "unchanged": 0,
    "moved": 0,
    "relinked": 0,
    "waiting": 0,
    "conflicts": 0,
    "retired": 0,
    "removed": 0,
    "missing": 0,
    "skipped": 0,
    "failed": 0,
}


def test_an_empty_folder_gets_a_database_by_itself(portal: Portal, folder: Path) -> None:
    said = portal("tenants", "add", "Acme MSP", "--slug", "acme", "--json")
    assert said.exit_code == 0
    assert said.data == {"ok": True, "id": "1", "name": "Acme MSP", "slug": "acme"}
    assert said.err == ""
    assert (folder / "portal.db").exists()


def test_another_revision_is_refused(acme: Portal, folder: Path) -> None:
    with sqlite3.connect(folder / "portal.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0000'")
    connection.close()
    said = acme("clients", "add", "Fabrikam", "--tenant", "acme")
    assert said.exit_code == 1
    assert said.err.count("\n") == 1
    assert "revision 0000" in said.err
    assert "portal migrate" in said.err


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORTAL_EGRESS_ALLOW", "everywhere"),
        ("PORTAL_PORT", "http"),
        ("PORTAL_ENCRYPTION_KEYS", "k1:short"),
        ("PORTAL_CA_BUNDLE", "/nowhere/ca.pem"),
        ("DATABASE_URL", "mysql://db/portal"),
        ("PORTAL_DATA_DIR", "/dev/null/var"),
    ],
)
def test_a_bad_setting_is_one_line(
    portal: Portal, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    said = portal("clients", "add", "Fabrikam", "--tenant", "acme", "--json")
    assert said.exit_code == 1
    assert said.err.startswith("portal: ")
    assert said.err.count("\n") == 1
    assert said.data["ok"] is False
    assert said.data["message"] == said.err.removeprefix("portal: ").strip()
    assert name in said.err or value in said.err


def test_a_file_that_is_no_database_is_one_line(portal: Portal, folder: Path) -> None:
    folder.mkdir()
    (folder / "portal.db").write_text("not a database, but long enough to be read as one" * 40)
    said = portal("clients", "add", "Fabrikam", "--tenant", "acme", "--json")
    assert said.exit_code == 1
    assert "The database reported an error" in said.data["message"]
    assert said.err.count("\n") == 1


def test_a_tenant_that_is_not_there(acme: Portal) -> None:
    said = acme("clients", "add", "Fabrikam", "--tenant", "acne", "--json")
    assert said.exit_code == 1
    assert said.data == {
        "ok": False,
        "fault": "refused",
        "message": "There is no tenant 'acne'. `portal tenants list` shows every tenant.",
    }
    assert said.err == f"portal: {said.data['message']}\n"


@pytest.mark.parametrize(
    "words",
    [
        ("sync", "devices"),
        ("sync", "agent", "--tenant", "acme"),
        ("sync", "everything"),
        ("export", "assets", "--tenant", "acme", "--format", "xml"),
        ("connect", "--tenant", "acme"),
        ("map", "--tenant", "acme"),
        ("map", "1", "--exact", "--tenant", "acme"),
        ("map", "1", "--tenant", "acme"),
        ("tenants", "add"),
        ("users", "add", "a@b.example", "--tenant", "acme", "--role", "king"),
        ("nothing",),
        ("sync", "devices", "--tenant", "acme", "--no-such-option"),
    ],
)
def test_a_wrong_call_exits_1_and_not_2(acme: Portal, words: tuple[str, ...]) -> None:
    plain = acme(*words)
    assert (plain.exit_code, plain.out) == (1, "")
    assert plain.err.startswith("portal: ")
    told = acme(*words, "--json")
    assert told.exit_code == 1
    assert told.data["ok"] is False
    assert f"portal: {told.data['message']}\n" == told.err


def test_a_wrong_call_has_the_shape_of_its_command(acme: Portal) -> None:
    sync = acme("sync", "devices", "--json").data
    assert (sync["status"], sync["counts"]) == ("failed", NO_COUNTS)
    assert sync["errors"] == [sync["message"]]
    assert sync["seconds"] == 0
    connect = acme("connect", "--tenant", "acme", "--url", "x", "--api-key-stdin", "--json").data
    assert connect["beta_api"] is None
    assert "standard input" in connect["message"]


def test_a_sync_that_cannot_begin_has_the_shape_of_one_that_failed(acme: Portal) -> None:
    said = acme("sync", "organizations", "--tenant", "acme", "--json")
    assert said.exit_code == 1
    assert said.data["status"] == "failed"
    assert said.data["counts"] == NO_COUNTS
    assert said.data["errors"] == ["Tactical RMM is not connected yet. Connect it first."]
    assert said.err == "portal: Tactical RMM is not connected yet. Connect it first.\n"


def test_a_mistake_of_ours_is_told_as_json_too(
    acme: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("a mistake")

    monkeypatch.setattr(execution, "run_to_end", fail)
    said = acme("sync", "devices", "--tenant", "acme", "--json")
    assert said.exit_code == 1
    assert said.data["status"] == "failed"
    assert "ZeroDivisionError: a mistake" in said.err


def test_ctrl_c_exits_as_shells_expect(acme: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    def press(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(execution, "run_to_end", press)
    assert acme("sync", "devices", "--tenant", "acme").exit_code == 130


def test_help_is_no_failure(portal: Portal) -> None:
    assert portal("--help").exit_code == 0
    assert "--totp-secret-stdin" in portal("connect", "--help").out
