"""`portal keys` as an operator calls it."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Portal

pytestmark = pytest.mark.one_database


def test_keys_are_listed_rotated_and_removed(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PORTAL_ENCRYPTION_KEYS")
    portal("tenants", "add", "Acme", "--slug", "acme")
    portal("connect", "--tenant", "acme", "--url", "https://127.0.0.1:1", "--api-key-stdin",
           stdin="THE-API-KEY\n")  # fmt: skip
    assert "k1" in portal("keys", "list").out
    rotated = portal("keys", "rotate", "--json").data
    assert rotated == {
        "ok": True,
        "key": "k2",
        "new": True,
        "moved": 2,
        "unreadable": 0,
        "digests": 0,
    }
    # The keys of the digests and of the audit trail, made on the way, hang on the new one as well.
    listed = portal("keys", "list").out.splitlines()
    assert [line.split() for line in listed] == [
        ["k2", "4", "secrets", "encrypts"],
        ["k1", "0", "secrets", "can", "be", "removed"],
    ]
    assert portal("keys", "remove", "k1").out == "Removed the key k1.\n"
    refused = portal("keys", "remove", "k2")
    assert refused.exit_code == 1
    assert (
        refused.err == "portal: k2 is the current encryption key. Only older keys can be removed.\n"
    )
