"""What an identity provider says of itself: its addresses and its public keys, both checked."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

from portal.services.audit.values import clean_text
from portal.services.oidc.calls import Patience, ProviderFailed, get_json
from portal.services.oidc.tokens import ALGORITHMS, find_usable

WELL_KNOWN = "/.well-known/openid-configuration"
LONGEST_URL = 1000
MOST_KEYS = 50
BASIC, POST = "client_secret_basic", "client_secret_post"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """`authentication`: how the token endpoint wants the client's secret, BASIC or POST.
    `names_itself`: whether what comes back by the browser must name the issuer (RFC 9207)."""

    authorization: str
    token: str
    keys: str
    authentication: str
    names_itself: bool

    def to_row(self) -> dict[str, Any]:
        return asdict(self)


def discover(issuer: str, patience: Patience) -> Endpoints:
    """Raises ProviderFailed, with what is wrong."""
    found = get_json(issuer.rstrip("/") + WELL_KNOWN, patience)
    if found.get("issuer") != issuer:
        told = clean_text(str(found.get("issuer", "no issuer"))[:200])
        raise ProviderFailed(
            f"The provider calls itself {told}, and not {issuer}. Enter its issuer exactly as it "
            "spells it; a slash at the end counts."
        )
    _check_abilities(found)
    return Endpoints(
        authorization=_read_url(found, "authorization_endpoint", issuer),
        token=_read_url(found, "token_endpoint", issuer),
        keys=_read_url(found, "jwks_uri", issuer),
        authentication=_choose_authentication(found),
        names_itself=found.get("authorization_response_iss_parameter_supported") is True,
    )


def fetch_keys(url: str, patience: Patience) -> list[dict[str, Any]]:
    """The usable ones. Raises ProviderFailed when there is none."""
    told = get_json(url, patience).get("keys")
    keys = find_usable(told[:MOST_KEYS] if isinstance(told, list) else None)
    if not keys:
        raise ProviderFailed(
            "The provider publishes no key that the portal can use. It must sign by one of "
            f"{', '.join(ALGORITHMS)}, with RSA keys of at least 2048 bits."
        )
    return keys


def _check_abilities(found: dict[str, Any]) -> None:
    signs = found.get("id_token_signing_alg_values_supported")
    if isinstance(signs, list) and not set(map(str, signs)) & set(ALGORITHMS):
        raise ProviderFailed(f"The provider signs tokens by none of {', '.join(ALGORITHMS)}.")
    answers = found.get("response_types_supported")
    if isinstance(answers, list) and "code" not in answers:
        raise ProviderFailed("The provider does not support the authorization code flow.")
    proofs = found.get("code_challenge_methods_supported")
    if isinstance(proofs, list) and "S256" not in proofs:
        raise ProviderFailed("The provider does not support PKCE with S256.")


def _choose_authentication(found: dict[str, Any]) -> str:
    """BASIC where nothing is said: so OpenID Connect has it."""
    ways = found.get("token_endpoint_auth_methods_supported")
    if not isinstance(ways, list) or BASIC in ways:
        return BASIC
    if POST in ways:
        return POST
    raise ProviderFailed("The provider does not take a client secret at its token endpoint.")


def _read_url(found: dict[str, Any], name: str, issuer: str) -> str:
    url = found.get(name)
    if not isinstance(url, str) or len(url) > LONGEST_URL or not _is_address(url):
        raise ProviderFailed(f"The provider tells no usable {name}.")
    if urlsplit(issuer).scheme == "https" and urlsplit(url).scheme != "https":
        raise ProviderFailed(f"The provider's {name} does not begin with https://.")
    return url


def _is_address(url: str) -> bool:
    """One that a browser can be sent to as well."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna")
        is_reachable = bool(host) and parts.port != 0  # reading the port checks it
    except ValueError:
        return False
    is_plain = url.isascii() and url.isprintable() and " " not in url
    is_web = parts.scheme in ("https", "http") and is_reachable
    return is_plain and is_web and not parts.username and not parts.fragment
