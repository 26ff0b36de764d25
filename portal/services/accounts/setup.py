"""The first owner of an install, guarded by a one-time token that the console prints."""

from __future__ import annotations

import hmac
import secrets

from sqlalchemy import delete

from portal.db import db, transaction
from portal.errors import InvalidInput, Refused
from portal.models import InstallSetting, Membership, User
from portal.models.accounts.tenant import SLUG_PATTERN
from portal.scope import all_tenants
from portal.services.accounts.permissions import Role
from portal.services.accounts.tenants import make_tenant, suggest_slug
from portal.services.accounts.throttle import Caller, attempt
from portal.services.accounts.tokens import digest
from portal.services.accounts.users import any_user_exists, clean_email, find_or_add_user
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record, record_in
from portal.services.text import clean_line

DIGEST_KEY = "setup_token_digest"


def issue_token() -> str | None:
    """A new one-time token, in place of an earlier one; None when there is a user already."""
    if any_user_exists():
        return None
    token = secrets.token_urlsafe(18)
    with transaction() as session:
        session.merge(InstallSetting(key=DIGEST_KEY, value=digest(token)))
    return token


def token_matches(token: str) -> bool:
    """True while no user exists and the token is the one the console printed last."""
    stored = db.session.get(InstallSetting, DIGEST_KEY)
    if stored is None or any_user_exists():
        return False
    return hmac.compare_digest(stored.value, digest(token.strip()))


def create_first_owner(
    token: str, email: str, password: str, tenant_name: str, slug: str, caller: Caller
) -> User:
    """Make the first tenant and its owner, and use the token up. A blank slug follows from the
    tenant's name.

    Raises InvalidInput, Refused and TooManyAttempts.
    """
    email = clean_email(email)
    name = clean_line(tenant_name, "tenant_name", "the name of your company")
    slug = slug or suggest_slug(name)
    if not SLUG_PATTERN.fullmatch(slug):
        raise InvalidInput(
            "Start with a letter, and use only lowercase letters, digits and hyphens.", field="slug"
        )
    with attempt(caller):
        if not token_matches(token):
            with transaction():
                record(Action.SETUP_REFUSED, Target("install"))
        _check_token(token)
    with all_tenants(), transaction() as session:
        _check_token(token)
        user = find_or_add_user(session, email, password)
        tenant = make_tenant(name, slug)
        session.add(tenant)
        session.flush()
        session.add(Membership(user_id=user.id, tenant_id=tenant.id, role=Role.OWNER))
        session.execute(delete(InstallSetting).where(InstallSetting.key == DIGEST_KEY))
        first = {"tenant": name, "role": str(Role.OWNER)}
        who = Target("user", user.id, user.email)
        record_in([None, tenant.id], Action.INSTALL_SET_UP, who, after=first)
    return user


def _check_token(token: str) -> None:
    if not token_matches(token):
        raise Refused(
            "This setup token is not valid. Restart the portal to get a new one on its console; "
            "it prints one until the first user exists."
        )
