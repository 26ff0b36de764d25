"""Saving how to reach a Tactical server, and taking it back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from portal.clock import utc_now
from portal.db import transaction
from portal.errors import InvalidInput, SecretUnreadable
from portal.models import Integration, Schedule, SyncRun
from portal.models.integrations.integration import AuthMode, IntegrationState, PreviewReason
from portal.models.runs.sync_run import RunStatus
from portal.providers import TACTICAL_RMM
from portal.services.audit.actions import Action
from portal.services.audit.record import record
from portal.services.integrations.current import find_integration, get_integration
from portal.services.integrations.ended_sign_ins import end_sign_in
from portal.services.integrations.facts import facts_of, record_saved, target_of
from portal.services.integrations.option_kinds import OptionValue
from portal.services.integrations.options import OPTIONS, apply_options
from portal.services.integrations.preview_due import require_preview
from portal.services.integrations.schedules import ensure_schedules
from portal.services.integrations.server_health import clear, resume
from portal.services.integrations.sign_outs import ask_for_sign_outs
from portal.services.text import clean_line
from portal.tactical.http.url import normalise_url, same_host
from portal.vault import find_secret, forget_secrets, list_last_fours, store_secret

LONGEST_SECRET = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionSettings:
    """What a save names. None, and for secrets also blank, keeps what is stored."""

    base_url: str | None = None
    auth_mode: AuthMode | None = None
    username: str | None = None
    api_key: str | None = None
    password: str | None = None
    totp_code: str | None = None
    totp_secret: str | None = None
    options: Mapping[str, OptionValue | None] = field(default_factory=dict)
    """By name, see `portal.services.integrations.options`."""

    def __repr__(self) -> str:
        return f"ConnectionSettings(base_url={self.base_url!r})"

    @property
    def secrets(self) -> dict[str, str]:
        """The secrets that were entered, by field, without outer blanks."""
        entered = {
            "api_key": self.api_key,
            "password": self.password,
            "totp_code": self.totp_code,
            "totp_secret": self.totp_secret,
        }
        # A password may begin or end with a blank; the others cannot.
        return {
            name: text if name == "password" else "".join(text.split())
            for name, text in entered.items()
            if text and text.strip()
        }


def save_connection(settings: ConnectionSettings) -> Integration:
    """Keep the settings; a change of address or credentials must be tested before use.

    A change of host clears the stored credentials first: they are not sent to a server
    that they were not entered for. Raises InvalidInput with the field at fault.
    """
    with transaction() as session:
        integration = find_integration() or _new_integration(session)
        before, facts = _connection_facts(integration), facts_of(integration)
        changes = _list_changes(integration, settings)
        _apply_address(session, integration, settings)
        apply_options(integration, settings.options)
        _apply_credentials(session, integration, settings)
        _check_complete(integration)
        if integration.state is IntegrationState.DISCONNECTED:
            integration.server_verified = False
        if settings.secrets or before != _connection_facts(integration):
            integration.state = IntegrationState.UNTESTED
            integration.last_error = integration.last_error_at = None
        for reason in changes:
            require_preview(integration, reason)
        resume(integration)
        _reschedule(session, integration)
        record_saved(integration, facts, settings.secrets)
    ask_for_sign_outs()
    return integration


def disconnect() -> None:
    """Delete the credentials; mappings and assets stay. The sign-in at Tactical is ended too.

    Runs under way are cancelled. Connecting again carries on.
    """
    with transaction() as session:
        integration = get_integration()
        record(Action.CONNECTION_ENDED, target_of(integration), facts_of(integration))
        _forget_credentials(session, integration)
        integration.state = IntegrationState.DISCONNECTED
        integration.server_verified = False
        clear(integration)
        # Old deliveries go all the same, and webhooks still come.
        session.execute(
            delete(Schedule).where(
                Schedule.integration_id == integration.id, Schedule.kind != "prune_deliveries"
            )
        )
        _end_runs(session, integration)
    ask_for_sign_outs()


def _forget_credentials(session: Session, integration: Integration) -> None:
    end_sign_in(session, integration)
    forget_secrets(session, integration)


def _end_runs(session: Session, integration: Integration) -> None:
    """Runs under way write nothing any more, and waiting ones do not begin."""
    its_runs = update(SyncRun).where(SyncRun.integration_id == integration.id)
    session.execute(
        its_runs.where(SyncRun.status == RunStatus.RUNNING).values(cancel_requested_at=utc_now())
    )
    session.execute(
        its_runs.where(SyncRun.status == RunStatus.QUEUED).values(
            status=RunStatus.CANCELLED, finished_at=utc_now()
        )
    )


def _new_integration(session: Session) -> Integration:
    integration = Integration(
        provider=TACTICAL_RMM.slug,
        state=IntegrationState.UNTESTED,
        base_url="",
        username="",
        auth_mode=AuthMode.API_KEY,
        server_verified=False,
        **{option.name: option.default for option in OPTIONS},
    )
    require_preview(integration, PreviewReason.FIRST_SYNC)
    session.add(integration)
    session.flush()
    return integration


def _apply_address(
    session: Session, integration: Integration, settings: ConnectionSettings
) -> None:
    if settings.base_url is None:
        return
    url = normalise_url(settings.base_url)
    if integration.base_url and not same_host(integration.base_url, url):
        _forget_credentials(session, integration)
        integration.server_verified = False
        _end_runs(session, integration)
    integration.base_url = url


def _apply_credentials(
    session: Session, integration: Integration, settings: ConnectionSettings
) -> None:
    if settings.auth_mode is not None:
        integration.auth_mode = settings.auth_mode
    username = integration.username
    if settings.username is not None:
        typed = settings.username.strip()
        integration.username = typed and clean_line(typed, "username", "the username")
    entered = settings.secrets
    for name, text in entered.items():
        if len(text) > LONGEST_SECRET or not text.isprintable():
            raise InvalidInput(
                f"Enter at most {LONGEST_SECRET} characters, without control characters.",
                field=name,
            )
        store_secret(session, integration, name, text)
    if username != integration.username and "password" not in entered:
        forget_secrets(session, integration, "password", "totp_secret")
    is_by_key = integration.auth_mode is AuthMode.API_KEY
    is_another = username != integration.username
    if is_by_key or is_another or entered.keys() & {"password", "totp_secret", "totp_code"}:
        end_sign_in(session, integration)


def _list_changes(integration: Integration, settings: ConnectionSettings) -> list[PreviewReason]:
    """In what the settings differ from what is stored, so that other agents may be listed.

    Raises InvalidInput for an address that is none.
    """
    url = normalise_url(settings.base_url) if settings.base_url is not None else ""
    source = settings.options.get("inventory_source") or integration.inventory_source
    changes = {
        PreviewReason.NEW_SERVER: bool(url)
        and bool(integration.base_url)
        and not same_host(integration.base_url, url),
        PreviewReason.NEW_SOURCE: source != integration.inventory_source,
        PreviewReason.NEW_CREDENTIALS: _brings_other_credentials(integration, settings),
    }
    return [reason for reason, is_so in changes.items() if is_so]


def _brings_other_credentials(integration: Integration, settings: ConnectionSettings) -> bool:
    """Whether the portal would see Tactical as somebody else; the same key once more is none."""
    if settings.auth_mode not in (None, integration.auth_mode):
        return True
    if settings.username is not None and settings.username.strip() != integration.username:
        return True
    entered = settings.secrets
    try:
        return any(
            find_secret(integration, name) != entered[name]
            for name in ("api_key", "password")
            if name in entered
        )
    except SecretUnreadable:
        return True


def _check_complete(integration: Integration) -> None:
    stored = list_last_fours(integration)
    if not integration.base_url:
        raise InvalidInput(
            "Enter the address of Tactical's API, such as https://api.example.com.",
            field="base_url",
        )
    if integration.auth_mode is AuthMode.API_KEY and "api_key" not in stored:
        raise InvalidInput("Enter the API key for this server.", field="api_key")
    if integration.auth_mode is AuthMode.API_KEY:
        return
    if not integration.username:
        raise InvalidInput("Enter the username of a Tactical user.", field="username")
    if "password" not in stored:
        raise InvalidInput("Enter the password of this user on this server.", field="password")


def _connection_facts(integration: Integration) -> tuple[object, ...]:
    return (integration.base_url, integration.auth_mode, integration.username, integration.state)


def _reschedule(session: Session, integration: Integration) -> None:
    if integration.state is IntegrationState.ACTIVE:
        ensure_schedules(session, integration)
