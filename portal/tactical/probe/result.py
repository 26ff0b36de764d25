"""What a connection test reports: step by step, and in the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from portal.errors import PortalError
from portal.tactical.reading.listings import BrokenSite

STEP_TITLES = {
    "address": "Address",
    "tls": "Encryption (TLS)",
    "api_host": "Tactical's API host",
    "credentials": "Credentials",
    "clients": "May list clients",
    "sites": "May list sites",
    "agents": "May list agents",
    "alerts": "May list alerts",
    "software": "May list software",
    "beta": "Beta API",
    "version": "Server version",
}
RUNNING, OK, NOTE, FAILED, SKIPPED = "running", "ok", "note", "failed", "skipped"

StepOutcome = tuple[str, str]
"""State and message of a step that did not fail."""


@dataclass(frozen=True, slots=True)
class Step:
    """`state` is running, ok, note, failed or skipped; with a note the syncs go on."""

    name: str
    title: str
    state: str
    message: str = ""
    fault: str | None = None
    field: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """`organizations` are (pk, name) and `agent_ids` all that the credentials show.

    `restricted` and `server_version` are None where they are not known.
    """

    ok: bool
    message: str
    fault: str | None = None
    field: str | None = None
    steps: tuple[Step, ...] = ()
    beta_api: bool | None = None
    restricted: bool | None = None
    server_version: str | None = None
    organizations: tuple[tuple[int, str], ...] = ()
    agent_ids: frozenset[str] = frozenset()
    alerts: int | None = None
    """How many stand on Tactical's dashboard: active, not snoozed, not hidden."""
    broken_sites: tuple[BrokenSite, ...] = ()

    @classmethod
    def failed(cls, error: PortalError, steps: tuple[Step, ...] = ()) -> ProbeResult:
        return cls(
            ok=False,
            message=error.message,
            fault=getattr(error, "fault", "failed"),
            field=getattr(error, "field", None),
            steps=steps,
        )


Show = Callable[[Step], None]
