"""`portal oidc`: set, shown without its secret, switched off."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import TENANT, Portal

HERE = TENANT[:2]
ISSUER = "http://127.0.0.1:9"
SECRET = "the-secret-of-the-client"
SET = ("oidc", "set", "--issuer", ISSUER, "--client-id", "portal", "--secret-stdin")


def test_what_is_set_is_kept_though_its_test_fails(acme: Portal, folder: Path) -> None:
    """Nobody listens there: the answer says so, and no way in is lost."""
    groups = ("--groups-claim", "groups", "--group", "ou=it=admins=admin", "--group", "all=viewer")
    said = acme(*SET, *groups, *TENANT, stdin=f"{SECRET}\n")

    assert (said.exit_code, said.data["ok"]) == (1, False)
    assert said.data["provider"]["problem"]
    shown = acme("oidc", "show", *TENANT)
    provider = shown.data["provider"]
    assert (provider["issuer"], provider["client_id"]) == (ISSUER, "portal")
    assert provider["group_roles"] == {"ou=it=admins": "admin", "all": "viewer"}
    assert (provider["default_role"], provider["required"]) == (None, False)
    assert shown.data["redirect_address"].endswith("/t/acme/sign-in/callback")
    assert SECRET not in said.out + said.err + shown.out + acme("oidc", "show", *HERE).out
    assert SECRET.encode() not in (folder / "portal.db").read_bytes()


def test_what_is_not_named_keeps_its_value(acme: Portal) -> None:
    acme(*SET, "--default-role", "viewer", *TENANT, stdin=f"{SECRET}\n")
    acme("oidc", "set", "--scopes", "profile groups", *TENANT)
    provider = acme("oidc", "show", *TENANT).data["provider"]
    assert (provider["scopes"], provider["default_role"]) == ("profile groups", "viewer")

    acme("oidc", "set", "--default-role", "none", *TENANT)
    provider = acme("oidc", "show", *TENANT).data["provider"]
    assert (provider["scopes"], provider["default_role"]) == ("profile groups", None)


def test_it_is_switched_off_and_its_settings_stay(acme: Portal) -> None:
    assert acme("oidc", "show", *TENANT).data["provider"] is None
    assert acme("oidc", "off", *HERE).exit_code == 1
    acme(*SET, *TENANT, stdin=f"{SECRET}\n")

    said = acme("oidc", "off", *TENANT)
    assert said.data == {"ok": True, "issuer": ISSUER, "enabled": False}
    provider = acme("oidc", "show", *TENANT).data["provider"]
    assert (provider["enabled"], provider["issuer"]) == (False, ISSUER)


def test_what_cannot_be_is_refused_and_nothing_kept(acme: Portal) -> None:
    for words, stdin, problem in (
        (SET, "\n", "client secret"),
        ((*SET, "--group", "admins"), SECRET, "'admins' is not GROUP=ROLE"),
        ((*SET, "--group", "admins=king"), SECRET, "'admins=king' is not GROUP=ROLE"),
        ((*SET, "--group", "admins=admin"), SECRET, "the claim that lists the groups"),
        ((*SET, "--required"), SECRET, "let its test pass before you require it"),
        ((*SET[:2], "--client-id", "portal", "--secret-stdin"), SECRET, "issuer"),
    ):
        said = acme(*words, *HERE, stdin=stdin)
        assert said.exit_code != 0
        assert problem in said.err, said.err
    assert acme("oidc", "show", *TENANT).data["provider"] is None
