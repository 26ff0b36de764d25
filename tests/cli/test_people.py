"""Users and tenants by command: changed, shut out, removed; and what their browsers see of it."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Portal

PASSWORD = "correct horse battery"
ANN, BERT = "ann@acme.example", "bert@acme.example"
HERE = ("--tenant", "acme")


@pytest.fixture
def people(acme: Portal) -> Portal:
    """Ann owns acme, Bert is a viewer there and owns other."""
    acme("tenants", "add", "Other MSP", "--slug", "other")
    for email, tenant, role in (
        (ANN, "acme", "owner"),
        (BERT, "acme", "viewer"),
        (BERT, "other", "owner"),
    ):
        words = ("users", "add", email, "--tenant", tenant, "--role", role, "--password-stdin")
        assert acme(*words, stdin=PASSWORD).exit_code == 0
    return acme


def listed(portal: Portal, tenant: str = "acme") -> dict[str, tuple[str, bool]]:
    users = portal("users", "list", "--tenant", tenant, "--json").data["users"]
    return {user["email"]: (user["role"], user["enabled"]) for user in users}


def test_users_are_listed_with_role_and_state(people: Portal) -> None:
    people("users", "disable", BERT, *HERE)

    assert listed(people) == {ANN: ("owner", True), BERT: ("viewer", False)}
    lines = people("users", "list", *HERE).out.splitlines()
    assert lines == [f"{ANN}   owner   enabled", f"{BERT}  viewer  disabled"]


def test_a_role_changes_in_one_tenant(people: Portal) -> None:
    said = people("users", "role", f" {BERT.upper()}", "admin", *HERE, "--json")

    assert (said.data["email"], said.data["role"]) == (BERT, "admin")
    assert listed(people)[BERT] == ("admin", True)


def test_who_is_disabled_keeps_role_and_is_not_added_again(people: Portal) -> None:
    assert people("users", "disable", BERT, *HERE).exit_code == 0
    words = ("users", "add", BERT, *HERE, "--role", "admin", "--password-stdin")
    again = people(*words, stdin=PASSWORD)
    assert (again.exit_code, "Enable the user first" in again.err) == (1, True)
    assert listed(people)[BERT] == ("viewer", False)
    assert listed(people, "other")[BERT] == ("owner", True)
    people("users", "enable", BERT, *HERE)
    assert listed(people)[BERT] == ("viewer", True)


def test_a_user_is_deleted_with_the_last_place(people: Portal) -> None:
    assert people("users", "remove", BERT, *HERE, "--json").data["deleted"] is False
    assert listed(people).keys() == {ANN}
    words = ("users", "add", ANN, "--tenant", "other", "--role", "owner", "--password-stdin")
    assert people(*words, stdin=PASSWORD).exit_code == 0
    assert people("users", "remove", BERT, "--tenant", "other", "--json").data["deleted"] is True
    assert "There is no user" in people("users", "reset", BERT).err


@pytest.mark.parametrize(
    "words",
    [
        ("role", ANN, "admin"),
        ("disable", ANN),
        ("remove", ANN),
        ("add", ANN, "--role", "viewer", "--password-stdin"),
    ],
)
def test_the_last_owner_of_a_tenant_stays(people: Portal, words: tuple[str, ...]) -> None:
    said = people("users", *words, *HERE, stdin=PASSWORD)
    assert said.exit_code == 1
    assert "needs at least one owner" in said.err
    assert listed(people)[ANN] == ("owner", True)
    people("users", "role", BERT, "owner", *HERE)
    assert people("users", *words, *HERE, stdin=PASSWORD).exit_code == 0
    assert listed(people).get(ANN) != ("owner", True)


def test_a_disabled_owner_does_not_count_as_one(people: Portal) -> None:
    people("users", "role", BERT, "owner", *HERE)
    people("users", "disable", BERT, *HERE)

    assert people("users", "remove", ANN, *HERE).exit_code == 1


@pytest.mark.parametrize("command", [("role", "viewer"), ("disable",), ("enable",), ("remove",)])
def test_who_has_no_place_is_not_there(people: Portal, command: tuple[str, ...]) -> None:
    said = people("users", command[0], ANN, *command[1:], "--tenant", "other")

    assert said.exit_code == 1
    assert (
        said.err
        == f"portal: '{ANN}' is not a user of this tenant. Check the address and the tenant.\n"
    )


def test_a_reset_link_is_printed_and_only_its_digest_kept(people: Portal, folder: Path) -> None:
    said = people("users", "reset", ANN, "--json")
    token = said.data["link"].rpartition("/reset#")[2]

    assert said.data["link"].startswith("http://localhost:5000/reset#")
    assert re.fullmatch(r"[\w-]{43}", token)
    for file in folder.glob("portal.db*"):
        assert token.encode() not in file.read_bytes()
    assert people("users", "reset", "nobody@acme.example").exit_code == 1


def test_an_invitation_is_printed_and_only_its_digest_kept(people: Portal, folder: Path) -> None:
    words = ("users", "invite", "Carl@acme.example", "--role", "technician")
    said = people(*words, *HERE, "--json")
    token = said.data["link"].rpartition("/invitation#")[2]

    assert (said.data["email"], said.data["role"]) == ("carl@acme.example", "technician")
    assert re.fullmatch(r"[\w-]{43}", token)
    for file in folder.glob("portal.db*"):
        assert token.encode() not in file.read_bytes()
    assert "/invitation#" in people(*words, *HERE).out
    refused = people("users", "invite", BERT, "--role", "viewer", *HERE)
    assert (refused.exit_code, "is a user of this tenant already" in refused.err) == (1, True)


def test_a_link_is_sent_by_mail_too_by_the_tenant_that_is_named(
    people: Portal, folder: Path
) -> None:
    words = ("users", "invite", "carl@acme.example", "--role", "viewer", *HERE, "--mail")
    none = people(*words)
    assert (none.exit_code, "There is no mail channel" in none.err) == (1, True)
    add_mail_channels(folder / "portal.db")

    assert people(*words).out.endswith("within seven days. It is sent by mail as well.\n")
    several = people("users", "reset", BERT, "--mail")
    assert (several.exit_code, "is in 2 tenants. Say with --tenant" in several.err) == (1, True)
    assert people("users", "reset", ANN, "--mail", "--tenant", "other").exit_code == 1
    said = people("users", "reset", BERT, "--mail", "--tenant", "other", "--json").data
    assert (said["by_mail"], "/reset#" in said["link"]) == (True, True)
    assert people("users", "reset", ANN, "--mail").exit_code == 0
    with closing(sqlite3.connect(folder / "portal.db")) as connection:
        query = "SELECT channel_id, reason, recipient, facts FROM messages ORDER BY id"
        rows = connection.execute(query).fetchall()
    assert [row[:3] for row in rows] == [
        (1, "invitation", "carl@acme.example"),
        (2, "reset", BERT),
        (1, "reset", ANN),
    ]
    assert "You are invited to work in the portal of Acme" in rows[0][3]
    assert said["link"].rpartition("#")[2] not in str(rows)


def add_mail_channels(file: Path) -> None:
    """One of each tenant, of the same number."""
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(
            "INSERT INTO channels (id, tenant_id, kind, name, settings, templates, active,"
            " most_per_minute, minute_sent, failures, created_at) SELECT id, id, 'mail', 'Mail',"
            " '{}', '{}', 1, 10, 0, 0, '2026-01-01 00:00:00' FROM tenants"
        )


def test_an_operator_signs_somebody_out(people: Portal) -> None:
    assert people("users", "sign-out", ANN).out == f"{ANN} is signed out everywhere.\n"
    assert people("users", "sign-out", "nobody@acme.example").exit_code == 1


def test_an_operator_sets_a_password(people: Portal) -> None:
    words = ("users", "reset", ANN, "--password-stdin", "--json")

    assert people(*words, stdin="another horse battery").data == {"ok": True, "email": ANN}
    refused = people(*words, stdin="password1234")
    assert (refused.exit_code, "one of the most common" in refused.data["message"]) == (1, True)


def test_a_reset_can_take_second_factors_along(people: Portal) -> None:
    words = ("users", "reset", ANN, "--remove-factors")

    assert people(*words, "--json").data["removes_factors"] is True
    assert "removes their second factors" in people(*words).out
    done = people(*words, "--password-stdin", stdin="another horse battery")
    assert "Their second factors are removed." in done.out


def test_an_operator_removes_second_factors(people: Portal) -> None:
    assert people("users", "reset-factors", ANN, "--json").data == {"ok": True, "email": ANN}
    assert people("users", "reset-factors", "nobody@acme.example").exit_code == 1


def test_a_tenant_requires_a_second_factor(people: Portal) -> None:
    said = people("tenants", "second-factor", "acme", "admins", "--json")

    assert said.data == {"ok": True, "slug": "acme", "second_factor": "admins"}
    rows = people("tenants", "list", "--json").data["tenants"]
    assert [row["second_factor"] for row in rows] == ["admins", "all"]
    assert people("tenants", "second-factor", "acme", "some").exit_code != 0


def test_tenants_are_listed(people: Portal) -> None:
    rows = people("tenants", "list", "--json").data["tenants"]

    assert [(row["id"], row["slug"], row["name"]) for row in rows] == [
        ("1", "acme", "Acme MSP"),
        ("2", "other", "Other MSP"),
    ]
    assert people("tenants", "list").out == "acme   Acme MSP\nother  Other MSP\n"


@pytest.mark.parametrize(("words", "stdin"), [((), "other\n"), ((), ""), (("--yes", "Acme"), "")])
def test_a_tenant_is_not_removed_without_its_name(
    people: Portal, words: tuple[str, ...], stdin: str
) -> None:
    said = people("tenants", "remove", "acme", *words, stdin=stdin)

    assert said.exit_code == 1
    assert "Nothing was removed" in said.err
    assert people("clients", "add", "Fabrikam", *HERE).exit_code == 0


def test_a_tenant_is_counted_asked_for_and_removed(people: Portal) -> None:
    for name in ("Fabrikam", "Contoso"):
        people("clients", "add", name, *HERE)
    said = people("tenants", "remove", "acme", stdin="acme\n")

    assert said.exit_code == 0
    assert "        2 clients\n" in said.err
    assert "        2 memberships\n" in said.err
    assert said.out == (
        "Removed the tenant Acme MSP (acme). Backups from before still contain its data and, "
        "encrypted, its secrets until they are deleted.\n"
    )
    assert people("clients", "add", "X", *HERE).exit_code == 1
    assert people("users", "reset", ANN).exit_code == 1
    assert listed(people, "other") == {BERT: ("owner", True)}
    again = people("tenants", "remove", "acme", "--yes", "acme")
    assert again.err == (
        "portal: There is no tenant 'acme'. `portal tenants list` shows every tenant.\n"
    )


def test_json_is_one_object_and_asks_nothing(people: Portal) -> None:
    said = people("tenants", "remove", "acme", "--yes", "acme", "--json")

    assert said.data["removed"].keys() == {"memberships", "events", "audit_entries"}
    assert (said.data["ok"], said.data["slug"]) == (True, "acme")
    assert said.data["note"].startswith("Backups from before still contain")
    assert said.err == ""


def test_a_user_is_limited_to_clients_by_name_and_sees_all_again(people: Portal) -> None:
    for name in ("Acme Client", "Second"):
        assert people("clients", "add", name, *HERE).exit_code == 0

    said = people("users", "limit", BERT, *HERE, "--client", " acme  client", "--json")
    assert said.data["clients"] == [" acme  client"]
    users = people("users", "list", *HERE, "--json").data["users"]
    assert [user["clients"] for user in users] == [None, ["Acme Client"]]
    assert people("users", "list", *HERE).out.splitlines()[1].endswith("enabled  Acme Client")

    for words, problem in (
        (("--client", "Nobody"), "There is no client named Nobody"),
        ((), "or say --all"),
        (("--all", "--client", "Second"), "or say --all"),
    ):
        refused = people("users", "limit", BERT, *HERE, *words)
        assert (refused.exit_code, problem in refused.err) == (1, True)
    assert people("users", "limit", ANN, *HERE, "--client", "Second").exit_code == 1
    assert people("users", "limit", BERT, *HERE, "--all", "--json").data["clients"] is None
