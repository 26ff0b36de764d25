"""A simulated server, running in threads of this process."""

from __future__ import annotations

from types import TracebackType
from typing import Literal, Self

from tactical_simulator.app import create_tactical, state_of
from tactical_simulator.control import Control
from tactical_simulator.fleet.fleet import FleetSpec
from tactical_simulator.seeding import Credentials, seed_accounts, seed_alerts
from tactical_simulator.transport.server import Server
from tactical_simulator.transport.tls import make_certificate, server_context

Tls = Literal["self-signed", "expired", "other-host"]


class SimulatedTactical:
    """Serves from the moment it is made until `stop()`; also a context manager.

    `control` changes it, `control.truth` tells what is so. `credentials` hold the API key and
    the two users. With `tls`, `certificate` is the PEM to trust.
    """

    def __init__(
        self,
        fleet: FleetSpec | None = None,
        *,
        credentials: Credentials | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: Tls | None = None,
    ) -> None:
        self.fleet = fleet or FleetSpec()
        self.credentials = credentials or Credentials()
        self.app = create_tactical(self.fleet)
        self.state = state_of(self.app)
        self.control = Control(self.state)
        seed_accounts(self.state, self.credentials)
        seed_alerts(self.state, self.fleet.alerts)
        context, self.certificate = None, b""
        if tls is not None:
            days, name = (-1 if tls == "expired" else 30), "localhost"
            name = "rmm.example.com" if tls == "other-host" else name
            self.certificate, key = make_certificate(days, name)
            context = server_context(self.certificate, key)
        self._server = Server(self.app, host, port, context)
        self.port = self._server.server_port
        self.url = f"{'https' if tls else 'http'}://{host}:{self.port}"
        self._server.start()

    @property
    def api_key(self) -> str:
        return self.credentials.api_key

    def stop(self) -> None:
        self.state.stopping.set()
        self._server.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
