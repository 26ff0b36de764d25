"""Talking to a simulated Tactical server over real HTTP, without ever sleeping."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from typing import Any

from portal.egress import EgressPolicy, Gateway
from portal.tactical.agents.walk import BetaWalk, DashboardWalk
from portal.tactical.api import Tactical
from portal.tactical.http.session import ApiKey, Credentials, Password, TacticalSession
from portal.tactical.records import BadRecord, TacticalAgent
from tactical_simulator import SimulatedTactical

LOOPBACK = EgressPolicy([ip_network("127.0.0.0/8")])


@contextmanager
def talking(
    server: SimulatedTactical | str, credentials: Credentials | str, **options: Any
) -> Iterator[Tactical]:
    """`credentials`: a text is an API key. `options` are those of TacticalSession."""
    if isinstance(credentials, str):
        credentials = ApiKey(credentials)
    url = server if isinstance(server, str) else server.url
    gateway = Gateway(LOOPBACK)
    options.setdefault("sleep", lambda _seconds: None)
    try:
        yield Tactical(TacticalSession(url, credentials, gateway, **options))
    finally:
        gateway.close()


def api_user(server: SimulatedTactical, **options: Any) -> Password:
    """The user without TOTP."""
    known = server.credentials
    return Password(known.api_user, known.api_password, **options)


def admin(server: SimulatedTactical, **options: Any) -> Password:
    """The user with TOTP."""
    return Password(server.credentials.admin, server.credentials.admin_password, **options)


def agents_of(walk: BetaWalk | DashboardWalk) -> tuple[list[TacticalAgent], list[BadRecord]]:
    """All that the walk gave, told apart."""
    agents: list[TacticalAgent] = []
    bad: list[BadRecord] = []
    with walk.pages() as pages:
        for page in pages:
            for each in page.agents:
                if isinstance(each, BadRecord):
                    bad.append(each)
                else:
                    agents.append(each)
    return agents, bad
