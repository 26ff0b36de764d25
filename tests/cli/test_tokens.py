"""`portal tokens`: what a program shows is printed once, and nowhere again."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import TENANT, Portal

HERE = TENANT[:2]


def test_a_token_is_printed_once_and_only_its_digest_kept(acme: Portal, folder: Path) -> None:
    said = acme("tokens", "add", "Power BI", "--scope", "read", "--from", "10.1.2.3/16", *TENANT)
    made = said.data
    token = made.pop("token")

    assert (said.exit_code, said.err, made.pop("ok")) == (0, "", True)
    assert token.startswith("rmmp_")
    assert (made["ending"], made["scopes"], made["networks"]) == (
        token[-4:],
        ["read"],
        ["10.1.0.0/16"],
    )
    listed = acme("tokens", "list", *TENANT)
    assert listed.data == {"ok": True, "tokens": [made]}
    assert token not in acme("tokens", "list", *HERE).out
    assert token.encode() not in (folder / "portal.db").read_bytes()


def test_without_json_the_token_stands_alone_on_its_line(acme: Portal) -> None:
    said = acme("tokens", "add", "Reports", "--scope", "read", "--scope", "audit", *HERE)
    token, note = said.out.splitlines()

    assert token.startswith("rmmp_")
    assert note.startswith("This token is shown only once.")
    assert "Reports" in acme("tokens", "list", *HERE).out


def test_a_token_is_revoked_by_its_name_once(acme: Portal) -> None:
    acme("tokens", "add", "Reports", "--scope", "read", *TENANT)

    assert acme("tokens", "revoke", "Reports", *TENANT).data == {"ok": True, "name": "Reports"}
    assert acme("tokens", "list", *TENANT).data["tokens"] == []
    again = acme("tokens", "revoke", "Reports", *HERE)
    assert (again.exit_code, "There is no such token" in again.err) == (1, True)


def test_what_cannot_be_used_makes_no_token(acme: Portal) -> None:
    acme("tokens", "add", "Reports", "--scope", "read", *TENANT)
    for words, problem in (
        (("Reports", "--scope", "read"), "There is a token named Reports already"),
        (("Other", "--scope", "read", "--from", "home"), "'home' is not a network"),
        (("Other", "--scope", "read", "--client", "Nobody"), "There is no client named Nobody"),
        (("Other", "--scope", "write"), "'write' is not one of"),
        (("Other", "--scope", "read", "--days", "9999"), "9999 is not in the range"),
        (("Other",), "Missing option '--scope'"),
    ):
        said = acme("tokens", "add", *words, *HERE)
        assert said.exit_code != 0
        assert problem in said.err, said.err
    assert len(acme("tokens", "list", *TENANT).data["tokens"]) == 1
