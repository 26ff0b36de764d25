"""Somebody comes back from the identity provider: who it is, and what comes of it.

Whatever goes wrong is a row of the tenant's audit trail, with the reason; the page says less.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from portal.db import transaction
from portal.egress import slot_in_request
from portal.errors import Refused, SecretUnreadable
from portal.models import OidcFlow, OidcProvider
from portal.models.oidc.identity import FlowPurpose
from portal.scope import get_tenant_id
from portal.services.accounts.throttle import Caller, attempt
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record
from portal.services.oidc import flows
from portal.services.oidc.calls import Patience, ProviderFailed
from portal.services.oidc.discovery import Endpoints
from portal.services.oidc.exchange import Code, exchange
from portal.services.oidc.flows import FlowGone
from portal.services.oidc.groups import NoAccess
from portal.services.oidc.outcomes import Arrival, Visitor, join, link, prove, sign_in
from portal.services.oidc.settings import find_provider
from portal.services.oidc.strength import NoSecondFactor
from portal.services.oidc.tokens import TokenRefused


class NotSignedIn(Refused):
    """What went wrong is between us and the provider."""

    def __init__(self) -> None:
        super().__init__(
            "The sign-in with your company did not work. Try again. If it fails again, ask an "
            "owner of your tenant: its audit trail says why."
        )


class NotLetIn(Refused):
    """The provider knows the person, the tenant does not let them in."""

    def __init__(self) -> None:
        super().__init__(
            "Your company knows you, but you have no access here. Ask an owner of your tenant, "
            "whose audit trail says why."
        )


class NotEnough(Refused):
    """The tenant requires a second factor, and the provider tells of none."""

    def __init__(self) -> None:
        super().__init__(
            "This tenant requires a second factor, and your company did not say that it asked you "
            "for one. Set one up there and sign in again. If you have used one, ask an owner of "
            "your tenant: its audit trail says what your company answered."
        )


class _Rejected(Exception):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Returned:
    """What the browser brought, empty where it brought none. `callback`: where it came to."""

    state: str
    code: str
    error: str
    issuer: str
    browser: str
    callback: str


def arrive(back: Returned, visitor: Visitor, caller: Caller) -> Arrival:
    """Of the scope's tenant. Raises FlowGone, NotSignedIn, NotLetIn, NotEnough, TooManyAttempts,
    and NoSlotFree, upon which the same may be tried again at once."""
    with attempt(caller), _recorded(None):
        flow = flows.find(back.state, back.browser)
    with slot_in_request(get_tenant_id()), attempt(caller), _recorded(flow.purpose):
        flows.take(flow)
        provider = find_provider()
        _check_return(flow, provider, back)
        assert provider is not None
        claims = exchange(provider, _read_code(back), Patience())
        return _conclude(flow, claims, visitor, caller)


def _check_return(flow: OidcFlow, provider: OidcProvider | None, back: Returned) -> None:
    """Raises _Rejected."""
    if provider is None or not provider.enabled or provider.endpoints is None:
        raise _Rejected("Single sign-on was switched off meanwhile.")
    if (provider.issuer, provider.client_id) != (flow.issuer, flow.client_id):
        raise _Rejected("Another provider was entered meanwhile.")
    endpoints = Endpoints(**provider.endpoints)
    if back.issuer != provider.issuer and (back.issuer or endpoints.names_itself):
        raise _Rejected("The answer came from another provider, or does not say from which.")
    if back.error:
        raise _Rejected(f"The provider answered: {back.error[:100]}.")
    if not back.code:
        raise _Rejected("The provider sent no code.")


def _read_code(back: Returned) -> Code:
    return Code(
        code=back.code,
        verifier=flows.make_verifier(back.browser, back.state),
        nonce=flows.make_nonce(back.browser, back.state),
        callback=back.callback,
    )


def _conclude(flow: OidcFlow, claims: dict[str, Any], visitor: Visitor, caller: Caller) -> Arrival:
    if flow.purpose is FlowPurpose.SIGN_IN:
        return sign_in(flow, claims, caller)
    if flow.purpose is FlowPurpose.JOIN:
        return join(flow, claims, caller)
    if flow.purpose is FlowPurpose.LINK:
        return link(flow, claims, visitor)
    return prove(flow, claims, visitor)


@contextmanager
def _recorded(purpose: FlowPurpose | None) -> Iterator[None]:
    """What goes wrong in the block, as a row, and in the words of the page."""
    try:
        yield
    except FlowGone:
        _record("They came back without a sign-in that was begun in the same browser.", purpose)
        raise
    except _Rejected as error:
        _record(error.reason, purpose)
        raise NotSignedIn from error
    except (ProviderFailed, SecretUnreadable) as error:
        _record(error.message, purpose)
        raise NotSignedIn from error
    except TokenRefused as error:
        _record(f"The token was refused: {error.reason}.", purpose)
        raise NotSignedIn from error
    except NoSecondFactor as error:
        _record(f"No access: {error.reason}.", purpose)
        raise NotEnough from error
    except NoAccess as error:
        _record(f"No access: {error.reason}.", purpose)
        raise NotLetIn from error


def _record(reason: str, purpose: FlowPurpose | None) -> None:
    after = {"by": "identity provider", "purpose": str(purpose or "unknown"), "reason": reason}
    with transaction():
        record(Action.SIGN_IN_FAILED, Target("user"), after=after)
