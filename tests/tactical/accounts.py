"""Signing in to a simulated server: the token that processes share, and what was asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pyotp
import pytest

from portal.tactical.api import Tactical
from portal.tactical.errors import TacticalError
from portal.tactical.http.knox import TokenStore
from portal.tactical.http.session import Credentials
from tactical_simulator import SimulatedTactical
from tests.tactical.talking import talking

CHECK, LOGIN, VERSION = "/v2/checkcreds/", "/v2/login/", "/core/version/"


class Vault(TokenStore):
    """The token as processes share it, and everything that was ever kept."""

    def __init__(self, token: str | None = None) -> None:
        self.token = token
        self.history: list[str | None] = []

    def keep(self, token: str | None) -> None:
        self.token = token
        self.history.append(token)

    def find(self) -> str | None:
        return self.token

    @contextmanager
    def open(
        self, server: SimulatedTactical, credentials: Credentials, **options: object
    ) -> Iterator[Tactical]:
        with talking(server, credentials, tokens=self, **options) as api:
            yield api


def paths(server: SimulatedTactical) -> list[str]:
    return [entry.path for entry in server.control.log.entries()]


def code(server: SimulatedTactical) -> str:
    return pyotp.TOTP(server.credentials.totp_secret).now()


def refusal(
    server: SimulatedTactical, credentials: Credentials, vault: Vault | None = None
) -> TacticalError:
    with (
        (vault or Vault()).open(server, credentials) as api,
        pytest.raises(TacticalError) as caught,
    ):
        api.keep_alive()
    return caught.value
