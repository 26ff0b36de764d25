"""Tokens that die, that another process made, and that are given back."""

from __future__ import annotations

import pytest

from portal.tactical.errors import TacticalError
from tactical_simulator import SimulatedTactical
from tests.tactical.accounts import CHECK, VERSION, Vault, paths, refusal
from tests.tactical.talking import api_user, talking


@pytest.fixture
def vault() -> Vault:
    return Vault()


def test_a_dead_token_is_replaced_by_one_sign_in(tactical: SimulatedTactical, vault: Vault) -> None:
    with vault.open(tactical, api_user(tactical)) as api:
        api.keep_alive()
        dead = vault.token
        tactical.control.server.advance(6 * 3600)
        tactical.control.log.clear()
        assert len(api.list_agent_pks()) == 24

    assert paths(tactical) == ["/agents/", CHECK, "/agents/"]
    assert vault.history == [dead, None, vault.token]
    assert vault.token not in (None, dead)


def test_a_token_of_another_process_saves_the_sign_in(
    tactical: SimulatedTactical, vault: Vault
) -> None:
    with vault.open(tactical, api_user(tactical)) as api:
        api.keep_alive()
    tactical.control.log.clear()

    with vault.open(tactical, api_user(tactical, token="0" * 64)) as api:
        api.keep_alive()

    assert paths(tactical) == [VERSION, VERSION]


def test_a_dead_token_of_another_process_does_not_stop_us(
    tactical: SimulatedTactical, vault: Vault
) -> None:
    vault.token = "1" * 64
    with vault.open(tactical, api_user(tactical, token="0" * 64)) as api:
        api.keep_alive()
        api.keep_alive()

    assert paths(tactical) == [VERSION, VERSION, CHECK, VERSION, VERSION]


def test_a_request_signs_in_once_however_it_goes(tactical: SimulatedTactical, vault: Vault) -> None:
    """Else a server that refuses every token would use the throttle up."""
    body = {"detail": "Invalid token."}
    tactical.control.faults.add("json", VERSION, status=401, body=body, times=None)

    error = refusal(tactical, api_user(tactical), vault)

    assert isinstance(error, TacticalError)
    assert paths(tactical).count(CHECK) <= 1


def test_no_sign_in_for_each_try_of_a_request(tactical: SimulatedTactical, vault: Vault) -> None:
    """A server that fails and forgets by turns gets one sign-in for one request."""
    with vault.open(tactical, api_user(tactical)) as api:
        api.keep_alive()
        tactical.control.access.revoke_tokens()
        tactical.control.log.clear()
        tactical.control.faults.add("status", VERSION, status=502, after=1, times=1)
        tactical.control.faults.add(
            "json", VERSION, status=401, body={"detail": "Invalid token."}, after=2, times=None
        )
        with pytest.raises(TacticalError):
            api.keep_alive()

    assert paths(tactical).count(CHECK) == 1


# --- Signing out ----------------------------------------------------------------------------


def test_signing_out_ends_the_token(tactical: SimulatedTactical, vault: Vault) -> None:
    with vault.open(tactical, api_user(tactical)) as api:
        api.keep_alive()
        api.log_out()
        api.log_out()

    assert tactical.control.access.tokens() == []
    assert vault.token is None
    assert paths(tactical).count("/logout/") == 1


def test_signing_out_of_a_dead_token_is_no_error(tactical: SimulatedTactical, vault: Vault) -> None:
    with vault.open(tactical, api_user(tactical, token="0" * 64)) as api:
        api.log_out()

    assert vault.history == [None]


def test_a_key_has_nothing_to_sign_out_of(tactical: SimulatedTactical) -> None:
    with talking(tactical, tactical.api_key) as api:
        api.log_out()

    assert paths(tactical) == []
