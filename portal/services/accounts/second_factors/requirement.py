"""Whose second factor a tenant requires, and who is offered one without that."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import exists, select

from portal.clock import utc_now
from portal.db import db, transaction
from portal.errors import InvalidInput
from portal.models import Membership, Tenant, User
from portal.models.accounts.tenant import FactorRule
from portal.scope import all_tenants
from portal.services.accounts.permissions import Role
from portal.services.accounts.second_factors.status import has_factor, select_having
from portal.services.accounts.tenants import get_tenant
from portal.services.accounts.users import list_members, list_memberships
from portal.services.audit.actions import Action
from portal.services.audit.people import record_of_user
from portal.services.audit.record import Target, record_in

ADMINS = frozenset({Role.OWNER, Role.ADMIN})


@dataclass(frozen=True, slots=True)
class MemberFactor:
    """Whether somebody of the tenant has a second factor, and needs one."""

    user_id: int
    email: str
    role: str
    has_factor: bool
    is_required: bool


def is_required(tenant: Tenant, role: str) -> bool:
    if tenant.factors_from is not None and utc_now() < tenant.factors_from:
        return False
    rule = tenant.factor_rule
    return rule is FactorRule.ALL or (rule is FactorRule.ADMINS and role in ADMINS)


def lacks_factor(place: Membership) -> bool:
    """Whether the place's tenant shows nothing to its user before a second factor is set up."""
    return is_required(place.tenant, place.role) and not has_factor(db.session(), place.user_id)


def list_requiring(user_id: int) -> list[str]:
    """The names of the user's tenants that require a second factor of this user."""
    places = list_memberships(user_id)
    return [each.tenant.name for each in places if is_required(each.tenant, each.role)]


def set_rule(tenant: str, rule: str) -> Tenant:
    """`tenant`: slug or id. From the next request of each member on.

    Raises InvalidInput and NotFound.
    """
    if rule not in list(FactorRule):
        raise InvalidInput(f"Choose one of these: {', '.join(FactorRule)}.", field="rule")
    tenant_id = get_tenant(tenant).id
    with transaction() as session:
        found = session.get_one(Tenant, tenant_id)
        before, found.factor_rule = found.factor_rule, FactorRule(rule)
        found.factors_from = None
        about, after = Target("tenant", tenant_id, found.slug), {"required_of": rule}
        record_in([tenant_id], Action.FACTOR_RULE_SET, about, {"required_of": before}, after)
    return found


def list_member_factors(tenant: Tenant) -> list[MemberFactor]:
    """Of everybody in the scope's tenant who is not disabled, by address."""
    members = [each for each in list_members() if each.disabled_at is None]
    having = set(db.session.scalars(select_having(*(each.user_id for each in members))))
    return [
        MemberFactor(
            each.user_id,
            each.user.email,
            each.role,
            each.user_id in having,
            is_required(tenant, each.role),
        )
        for each in members
    ]


# --- Offered ----------------------------------------------------------------------------


def is_offered(user: User) -> bool:
    """Whether to ask an owner, who has none and did not skip it yet, to set one up."""
    if user.factor_offered_at is not None or has_factor(db.session(), user.id):
        return False
    owns = exists().where(
        Membership.user_id == user.id,
        Membership.role == Role.OWNER,
        Membership.disabled_at.is_(None),
    )
    with all_tenants():
        return bool(db.session.scalar(select(owns)))


def skip_offer(user_id: int) -> None:
    with transaction() as session:
        user = session.get_one(User, user_id)
        user.factor_offered_at = utc_now()
        record_of_user(Action.FACTOR_OFFER_SKIPPED, user)
