"""What a person enters about an identity provider, made fit to keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from portal.errors import InvalidInput
from portal.services.accounts.permissions import ROLES
from portal.services.text import clean_line

SECRET = "client_secret"  # noqa: S105  # the name of a field
LONGEST = 1000
LONGEST_SECRET = 4096
MOST_GROUPS = 100


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """As entered. `client_secret`: None keeps what is saved. `default_role`: empty for no entry."""

    issuer: str
    client_id: str
    client_secret: str | None = None
    scopes: str = ""
    groups_claim: str = ""
    group_roles: Mapping[str, str] = field(default_factory=dict)
    default_role: str = ""
    second_factor_words: str = "mfa"
    required: bool = False


def clean(wanted: ProviderSettings) -> ProviderSettings:
    secret = (wanted.client_secret or "").strip() or None
    if secret is not None and (len(secret) > LONGEST_SECRET or not secret.isprintable()):
        raise InvalidInput("This cannot be a client secret.", field=SECRET)
    claim = wanted.groups_claim.strip()
    if len(claim) > LONGEST or not claim.isprintable():
        raise InvalidInput("Enter the name of the claim, such as groups.", field="groups_claim")
    roles = _clean_groups(wanted.group_roles)
    if roles and not claim:
        raise InvalidInput(
            "Enter the name of the claim that lists the groups.", field="groups_claim"
        )
    if wanted.default_role and wanted.default_role not in ROLES:
        raise InvalidInput("Choose a role, or no entry.", field="default_role")
    return ProviderSettings(
        issuer=_clean_issuer(wanted.issuer),
        client_id=_clean_client_id(wanted.client_id),
        client_secret=secret,
        scopes=_clean_scopes(wanted.scopes),
        groups_claim=claim,
        group_roles=roles,
        default_role=wanted.default_role,
        second_factor_words=_clean_words(wanted.second_factor_words),
        required=wanted.required,
    )


def _clean_issuer(text: str) -> str:
    """As it will be compared: letter by letter. Where it leads is checked at each call."""
    url = text.strip()
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    is_plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= LONGEST
    if parts.scheme not in ("https", "http") or not parts.hostname or not is_plain:
        raise InvalidInput(
            "Enter the provider's issuer, an address such as https://login.example.com.",
            field="issuer",
        )
    if parts.query or parts.fragment or parts.username is not None or "?" in url or "#" in url:
        raise InvalidInput(
            "An issuer has no user name, no question mark and no number sign.", field="issuer"
        )
    return url


def _clean_client_id(text: str) -> str:
    client_id = clean_line(text, "client_id", "the client ID that the provider gave the portal")
    if not client_id.isascii() or len(client_id) > LONGEST:
        raise InvalidInput("This cannot be a client ID.", field="client_id")
    return client_id


def _clean_scopes(text: str) -> str:
    """Without `openid`, which is always asked for."""
    scopes = " ".join(word for word in dict.fromkeys(text.split()) if word != "openid")
    if len(scopes) > LONGEST or not scopes.isascii() or not scopes.isprintable():
        raise InvalidInput("Enter scopes with spaces between them.", field="scopes")
    return scopes


def _clean_words(text: str) -> str:
    words = " ".join(dict.fromkeys(text.split()))
    if len(words) > LONGEST or not words.isprintable():
        raise InvalidInput(
            "Enter values of amr or acr with spaces between them.", field="second_factor_words"
        )
    return words


def _clean_groups(given: Mapping[str, str]) -> dict[str, str]:
    roles = {name.strip(): role for name, role in given.items() if name.strip()}
    if len(roles) > MOST_GROUPS:
        raise InvalidInput(f"Enter at most {MOST_GROUPS} groups.", field="group_roles")
    for name, role in roles.items():
        if len(name) > LONGEST or not name.isprintable():
            raise InvalidInput("A name of a group cannot be used.", field="group_roles")
        if role not in ROLES:
            raise InvalidInput(f"Choose a role for the group {name}.", field="group_roles")
    return roles
