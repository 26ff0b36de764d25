from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Computed, ForeignKey, Index, and_, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.clock import utc_now
from portal.db import Base, BigId, TenantOwned
from portal.models.alerts.handling import AlertHandling
from portal.models.assets.asset import Asset
from portal.models.organizations.organization_mapping import OrganizationMapping

_SEARCHED = "lower({})".format(
    " || ' ' || ".join(
        f"coalesce({name}, '')"
        for name in ("message", "hostname", "alert_type", "agent_id", "external_alert_id")
    )
)


class AlertStatus(StrEnum):
    ACTIVE = "active"
    SNOOZED = "snoozed"
    RESOLVED = "resolved"


class Severity(StrEnum):
    """Tactical's own three words; the portal has no scale beside them."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class AlertSource(StrEnum):
    """What reported the alert first."""

    WEBHOOK = "webhook"
    BACKFILL = "backfill"


class Alert(TenantOwned, Base):
    """An alert of Tactical's, as Tactical last reported it.

    Without an `external_alert_id` it is known only from a webhook that named none; then
    `condition` is what its trigger and its resolve have in common.
    """

    __tablename__ = "rmm_alerts"
    __table_args__ = (
        Index(
            "uq_rmm_alerts_external_alert_id",
            "integration_id",
            "external_alert_id",
            unique=True,
            sqlite_where=text("external_alert_id IS NOT NULL"),
            postgresql_where=text("external_alert_id IS NOT NULL"),
        ),
        Index(
            "ix_rmm_alerts_nameless",
            "integration_id",
            "condition",
            sqlite_where=text("external_alert_id IS NULL"),
            postgresql_where=text("external_alert_id IS NULL"),
        ),
        Index(
            "ix_rmm_alerts_unlinked",
            "integration_id",
            "external_organization_id",
            sqlite_where=text("asset_id IS NULL"),
            postgresql_where=text("asset_id IS NULL"),
        ),
        Index(
            "ix_rmm_alerts_snoozed_here",
            "tenant_id",
            "snoozed_until",
            sqlite_where=text("snoozed_by IS NOT NULL"),
            postgresql_where=text("snoozed_by IS NOT NULL"),
        ),
        # With the id, for lists are in this order: on the way to a far page no alert is read. And
        # with the occurrence, by which the handling of each active one is found.
        Index("ix_rmm_alerts_in_time", "tenant_id", "triggered_at", "id"),
        Index(
            "ix_rmm_alerts_of_status", "tenant_id", "status", "triggered_at", "id", "occurrences"
        ),
        # A tenth of the one above: what counts all that there are reads no more than this.
        Index(None, "tenant_id", "status"),
        Index(None, "integration_id", "agent_id"),
        Index(None, "asset_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    integration_id: Mapped[int] = mapped_column(ForeignKey("rmm_integrations.id"))
    external_alert_id: Mapped[str | None]
    condition: Mapped[str]
    agent_id: Mapped[str | None]
    """Tactical's `agent_id`; None for an alert that belongs to no agent."""
    asset_id: Mapped[int | None] = mapped_column(ForeignKey("assets.id", ondelete="SET NULL"))
    """None until the agent has an asset; linked when it gets one."""
    external_organization_id: Mapped[str | None]
    hostname: Mapped[str | None]
    alert_type: Mapped[str]
    """`availability`, `check`, `task` or `custom`."""
    severity: Mapped[Severity]
    message: Mapped[str | None]
    status: Mapped[AlertStatus]
    triggered_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]
    """When Tactical resolved it, not when we heard."""
    snoozed_until: Mapped[datetime | None]
    snoozed_by: Mapped[str | None]
    """Who snoozed it in the portal alone, of which Tactical knows nothing; None for a snooze of
    Tactical's."""
    received_at: Mapped[datetime] = mapped_column(default=utc_now)
    confirmed_at: Mapped[datetime | None]
    """When Tactical's own record was last read; None while only a webhook reported it."""
    source: Mapped[AlertSource]
    external_check_id: Mapped[str | None]
    external_task_id: Mapped[str | None]
    occurrences: Mapped[int] = mapped_column(default=1)
    """How often it was triggered: one more for each time it was re-opened."""
    searched: Mapped[str] = mapped_column(Computed(_SEARCHED, persisted=True), deferred=True)
    """What a search looks through, in small letters: the database makes it."""

    asset: Mapped[Asset | None] = relationship()
    organization: Mapped[OrganizationMapping | None] = relationship(
        primaryjoin=lambda: and_(
            Alert.integration_id == OrganizationMapping.integration_id,
            Alert.external_organization_id == OrganizationMapping.external_organization_id,
        ),
        foreign_keys=lambda: [Alert.integration_id, Alert.external_organization_id],
        viewonly=True,
        lazy="raise",
    )
    """Where a statement asks for it."""
    handling: Mapped[AlertHandling | None] = relationship(
        primaryjoin=lambda: IS_PRESENT,
        foreign_keys=[AlertHandling.alert_id, AlertHandling.occurrence],
        viewonly=True,
        uselist=False,
        lazy="raise",
    )
    """Of the present occurrence, where a statement asks for it."""


IS_PRESENT: ColumnElement[bool] = and_(
    AlertHandling.alert_id == Alert.id, AlertHandling.occurrence == Alert.occurrences
)
"""The handling is that of what the alert is at now."""
