"""The way from a new tenant to alerts that reach somebody: which steps are done, and the next.

Whether a step is done follows from what there is; only that enough organizations are mapped is for
a person to say. One statement.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, and_, exists, func, or_, select

from portal.db import db, transaction
from portal.errors import InvalidInput
from portal.models import (
    AlertRule,
    Asset,
    Channel,
    Delivery,
    Integration,
    Invitation,
    Membership,
    OrganizationMapping,
    Tenant,
    WebhookInstallation,
)
from portal.models.integrations.integration import IntegrationState
from portal.services.accounts.second_factors.status import select_having
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record
from portal.services.organizations.listing import OrganizationFilter, organization_conditions

ALL = "all"
"""What is skipped where somebody does not want to see the steps any more."""
ARRIVED = (WebhookInstallation.ok.is_(True), WebhookInstallation.test_delivery_id.is_not(None))
"""The webhook's last test, though its call may be gone by now. (Not in one expression: what asks by
such a one alone is not known to be about mapped classes, and is not kept to its tenant.)"""


class FirstStep(StrEnum):
    """In the order in which one needs the other."""

    CONNECT = "connect"
    MAP = "map"
    SYNC = "sync"
    WEBHOOK = "webhook"
    CHANNEL = "channel"
    RULES = "rules"
    PEOPLE = "people"
    FACTOR = "factor"
    """The reader's own."""


OWN = frozenset({FirstStep.FACTOR})
"""What each does for themselves, and skips for themselves alone."""


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """`facts`: what is known of the things that the steps are about, by name."""

    next: FirstStep
    """The first that is neither done nor skipped."""
    done: frozenset[FirstStep]
    skipped: frozenset[FirstStep]
    facts: Mapping[str, Any]


def find_first_steps(
    tenant: Tenant, place: Membership, among: frozenset[FirstStep]
) -> FirstSteps | None:
    """`among`: those that the reader, whose place it is, can take. None where all of them are done
    or skipped, or nobody wants to see them any more."""
    if ALL in tenant.steps_skipped:
        return None
    skipped = frozenset(
        each
        for each in FirstStep
        if each in (place.steps_skipped if each in OWN else tenant.steps_skipped)
    )
    facts = _read_facts(place.user_id)
    if FirstStep.MAP in skipped and facts["mapped"]:
        facts[FirstStep.MAP] = True  # somebody said that these are enough
    done = frozenset(each for each in FirstStep if facts[each])
    left = [each for each in FirstStep if each in among - done - skipped]
    return FirstSteps(left[0], done, skipped - done, facts) if left else None


def skip_step(tenant: Tenant, place: Membership, step: str) -> None:
    """`step`: of FirstStep, or ALL. One's own is skipped for the reader, any other one for the
    tenant. Raises InvalidInput."""
    if step != ALL and step not in list(FirstStep):
        raise InvalidInput("Choose one of the first steps.", field="step")
    with transaction() as session:
        if step in OWN:
            own = session.get_one(Membership, place.id)
            _write(own, {*own.steps_skipped, step})
        else:
            row = session.get_one(Tenant, tenant.id)
            _write(row, {*row.steps_skipped, step})


def resume_steps(tenant: Tenant, place: Membership) -> None:
    """Show them all again that are not done: to everybody, and to the reader those of their own."""
    with transaction() as session:
        own = session.get_one(Membership, place.id)
        if own.steps_skipped:
            _write(own, set())
        row = session.get_one(Tenant, tenant.id)
        _write(row, set())


def _about(row: Tenant | Membership) -> Target:
    if isinstance(row, Tenant):
        return Target("tenant", row.id, row.slug)
    return Target("user", row.user_id, row.user.email)


def _write(row: Tenant | Membership, skipped: set[str]) -> None:
    before, row.steps_skipped = row.steps_skipped, sorted(skipped)
    record(Action.FIRST_STEPS_SET, _about(row), {"skipped": before}, {"skipped": row.steps_skipped})


def _read_facts(user_id: int) -> dict[str, Any]:
    """Whether each step is done, by its name, and the numbers that the steps speak of."""
    organizations = _count_organizations()
    asked: dict[str, ColumnElement[Any]] = {
        FirstStep.CONNECT: exists().where(Integration.state == IntegrationState.ACTIVE),
        FirstStep.MAP: and_(organizations > 0, _count_undecided() == 0),
        FirstStep.SYNC: exists().where(Asset.id.is_not(None)),
        FirstStep.WEBHOOK: or_(exists().where(Delivery.id.is_not(None)), exists().where(*ARRIVED)),
        FirstStep.CHANNEL: exists().where(Channel.id.is_not(None)),
        FirstStep.RULES: exists().where(AlertRule.switched_on_at.is_not(None)),
        FirstStep.PEOPLE: or_(_other_members() > 0, exists().where(Invitation.id.is_not(None))),
        FirstStep.FACTOR: select_having(user_id).exists(),
        "organizations": organizations,
        "mapped": _count_organizations(*organization_conditions(OrganizationFilter.MAPPED, "")),
        "agents": select(Integration.found_agents).limit(1).scalar_subquery(),
        "alerts": select(Integration.found_alerts).limit(1).scalar_subquery(),
    }
    row = db.session.execute(select(*asked.values())).one()
    return dict(zip(asked, row, strict=True))


def _count_organizations(*which: ColumnElement[bool]) -> ScalarSelect[int]:
    return select(func.count()).select_from(OrganizationMapping).where(*which).scalar_subquery()


def _count_undecided() -> ScalarSelect[int]:
    """Organizations of which nobody has said whose they are. The dashboard tells of those that came
    after the first assets: they are no part of the first steps."""
    first_asset = select(Asset.created_at).order_by(Asset.id).limit(1).scalar_subquery()
    came_at = OrganizationMapping.created_at
    return _count_organizations(
        *organization_conditions(OrganizationFilter.UNMAPPED, ""),
        came_at <= func.coalesce(first_asset, came_at),
    )


def _other_members() -> ColumnElement[int]:
    members = select(func.count()).select_from(Membership).where(Membership.disabled_at.is_(None))
    return members.scalar_subquery() - 1
