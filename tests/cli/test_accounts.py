"""Tenants, users and clients by command."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Portal

PASSWORD = "correct horse battery"


@pytest.mark.parametrize("slug", ["9lives", "Acme", "a_b", "-a", "x" * 41, "émile"])
def test_a_slug_begins_with_a_letter(acme: Portal, slug: str) -> None:
    said = acme("tenants", "add", "Another", "--slug", slug, "--json")
    assert said.exit_code == 1
    assert "must start with a letter" in said.data["message"]


def test_a_slug_is_taken_once(acme: Portal) -> None:
    said = acme("tenants", "add", "Another", "--slug", "acme", "--json")
    assert said.exit_code == 1
    assert "already taken" in said.data["message"]


def test_a_tenant_is_named_by_slug_or_number(acme: Portal) -> None:
    for tenant in ("acme", "1"):
        said = acme("clients", "add", f"Client {tenant}", "--tenant", tenant, "--json")
        assert said.data["name"] == f"Client {tenant}"
    for tenant in ("2", "01x", "9" * 30, "²"):
        assert acme("clients", "add", "X", "--tenant", tenant).exit_code == 1


def test_a_client_is_added_once_whatever_its_case(acme: Portal) -> None:
    added = acme("clients", "add", "  Fabrikam \t GmbH ", "--tenant", "acme", "--json")
    assert added.data == {"ok": True, "id": "1", "name": "Fabrikam GmbH"}
    again = acme("clients", "add", "FABRIKAM gmbh", "--tenant", "acme", "--json")
    assert again.exit_code == 1
    assert (
        again.data["message"] == "A client named Fabrikam GmbH already exists. Choose another name."
    )
    assert acme("clients", "add", " ", "--tenant", "acme").exit_code == 1


def test_a_user_is_added_with_a_password_by_standard_input(acme: Portal) -> None:
    words = ("users", "add", " Ann@Acme.Example ", "--tenant", "acme", "--password-stdin")
    said = acme(*words, "--role", "viewer", "--json", stdin=f"{PASSWORD}\r\n")
    assert said.exit_code == 0
    assert said.data["email"] == "ann@acme.example"
    assert said.data["role"] == "viewer"
    assert PASSWORD not in said.out + said.err
    changed = acme(*words, "--role", "admin", "--json", stdin=f"{PASSWORD}\n")
    assert (changed.data["id"], changed.data["role"]) == (said.data["id"], "admin")


def test_a_password_that_others_try_first_is_refused(acme: Portal) -> None:
    words = ("users", "add", "ann@acme.example", "--tenant", "acme", "--password-stdin")
    for password in ("aaaaaaaaaaaa", "password1234", " " * 12, "ann@acme.example"):
        said = acme(*words, "--role", "admin", "--json", stdin=f"{password}\n")
        assert (said.exit_code, said.data["ok"]) == (1, False)
        assert password not in said.err


@pytest.mark.parametrize(("email", "stdin"), [("nobody", PASSWORD), ("a@b.example", "\n")])
def test_a_user_needs_an_address_and_a_password(acme: Portal, email: str, stdin: str) -> None:
    words = ("users", "add", email, "--tenant", "acme", "--role", "admin", "--password-stdin")
    said = acme(*words, "--json", stdin=stdin)
    assert said.exit_code == 1
    assert said.data["ok"] is False
