"""The webhook's secrets: who is let in, rotation with an overlap, and what is kept of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from portal.clock import utc_now
from portal.db import db, transaction
from portal.errors import Refused
from portal.models import Integration, Secret, Tenant, WebhookKey
from portal.scope import all_tenants, tenant_scope
from portal.services.accounts.tenants import add_tenant
from portal.services.integrations.connect import ConnectionSettings, save_connection
from portal.services.integrations.current import get_integration
from portal.services.webhook import keys
from portal.services.webhook.keys import identify_sender, reveal
from portal.services.webhook.rotation import rotate_secret
from portal.services.webhook.settings import list_key_rows
from tests.support.statements import asked, counting


@pytest.fixture
def acme(app: Flask) -> Iterator[Tenant]:
    with app.app_context():
        tenant = add_tenant("Acme MSP", "acme")
        with tenant_scope(tenant.id):
            save_connection(ConnectionSettings(base_url="https://api.acme.example", api_key="k"))
            yield tenant


def knows(secret: str, tenant: str = "acme") -> bool:
    return identify_sender(tenant, secret) is not None


def test_a_secret_is_made_once_and_known_by_slug_and_id(acme: Tenant) -> None:
    secret = reveal()
    assert reveal() == secret
    assert len(secret) >= 43
    assert knows(secret)
    assert knows(secret, str(acme.id))
    for tenant, wrong in (("acme", "x"), ("acme", ""), ("other", secret), ("", secret), ("9", "")):
        assert not knows(wrong, tenant)


def test_only_ciphertext_and_a_keyed_digest_are_stored(acme: Tenant) -> None:
    secret = reveal()
    key = db.session.query(WebhookKey).one()
    row = db.session.query(Secret).filter_by(owner="webhook_keys").one()
    assert secret not in f"{key.digest} {row.envelope}"
    assert row.last_four == secret[-4:]


def test_the_old_secret_holds_for_a_day(acme: Tenant) -> None:
    old = reveal()
    new = rotate_secret().secret
    assert knows(old)
    assert knows(new)
    with time_machine.travel(utc_now() + timedelta(hours=25)):
        keys._kept().senders.clear()
        assert not knows(old)
        assert knows(new)
        assert [key.expires_at for key in list_key_rows()] == [None]


def test_a_third_secret_is_refused_but_at_once(acme: Tenant) -> None:
    secrets = [reveal(), rotate_secret().secret]
    with pytest.raises(Refused, match="two secrets are valid"):
        rotate_secret()
    last = rotate_secret(at_once=True).secret
    assert knows(last)
    assert not any(map(knows, secrets))
    assert db.session.query(Secret).filter_by(owner="webhook_keys").count() == 1


def test_while_it_is_handed_over_both_hold(acme: Tenant) -> None:
    old = reveal()
    with transaction() as session:
        old_ids = keys.add_next_key(session, at_once=True)
    new = reveal()
    assert [knows(old), knows(new)] == [True, True]
    keys.end_keys(old_ids)
    assert [knows(old), knows(new)] == [False, True]


def test_another_process_knows_a_new_secret_at_once(acme: Tenant) -> None:
    """What this process keeps in memory is older than the rotation."""
    old = reveal()
    assert knows(old)
    kept = dict(keys._kept().senders)
    new = rotate_secret().secret
    keys._kept().senders.update(kept)
    assert knows(new)


def test_its_use_is_noted(acme: Tenant) -> None:
    secret = reveal()
    assert list_key_rows()[0].last_used_at is None
    knows(secret)
    db.session.rollback()
    assert list_key_rows()[0].last_used_at is not None


def test_what_was_set_aside_lets_nobody_in(acme: Tenant) -> None:
    secret = reveal()
    with transaction() as session:
        session.get_one(Integration, get_integration().id).set_aside_at = utc_now()
    keys._kept().senders.clear()
    assert not knows(secret)


@pytest.mark.one_database
def test_whatever_is_wrong_the_answer_is_the_same(app: Flask, acme: Tenant) -> None:
    secret = reveal()
    with all_tenants():
        assert db.session.query(WebhookKey).count() == 1
    http: FlaskClient = app.test_client()
    answers = {
        (answer.status_code, answer.data)
        for tenant, header in (("acme", "wrong"), ("nobody", secret), ("", secret), ("acme", None))
        for answer in [
            http.post(
                f"/api/webhooks/tacticalrmm?tenant={tenant}",
                headers={"X-Alga-Webhook-Secret": header} if header else {},
            )
        ]
    }
    assert len(answers) == 1
    assert next(iter(answers))[0] == 401


def test_two_secrets_are_looked_up_in_one_statement(acme: Tenant) -> None:
    old, new = reveal(), rotate_secret().secret
    with counting() as statements:
        rows = list_key_rows()
    assert [row.last_four for row in rows] == [new[-4:], old[-4:]]
    assert [row.expires_at is None for row in rows] == [True, False]
    assert len(asked(statements)) == 1, "\n".join(statements)
