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


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """`facts`: what is known of the things that the steps are about, by name."""

    next: FirstStep
    """The first that is neither done nor skipped."""
    done: frozenset[FirstStep]
    skipped: frozenset[FirstStep]
    facts: Mapping[str, Any]


def find_first_steps(
    tenant: Tenant, among: frozenset[FirstStep], user_id: int
) -> FirstSteps | None:
    """`among`: those that the reader, `user_id`, can take. None where all of them are done or
    skipped, or nobody wants to see them any more."""
    if ALL in tenant.steps_skipped:
        return None
    skipped = frozenset(each for each in FirstStep if each in tenant.steps_skipped)
    facts = _read_facts(user_id)
    if FirstStep.MAP in skipped and facts["mapped"]:
        facts[FirstStep.MAP] = True  # somebody said that these are enough
    done = frozenset(each for each in FirstStep if facts[each])
    left = [each for each in FirstStep if each in among - done - skipped]
    return FirstSteps(left[0], done, skipped - done, facts) if left else None


def skip_step(tenant: Tenant, step: str) -> None:
    """`step`: of FirstStep, or ALL. Raises InvalidInput."""
    _write(tenant, {*tenant.steps_skipped, _check(step)})


def resume_steps(tenant: Tenant) -> None:
    """Show them all again that are not done."""
    _write(tenant, set())


def _check(step: str) -> str:
    if step != ALL and step not in list(FirstStep):
        raise InvalidInput("Choose one of the first steps.", field="step")
    return step


def _write(tenant: Tenant, skipped: set[str]) -> None:
    with transaction() as session:
        row = session.get_one(Tenant, tenant.id)
        before, row.steps_skipped = row.steps_skipped, sorted(skipped)
        about = Target("tenant", tenant.id, tenant.slug)
        facts = ({"skipped": before}, {"skipped": row.steps_skipped})
        record(Action.FIRST_STEPS_SET, about, *facts)


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
