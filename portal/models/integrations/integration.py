from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, sql, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.clock import utc_now
from portal.db import Base, BigId, TenantOwned


class IntegrationState(StrEnum):
    UNTESTED = "untested"
    """Saved; nothing syncs until a test has read real data."""
    ACTIVE = "active"
    HELD = "held"
    """The server looks like another one; an admin must say which it is."""
    DISCONNECTED = "disconnected"


class AuthMode(StrEnum):
    API_KEY = "api_key"
    PASSWORD = "password"  # noqa: S105  # a word for the mode


class InventorySource(StrEnum):
    AUTO = "auto"
    BETA = "beta"
    DASHBOARD = "dashboard"


class Stop(StrEnum):
    """What Tactical refuses the credentials for. Nothing is asked by itself until it is mended."""

    WRONG_KEY = "wrong_key"
    EXPIRED_KEY = "expired_key"
    INACTIVE_USER = "inactive_user"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105  # a word, not a secret
    TOKEN_REFUSED = "token_refused"  # noqa: S105
    TOTP_SECRET_WRONG = "totp_secret_wrong"  # noqa: S105
    CODE_NEEDED = "code_needed"
    """The sign-in of a TOTP account died, and only a person has the next code."""


class PreviewReason(StrEnum):
    FIRST_SYNC = "first_sync"
    NEW_SERVER = "new_server"
    NEW_SOURCE = "new_source"
    NEW_CREDENTIALS = "new_credentials"


class Integration(TenantOwned, Base):
    """One tenant's connection to one provider; kept across saves and disconnects.

    A row with `set_aside_at` keeps what was imported from a server that the admin
    replaced by a new one. It never syncs again.
    """

    __tablename__ = "rmm_integrations"
    __table_args__ = (
        Index(
            "uq_rmm_integrations_tenant_id_provider",
            "tenant_id",
            "provider",
            unique=True,
            sqlite_where=text("set_aside_at IS NULL"),
            postgresql_where=text("set_aside_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    provider: Mapped[str]
    state: Mapped[IntegrationState] = mapped_column(default=IntegrationState.UNTESTED)
    base_url: Mapped[str] = mapped_column(default="")
    dashboard_url: Mapped[str] = mapped_column(default="", server_default="")
    """Of Tactical's web interface; blank where it is told from that of the API."""
    auth_mode: Mapped[AuthMode] = mapped_column(default=AuthMode.API_KEY)
    username: Mapped[str] = mapped_column(default="")
    inventory_source: Mapped[InventorySource] = mapped_column(default=InventorySource.AUTO)
    page_size: Mapped[int]
    device_sync_minutes: Mapped[int]
    """How often devices are synced without being asked; 0 is never. A day is once a night."""
    status_sweep_minutes: Mapped[int | None]
    """How often the status of the whole fleet is looked at; 0 is never, None as often as its size
    allows."""
    software_sync_minutes: Mapped[int] = mapped_column(default=1440, server_default="1440")
    """How often the software inventory is ingested; 0 is never."""
    alert_sync_minutes: Mapped[int]
    """How often alerts are reconciled; 0 is never."""
    alert_history_days: Mapped[int] = mapped_column(default=0)
    """How many days of resolved alerts a reconciliation reads too; 0: only what is active."""
    brake_percent: Mapped[int] = mapped_column(default=20, server_default="20")
    brake_assets: Mapped[int] = mapped_column(default=5, server_default="5")
    """A device sync that would take away more assets than both, of a client or all, is held."""
    retire_after_runs: Mapped[int] = mapped_column(default=3, server_default="3")
    retire_after_days: Mapped[int] = mapped_column(default=30, server_default="30")
    """An asset that was missing in so many complete device syncs and for so long is proposed for
    retirement."""
    retire_automatically: Mapped[bool] = mapped_column(default=False, server_default=sql.false())
    """What is proposed is done at once."""
    listed_as: Mapped[str | None]
    """A digest of how the last complete listing was made: server, credentials and source. Only one
    that was made alike proves that an agent is gone. None: there is none to compare with."""
    listed_run_id: Mapped[int | None] = mapped_column(BigId)
    """The run that made it; it may be gone by now."""
    preview_due: Mapped[PreviewReason | None]
    """Why scheduled device syncs wait until a person has decided on a preview; None: they do
    not."""
    preview_due_at: Mapped[datetime | None]
    """Since when; what was decided before does not count."""
    delivery_days: Mapped[int]
    """How long webhook deliveries are kept."""
    server_verified: Mapped[bool] = mapped_column(default=False)
    """False after a change of host or a reconnect, until the server was compared."""
    found_organizations: Mapped[int | None]
    found_agents: Mapped[int | None]
    """How many the last passed test listed; agents: or the last look at the whole fleet."""
    found_alerts: Mapped[int | None]
    """On Tactical's dashboard, as the last passed test counted them: at least so many are there."""
    beta_api: Mapped[bool | None]
    key_restricted: Mapped[bool | None]
    server_version: Mapped[str | None]
    tested_at: Mapped[datetime | None]
    certificate_ends_at: Mapped[datetime | None]
    """Until when the certificate is valid that the server showed last; None without TLS."""
    last_error: Mapped[str | None]
    last_error_at: Mapped[datetime | None]
    failures_in_row: Mapped[int] = mapped_column(default=0, server_default="0")
    """Of contacts with the server: what they lead to is in `services.integrations.breaker`."""
    failing_since: Mapped[datetime | None]
    breaker_until: Mapped[datetime | None]
    """Until then scheduled work waits; None while the server answers."""
    stopped_for: Mapped[Stop | None]
    stopped_at: Mapped[datetime | None]
    sign_in_lease: Mapped[str | None]
    """A random word of the process that signs in, until `sign_in_until`; the others wait."""
    sign_in_until: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    set_aside_at: Mapped[datetime | None]
