"""Networks of a tenant by command."""

from __future__ import annotations

from tests.cli.conftest import Portal


def test_a_network_is_opened_listed_and_closed(acme: Portal) -> None:
    said = acme("tenants", "allow-network", "acme", "10.20.1.1/16", "--json")
    assert said.data == {"ok": True, "tenant": "acme", "network": "10.20.0.0/16"}
    assert acme("tenants", "list-networks", "acme").out.splitlines() == ["10.20.0.0/16"]
    closed = acme("tenants", "withdraw-network", "acme", "10.20.0.0/16")
    assert closed.exit_code == 0
    assert "cannot connect" in closed.out
    assert acme("tenants", "list-networks", "acme", "--json").data["networks"] == []


def test_what_cannot_be_opened_is_named(acme: Portal) -> None:
    for network, words in (
        (
            "127.0.0.0/8",
            "To open it to every tenant of this install, add it to PORTAL_EGRESS_ALLOW",
        ),
        ("169.254.169.254", "cloud metadata"),
        ("inside.example", "'inside.example' is not a network"),
    ):
        said = acme("tenants", "allow-network", "acme", network, "--json")
        assert said.exit_code == 1
        assert words in said.data["message"]
    assert acme("tenants", "allow-network", "nobody", "10.0.0.0/8").exit_code == 1
    assert acme("tenants", "withdraw-network", "acme", "10.0.0.0/8").exit_code == 1
