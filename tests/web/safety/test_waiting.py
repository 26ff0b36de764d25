"""No request waits for a foreign server, whatever is pressed."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.db import transaction
from portal.egress import CalledInRequest, EgressError, Limits
from portal.models import WebhookInstallation
from portal.models.webhook.installation import InstallationAction
from portal.scope import tenant_scope
from portal.services.integrations.current import get_integration
from portal.services.integrations.networks import get_gateway
from tests.web.conftest import HTMX
from tests.web.safety.test_isolation import address, methods, tenant_rules
from tests.web.world import Place

pytestmark = pytest.mark.one_database

MADE = {
    "pieces": {"failure": {"name": "f", "pk": 1}, "resolved": {"name": "r", "pk": 2}},
}
LAST = ("disconnect", "delete")
"""After what they would make impossible."""


def knock(app: Flask, place: Place) -> None:
    with (
        tenant_scope(place.id),
        get_gateway().stream(
            "GET", "http://127.0.0.1:1/", headers={}, limits=Limits(connect=1, idle=1, total=1)
        ),
    ):
        pass


def test_egress_is_shut_in_a_request_and_nowhere_else(app: Flask, acme: Place) -> None:
    with app.test_request_context("/livez"):
        app.preprocess_request()
        with pytest.raises(CalledInRequest):
            knock(app, acme)
    with app.app_context(), pytest.raises(EgressError):
        knock(app, acme)


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_no_route_opens_a_connection(
    app: Flask, admin: FlaskClient, acme: Place, headers: dict[str, str]
) -> None:
    """It would raise: the tests let errors of the program through."""
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        integration_id = get_integration().id
        session.add(
            WebhookInstallation(
                integration_id=integration_id, action=InstallationAction.INSTALL, made=MADE, ok=True
            )
        )
    sent = {"action": "resolve", "alert": acme.alert, "days": 3, "apply_to": "none"}
    rules = sorted(tenant_rules(app), key=lambda rule: rule.rule.endswith(LAST))
    failed, waiting = [], set()
    for rule in rules:
        for method in methods(rule):
            url = address(rule, acme.slug, acme)
            answer = admin.open(url, method=method, data=sent, headers=headers)
            if b'data-errand="pending"' in answer.data:  # read to its end, before the next
                waiting.add(rule.endpoint)
            if answer.status_code >= 500:
                failed.append((rule.endpoint, method))
    assert failed == []
    if headers:  # these came as far as to ask a worker
        assert {"alerts.act_on_many", "webhook.plan"} <= waiting
