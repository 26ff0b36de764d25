"""Trying the identity provider out: discovery, keys, the client's secret."""

from __future__ import annotations

from portal.clock import utc_now
from portal.db import transaction
from portal.errors import SecretUnreadable
from portal.models import Errand
from portal.models.errands.errand import ErrandKind
from portal.services.audit.actions import Action
from portal.services.audit.record import record
from portal.services.errands.requests import add_errand, enqueue_errand
from portal.services.oidc.calls import Patience, ProviderFailed
from portal.services.oidc.discovery import discover, fetch_keys
from portal.services.oidc.exchange import keep_learnt, probe_secret
from portal.services.oidc.settings import find_provider, get_provider, target

SECONDS = 30.0
"""A worker waits, not a person's request."""
PASSED = "The identity provider works. People can sign in with it."


def request_test(callback: str) -> Errand:
    """Have a worker do it. Raises NotFound and TooManyWaiting."""
    with transaction() as session:
        provider = get_provider()
        errand = add_errand(
            session,
            ErrandKind.TEST_PROVIDER,
            "Test the identity provider",
            {"callback": callback, "issuer": provider.issuer, "client_id": provider.client_id},
        )
        record(Action.OIDC_TESTED, target(provider))
    enqueue_errand(errand)
    return errand


def test_now(callback: str) -> str | None:
    """At the command line: what is wrong, None when nothing is. Raises NotFound."""
    with transaction():
        record(Action.OIDC_TESTED, target(get_provider()))
    return test_provider(callback)


def test_provider(callback: str) -> str | None:
    """What is wrong, None when nothing is. Raises NotFound."""
    provider, patience = get_provider(), Patience(SECONDS)
    issuer, client_id = provider.issuer, provider.client_id
    problem = None
    try:
        endpoints = discover(issuer, patience)
        keys = fetch_keys(endpoints.keys, patience)
        probe_secret(endpoints, provider, callback, patience)
        keep_learnt(issuer, endpoints, keys)
    except (ProviderFailed, SecretUnreadable) as error:
        problem = error.message
    with transaction():
        row = find_provider()
        if row is not None and (row.issuer, row.client_id) == (issuer, client_id):
            row.problem, row.tested_at = problem, utc_now()
    return problem
