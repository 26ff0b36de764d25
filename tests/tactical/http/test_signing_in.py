"""User name, password and one-time code against a server: which calls, and how often."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from portal.tactical.errors import (
    InactiveUser,
    LoginThrottled,
    ServerError,
    TotpNeeded,
    TotpSecretWrong,
    TotpWrong,
    WrongPassword,
)
from tactical_simulator import SimulatedTactical
from tests.tactical.accounts import CHECK, LOGIN, VERSION, Vault, code, paths, refusal
from tests.tactical.talking import admin, api_user, talking


@pytest.fixture
def vault() -> Vault:
    return Vault()


# --- Without TOTP ---------------------------------------------------------------------------


def test_a_user_without_totp_never_calls_login(tactical: SimulatedTactical, vault: Vault) -> None:
    with vault.open(tactical, api_user(tactical)) as api:
        for _ in range(3):
            api.keep_alive()

    assert paths(tactical) == [CHECK, VERSION, VERSION, VERSION]
    assert vault.history == [vault.token]


def test_the_first_use_makes_five_hours_of_three_minutes(
    tactical: SimulatedTactical, vault: Vault
) -> None:
    with vault.open(tactical, api_user(tactical)) as api:
        api.keep_alive()

    (token,) = tactical.control.access.tokens()
    assert token["seconds_left"] > 4.9 * 3600


def test_a_kept_token_is_used_without_a_new_sign_in(
    tactical: SimulatedTactical, vault: Vault
) -> None:
    with vault.open(tactical, api_user(tactical)) as api:
        api.keep_alive()
    tactical.control.log.clear()

    for given in (None, vault.token):
        with vault.open(tactical, api_user(tactical, token=given)) as api:
            api.keep_alive()

    assert paths(tactical) == [VERSION, VERSION]


def test_keeping_alive_keeps_a_token_for_ever(tactical: SimulatedTactical, vault: Vault) -> None:
    with vault.open(tactical, admin(tactical, totp_code=code(tactical))) as api:
        api.keep_alive()
        for _ in range(10):
            tactical.control.server.advance(4.8 * 3600)
            api.keep_alive()

    assert paths(tactical).count(CHECK) == 1


# --- With TOTP ------------------------------------------------------------------------------


def test_a_code_may_hold_blanks(tactical: SimulatedTactical, vault: Vault) -> None:
    now = code(tactical)
    with vault.open(tactical, admin(tactical, totp_code=f" {now[:3]} {now[3:]}\t\n")) as api:
        api.keep_alive()

    assert paths(tactical) == [CHECK, LOGIN, VERSION]


def in_fours(text: str) -> str:
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


@pytest.mark.parametrize("written", [str.lower, in_fours])
def test_a_secret_makes_codes_as_often_as_needed(
    tactical: SimulatedTactical, vault: Vault, written: Callable[[str], str]
) -> None:
    secret = "JBSWY3DPEHPK3PXPJBSWY3DP"
    tactical.control.access.edit_user("admin", totp_secret=secret)
    with vault.open(tactical, admin(tactical, totp_secret=written(secret))) as api:
        for _ in range(3):
            api.keep_alive()
            tactical.control.access.revoke_tokens()

    assert paths(tactical).count(LOGIN) == 3


def test_a_one_time_code_is_spent_once(tactical: SimulatedTactical, vault: Vault) -> None:
    with vault.open(tactical, admin(tactical, totp_code=code(tactical))) as api:
        api.keep_alive()
        tactical.control.access.revoke_tokens()
        with pytest.raises(TotpNeeded):
            api.keep_alive()

    assert paths(tactical).count(LOGIN) == 1
    assert vault.token is None


def test_after_the_code_the_secret_takes_over(tactical: SimulatedTactical, vault: Vault) -> None:
    both = admin(tactical, totp_code=code(tactical), totp_secret=tactical.credentials.totp_secret)
    with vault.open(tactical, both) as api:
        api.keep_alive()
        tactical.control.access.revoke_tokens()
        api.keep_alive()

    assert paths(tactical).count(LOGIN) == 2


# --- Refusals -------------------------------------------------------------------------------


def test_a_wrong_password_is_not_tried_again(tactical: SimulatedTactical) -> None:
    tactical.control.access.edit_user("apiuser", password="changed")

    error = refusal(tactical, api_user(tactical))

    assert isinstance(error, WrongPassword)
    assert not error.retryable
    assert paths(tactical) == [CHECK]


@pytest.mark.parametrize("user", [{"block_dashboard_login": True}, {"sso": True}])
def test_a_user_who_may_not_sign_in_is_told_to_use_a_key(
    tactical: SimulatedTactical, user: dict[str, bool]
) -> None:
    tactical.control.access.edit_user("apiuser", **user)

    error = refusal(tactical, api_user(tactical))

    assert isinstance(error, WrongPassword)
    assert "API key" in error.message


def test_without_any_code_one_is_asked_for(tactical: SimulatedTactical) -> None:
    error = refusal(tactical, admin(tactical))

    assert isinstance(error, TotpNeeded)
    assert (error.fault, error.field) == ("totp_needed", "totp_code")
    assert paths(tactical) == [CHECK]  # a `twofactor` that is missing would be a 500


def test_a_wrong_code_is_a_wrong_code(tactical: SimulatedTactical) -> None:
    error = refusal(tactical, admin(tactical, totp_code="000 000"))

    assert isinstance(error, TotpWrong)
    assert (error.fault, error.field) == ("totp_wrong", "totp_code")
    assert paths(tactical) == [CHECK, LOGIN]


@pytest.mark.parametrize("secret", ["JBSWY3DPEHPK3PXP", "no base 32 !", "1"])
def test_a_wrong_secret_marks_its_own_field(tactical: SimulatedTactical, secret: str) -> None:
    error = refusal(tactical, admin(tactical, totp_secret=secret))

    assert isinstance(error, TotpSecretWrong)
    assert (error.fault, error.field) == ("totp_wrong", "totp_secret")


def test_a_throttled_sign_in_is_reported_at_once(tactical: SimulatedTactical) -> None:
    """Never waited for: the wait may be a day, and each try counts."""
    tactical.control.access.edit_user("apiuser", password="changed")
    for _ in range(10):
        refusal(tactical, api_user(tactical))
    slept: list[float] = []

    with (
        talking(tactical, api_user(tactical), sleep=slept.append) as api,
        pytest.raises(LoginThrottled) as caught,
    ):
        api.keep_alive()

    assert 1 <= caught.value.seconds <= 60
    assert caught.value.fault == "login_throttled"
    assert "1 minute" in caught.value.message
    assert slept == []
    assert paths(tactical).count(CHECK) == 11


def test_a_failing_sign_in_is_not_tried_again(tactical: SimulatedTactical) -> None:
    tactical.control.faults.add("status", CHECK, status=500, times=None)

    assert isinstance(refusal(tactical, api_user(tactical)), ServerError)
    assert paths(tactical) == [CHECK]


def test_an_inactive_user_with_a_live_token_is_told_so(
    tactical: SimulatedTactical, vault: Vault
) -> None:
    with vault.open(tactical, api_user(tactical)) as api:
        api.keep_alive()
    tactical.control.access.edit_user("apiuser", active=False)
    tactical.control.log.clear()

    error = refusal(tactical, api_user(tactical, token=vault.token), vault)

    assert isinstance(error, InactiveUser)
    assert error.field == "username"
    assert paths(tactical) == [VERSION]
