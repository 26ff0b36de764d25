"""The connection test: one step after the other, each with its own word for what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from portal.egress import Answer, EgressError
from portal.errors import PortalError
from portal.tactical.api import Inventory, Tactical
from portal.tactical.errors import (
    BetaOff,
    MissingPermission,
    NotFoundInTactical,
    NotTactical,
    TacticalError,
)
from portal.tactical.records import only_good
from portal.tactical.session import check_answer, decode_json
from portal.tactical.source import is_restricted

NO_SUCH_AGENT = "x" * 40

TITLES = {
    "address": "Address",
    "tls": "Encryption (TLS)",
    "api_host": "Tactical's API host",
    "credentials": "Credentials",
    "clients": "May list clients",
    "agents": "May list agents",
    "alerts": "May list alerts",
    "software": "May list software",
    "beta": "Beta API",
    "version": "Server version",
}

RESTRICTED = (
    "This key is limited to some clients. The portal reads the dashboard API, which obeys that "
    "limit; the beta API would show every client."
)


@dataclass(frozen=True, slots=True)
class Step:
    """`state` is running, ok, note, failed or skipped."""

    name: str
    title: str
    state: str
    message: str = ""
    fault: str | None = None
    field: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """`organizations` are (pk, name) and `agent_ids` all that the credentials show."""

    ok: bool
    message: str
    fault: str | None = None
    field: str | None = None
    beta_api: bool | None = None
    restricted: bool | None = None
    server_version: str | None = None
    organizations: frozenset[tuple[int, str]] = frozenset()
    agent_ids: frozenset[str] = frozenset()

    @classmethod
    def failed(cls, error: PortalError) -> ProbeResult:
        return cls(
            ok=False,
            message=error.message,
            fault=getattr(error, "fault", "failed"),
            field=getattr(error, "field", None),
        )


Show = Callable[[Step], None]


@dataclass(slots=True)
class _Findings:
    dashboard: Inventory | None = None
    beta_api: bool | None = None
    restricted: bool | None = None
    version: str | None = None
    agent_ids: frozenset[str] = field(default_factory=frozenset)


def probe(tactical: Tactical, show: Show) -> ProbeResult:
    """Test everything that the portal needs, telling `show` of each step as it goes.

    Stops at the first step that fails. Never raises for what the network or Tactical does.
    """
    found = _Findings()
    try:
        _check_host(tactical, show)
        _step(show, "credentials", lambda: _check_credentials(tactical))
        _step(show, "clients", lambda: _check_clients(tactical, found))
        _step(show, "agents", lambda: _check_agents(tactical, found))
        _step(show, "alerts", lambda: _check_alerts(tactical))
        _step(show, "software", lambda: _check_software(tactical, found))
        _check_beta(tactical, show, found)
        _step(show, "version", lambda: _check_version(tactical, found))
    except (TacticalError, EgressError) as error:
        return ProbeResult.failed(error)
    assert found.dashboard is not None
    organizations = only_good(list(found.dashboard.organizations))
    return ProbeResult(
        ok=True,
        message=f"Everything works: {len(organizations)} organizations and "
        f"{len(found.agent_ids)} agents can be read.",
        beta_api=found.beta_api,
        restricted=found.restricted,
        server_version=found.version,
        organizations=frozenset((o.pk, o.name) for o in organizations),
        agent_ids=found.agent_ids,
    )


def _step(show: Show, name: str, check: Callable[[], str]) -> None:
    """Run one check; its text is a note to a step that passed."""
    show(Step(name, TITLES[name], "running"))
    try:
        note = check()
    except (TacticalError, EgressError) as error:
        show(Step(name, TITLES[name], "failed", error.message, error.fault, error.field))
        raise
    show(Step(name, TITLES[name], "note" if note else "ok", note))


def _check_credentials(tactical: Tactical) -> str:
    tactical.keep_alive()
    return ""


def _check_host(tactical: Tactical, show: Show) -> None:
    """The first request tells three things: is the address right, is TLS, is it the API."""
    is_plain = urlsplit(tactical.session.base_url).scheme == "http"
    show(Step("address", TITLES["address"], "running"))
    try:
        answer = tactical.session.send_anonymous("GET", "/")
    except EgressError as error:
        failed = "tls" if error.fault == "bad_certificate" else "address"
        if failed == "tls":
            show(Step("address", TITLES["address"], "ok"))
        show(Step(failed, TITLES[failed], "failed", error.message, error.fault, error.field))
        raise
    show(Step("address", TITLES["address"], "ok"))
    show(Step("tls", TITLES["tls"], *(("note", "Not encrypted.") if is_plain else ("ok",))))
    _step(show, "api_host", lambda: _check_root(answer))


def _check_root(answer: Answer) -> str:
    """`{"status": "ok"}` stands at the root of the API host, for everyone."""
    try:
        check_answer(answer, "api_key")
        found = decode_json(answer.body)
    except NotFoundInTactical as error:
        raise NotTactical from error
    except TacticalError as error:
        if error.fault in ("unexpected_answer", "wrong_key", "missing_permission"):
            raise NotTactical from error
        raise
    if not isinstance(found, dict) or found.get("status") != "ok":
        raise NotTactical
    return ""


def _permitted(permission: str, what: str, call: Callable[[], object]) -> None:
    try:
        call()
    except MissingPermission as error:
        raise MissingPermission(permission, what) from error


def _check_clients(tactical: Tactical, found: _Findings) -> str:
    def read() -> None:
        found.dashboard = tactical.get_dashboard_inventory()

    _permitted("can_list_clients", "list clients", read)
    return ""


def _check_agents(tactical: Tactical, found: _Findings) -> str:
    def read() -> None:
        found.agent_ids = frozenset(tactical.list_agent_pks())

    _permitted("can_list_agents", "list agents", read)
    return "" if found.agent_ids else "There is no agent yet that these credentials may see."


def _check_alerts(tactical: Tactical) -> str:
    """No severity gives no rows, but only to those who may list alerts."""
    body: dict[str, list[str]] = {"severityFilter": []}
    _permitted(
        "can_list_alerts",
        "list alerts",
        lambda: tactical.session.read("PATCH", "/alerts/", json=body),
    )
    return ""


def _check_software(tactical: Tactical, found: _Findings) -> str:
    """One agent's list: the whole one is 35 KB an agent. The permission is checked first."""
    agent_id = min(found.agent_ids, default=NO_SUCH_AGENT)

    def read() -> None:
        try:
            tactical.session.get(f"/software/{agent_id}/")
        except NotFoundInTactical:
            return

    _permitted("can_list_software", "list software", read)
    return ""


def _check_beta(tactical: Tactical, show: Show, found: _Findings) -> None:
    """Beta off is a note; on, it shows whether the key is limited to some clients."""
    assert found.dashboard is not None
    dashboard = found.dashboard

    def read() -> str:
        try:
            beta = tactical.get_beta_inventory()
        except BetaOff as error:
            found.beta_api = False
            return error.message
        found.beta_api = True
        found.restricted = is_restricted(dashboard, beta)
        return RESTRICTED if found.restricted else ""

    def read_permitted() -> str:
        try:
            return read()
        except MissingPermission as error:
            raise MissingPermission("can_list_sites", "list sites") from error

    _step(show, "beta", read_permitted)


def _check_version(tactical: Tactical, found: _Findings) -> str:
    """Asking makes the server look for updates on the internet, which may take seconds."""
    try:
        found.version = tactical.get_version()
    except (TacticalError, EgressError):
        return "Tactical did not tell its version."
    return f"Tactical RMM {found.version}" if found.version else ""
