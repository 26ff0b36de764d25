"""Whether the provider asked a person for as much as the tenant requires."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portal.models import Membership, OidcProvider
from portal.services.accounts.second_factors.requirement import is_required
from portal.services.oidc.groups import NoAccess


class NoSecondFactor(NoAccess):
    """Nobody but the provider can ask for one: a session of it opens no account."""


def check_strength(provider: OidcProvider, place: Membership, claims: Mapping[str, Any]) -> None:
    """Raises NoSecondFactor where one is required of the place and the token does not tell of one:
    what is not told was a password alone. A provider of which nothing is expected answers for it
    by its own rules."""
    wanted = provider.second_factor_words.split()
    if not wanted or not is_required(place.tenant, place.role):
        return
    told = _read_words(claims)
    if not set(wanted) & set(told):
        said = f"it tells of {', '.join(told)[:200]}" if told else "it tells nothing of it"
        raise NoSecondFactor(
            f"{place.user.email} needs a second factor, and the token does not say that the "
            f"provider asked for one ({said}; expected: {' or '.join(wanted)})"
        )


def _read_words(claims: Mapping[str, Any]) -> list[str]:
    """Of `amr`, a list, and `acr`, a word (OpenID Connect Core, section 2)."""
    methods = claims.get("amr")
    told = [*(methods if isinstance(methods, list) else [methods]), claims.get("acr")]
    return [word for word in told if isinstance(word, str) and word.isprintable()]
