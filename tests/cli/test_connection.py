"""`connect`, `test-connection`, `disconnect`, and what they keep to themselves."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pyotp

from tactical_simulator import SimulatedTactical
from tests.cli.conftest import Portal, Said

SHAPE = {"ok", "fault", "message", "beta_api"}


def connect(portal: Portal, url: str, *words: str, stdin: str = "") -> Said:
    return portal("connect", "--tenant", "acme", "--url", url, *words, "--json", stdin=stdin)


def test_an_api_key_comes_by_standard_input(acme: Portal, tactical: SimulatedTactical) -> None:
    said = connect(acme, tactical.url, "--api-key-stdin", stdin=f"{tactical.api_key}\n")
    assert said.exit_code == 0
    assert said.data.keys() >= SHAPE
    assert (said.data["ok"], said.data["fault"], said.data["beta_api"]) == (True, None, True)
    assert said.err == ""
    assert tactical.api_key not in said.out


def test_the_beta_api_that_is_off_is_told(acme: Portal, tactical: SimulatedTactical) -> None:
    tactical.control.server.set(beta_enabled=False)
    said = connect(acme, tactical.url, "--api-key-stdin", stdin=tactical.api_key)
    assert (said.data["ok"], said.data["beta_api"]) == (True, False)


def test_password_and_secret_are_two_lines(acme: Portal, tactical: SimulatedTactical) -> None:
    known = tactical.credentials
    words = ("--username", known.admin, "--password-stdin", "--totp-secret-stdin")
    said = connect(
        acme, tactical.url, *words, stdin=f"{known.admin_password}\n{known.totp_secret}\n"
    )
    assert (said.exit_code, said.data["ok"]) == (0, True)
    assert acme("test-connection", "--tenant", "acme", "--json").data["ok"] is True


def test_one_code_is_good_for_one_sign_in(acme: Portal, tactical: SimulatedTactical) -> None:
    known = tactical.credentials
    code = pyotp.TOTP(known.totp_secret).now()
    words = ("--username", known.admin, "--password-stdin", "--totp", f"{code[:3]} {code[3:]}")
    said = connect(acme, tactical.url, *words, stdin=known.admin_password)
    assert (said.exit_code, said.data["ok"]) == (0, True)
    assert acme("test-connection", "--tenant", "acme").exit_code == 0
    tactical.control.access.revoke_tokens()
    again = acme("test-connection", "--tenant", "acme", "--json")
    assert again.exit_code == 1
    assert again.data["fault"] == "totp_needed"


def test_a_test_that_fails_is_told_on_both_channels(
    acme: Portal, tactical: SimulatedTactical
) -> None:
    said = connect(acme, tactical.url, "--api-key-stdin", stdin="WRONG-KEY-WRONG-KEY\n")
    assert said.exit_code == 1
    assert said.data["fault"] == "wrong_key"
    assert said.data["beta_api"] is None
    assert said.err == f"portal: {said.data['message']}\n"
    assert "WRONG-KEY" not in said.out + said.err


def test_without_json_the_steps_are_told(acme: Portal, tactical: SimulatedTactical) -> None:
    words = ("connect", "--tenant", "acme", "--url", tactical.url, "--api-key-stdin")
    said = acme(*words, stdin=tactical.api_key)
    assert said.exit_code == 0
    assert "Tactical's API host" in said.out


def test_what_cannot_be_entered_names_no_fault_of_the_server(acme: Portal) -> None:
    for url, words, stdin in (
        ("ftp://rmm.example", ("--api-key-stdin",), "KEY"),
        ("https://u:p@rmm.example", ("--api-key-stdin",), "KEY"),
        ("https://rmm.example", (), ""),
        ("https://rmm.example", ("--username", "ann"), ""),
        ("https://rmm.example", ("--api-key-stdin", "--page-size", "1001"), "KEY"),
    ):
        said = connect(acme, url, *words, stdin=stdin)
        assert said.exit_code == 1
        assert said.data["fault"] == "invalid_input"
        assert said.data.keys() == SHAPE
    both = ("--api-key-stdin", "--username", "ann")
    assert connect(acme, "https://rmm.example", *both, stdin="KEY").exit_code == 1


def test_the_interval_of_sweeps_is_minutes_or_auto(
    acme: Portal, tactical: SimulatedTactical, folder: Path
) -> None:
    for given, stored in (("7", 7), ("0", 0), ("auto", None)):
        words = ("--api-key-stdin", "--sweep-every", given)
        assert connect(acme, tactical.url, *words, stdin=tactical.api_key).exit_code == 0
        with closing(sqlite3.connect(folder / "portal.db")) as database:
            query = "SELECT status_sweep_minutes FROM rmm_integrations"
            assert database.execute(query).fetchall() == [(stored,)]
    said = connect(acme, tactical.url, "--sweep-every", "often")
    assert said.exit_code == 1
    assert "'often' is not a valid integer" in said.out + said.err


def test_without_a_connection_there_is_nothing_to_test(acme: Portal) -> None:
    for command in ("test-connection", "disconnect"):
        said = acme(command, "--tenant", "acme", "--json")
        assert (said.exit_code, said.data["ok"]) == (1, False)
        assert "not connected yet" in said.data["message"]


def test_disconnecting_and_connecting_again_carries_on(
    acme: Portal, tactical: SimulatedTactical
) -> None:
    connect(acme, tactical.url, "--api-key-stdin", stdin=tactical.api_key)
    for words in (("sync", "organizations"), ("map", "--exact", "--create"), ("sync", "devices")):
        assert acme(*words, "--tenant", "acme").exit_code == 0
    assert acme("disconnect", "--tenant", "acme", "--json").data["ok"] is True
    refused = acme("sync", "devices", "--tenant", "acme", "--json")
    assert "is disconnected" in refused.data["errors"][0]
    tested = acme("test-connection", "--tenant", "acme", "--json")
    assert (tested.exit_code, "is disconnected" in tested.data["message"]) == (1, True)
    assert connect(acme, tactical.url).exit_code == 1  # the key was cleared
    connect(acme, tactical.url, "--api-key-stdin", stdin=tactical.api_key)
    counts = acme("sync", "devices", "--tenant", "acme", "--json").data["counts"]
    assert (counts["created"], counts["unchanged"]) == (0, 24)


def test_nothing_entered_lies_readable_in_the_folder(
    acme: Portal, folder: Path, tactical: SimulatedTactical
) -> None:
    known = tactical.credentials
    connect(acme, tactical.url, "--api-key-stdin", stdin=tactical.api_key)
    words = ("--username", known.admin, "--password-stdin", "--totp-secret-stdin")
    connect(acme, tactical.url, *words, stdin=f"{known.admin_password}\n{known.totp_secret}\n")
    acme("sync", "organizations", "--tenant", "acme")
    contents = b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())
    for secret in (tactical.api_key, known.admin_password, known.totp_secret):
        assert secret.encode() not in contents
