"""The first steps: what is done is told by what there is; the next one stands on each page."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, select, update

from portal.clock import utc_now
from portal.db import transaction
from portal.models import (
    AlertRule,
    Channel,
    Delivery,
    Integration,
    Membership,
    OrganizationMapping,
    WebhookInstallation,
)
from portal.models.integrations.integration import IntegrationState, PreviewReason
from portal.models.webhook.installation import InstallationAction
from portal.scope import tenant_scope
from portal.services.accounts.tenants import add_tenant, get_tenant
from portal.services.first_steps import FirstStep, find_first_steps
from portal.services.integrations.connect import ConnectionSettings, save_connection
from portal.services.integrations.current import get_integration
from portal.web.first_steps.views import WORDS
from tests.support.statements import counting
from tests.web.world import KEY, Place, make_user, sign_in

pytestmark = pytest.mark.one_database

EVERY = frozenset(FirstStep)
NOBODY = Membership(user_id=0, steps_skipped=[])


def test_everything_is_to_do_at_first_and_a_step_can_be_skipped_and_resumed(
    app: Flask, http: FlaskClient
) -> None:
    with app.app_context():
        tenant = add_tenant("Globex IT")
    place = f"/t/{tenant.slug}/"
    app.config["WTF_CSRF_ENABLED"] = False
    sign_in(app, http, make_user(app, "owner@globex.example", tenant, role="owner"))

    page = http.get(place).text
    assert "0 of 8 done" in page
    assert page.count('aria-current="step"') == 1
    assert "tests the connection" in page

    http.post(f"{place}first-steps/skip", data={"step": "connect"})
    assert "Each belongs to a client of yours." in http.get(place).text
    assert http.post(f"{place}first-steps/skip", data={"step": "nap"}).status_code == 400

    http.post(f"{place}first-steps/skip", data={"step": "all"})
    assert "First steps</h2>" not in http.get(place).text
    http.post(f"{place}first-steps/resume")
    for step, words in WORDS.items():  # each can be left out, and the one after it is the next
        page = http.get(place).text
        [following] = re.findall(
            r'aria-current="step".*?first-step-title">([^<]+)', page, re.DOTALL
        )
        assert following == words.title
        http.post(f"{place}first-steps/skip", data={"step": step})
    assert "First steps</h2>" not in http.get(place).text
    shown = http.post(f"{place}first-steps/resume", follow_redirects=True).text
    assert "0 of 8 done" in shown
    assert "tests the connection" in shown


def test_what_is_there_is_done_and_the_next_step_stands_on_its_pages(
    app: Flask, owner: FlaskClient, acme: Place
) -> None:
    asked = owner.get(acme.url()).text  # acme has one of everything, its owner no second factor
    assert "7 of 8 done" in asked
    owner.post(acme.url("first-steps/skip"), data={"step": "factor"})
    assert "First steps</h2>" not in owner.get(acme.url()).text
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        session.execute(delete(Channel))
        session.execute(delete(AlertRule))
        with counting() as statements:
            steps = find_first_steps(get_tenant(acme.slug), NOBODY, EVERY)
        assert len(statements) == 2  # one for the tenant
        assert steps is not None
        assert steps.next is FirstStep.CHANNEL
        assert EVERY - steps.done == {FirstStep.CHANNEL, FirstStep.RULES, FirstStep.FACTOR}

    assert "5 of 8 done" in owner.get(acme.url()).text
    for path in ("integrations/tacticalrmm/", "integrations/tacticalrmm/webhook/"):
        assert "<strong>Next: Add a channel.</strong>" in owner.get(acme.url(path)).text
    assert "<strong>Next: " not in owner.get(acme.url("channels/")).text


def test_a_preview_is_offered_once_on_the_dashboard(app: Flask, http: FlaskClient) -> None:
    """By the first steps; once these are hidden in the heading. The heading has the way without it,
    too."""
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context():
        tenant = add_tenant("Globex IT", "globex")
        with tenant_scope(tenant.id):
            save_connection(ConnectionSettings(base_url="https://api.globex.example", api_key=KEY))
        with tenant_scope(tenant.id), transaction():
            integration = get_integration()
            integration.state = IntegrationState.ACTIVE
            integration.preview_due = PreviewReason.FIRST_SYNC
        sign_in(app, http, make_user(app, "owner@globex.example", tenant, role="owner"))
    page = http.get("/t/globex/").text
    assert "First steps</h2>" in page
    assert page.count("Preview devices") == 1
    assert "Sync without preview" in page
    http.post("/t/globex/first-steps/skip", data={"step": "all"})
    page = http.get("/t/globex/").text
    assert "First steps</h2>" not in page
    assert page.count("Preview devices") == 1


def test_who_skips_the_second_factor_skips_their_own(
    app: Flask, owner: FlaskClient, acme: Place
) -> None:
    owner.post(acme.url("first-steps/skip"), data={"step": "factor"})
    assert "First steps</h2>" not in owner.get(acme.url()).text
    other = app.test_client()
    sign_in(app, other, make_user(app, "other@acme.example", acme, role="owner"))
    assert "Set up a second factor" in other.get(acme.url()).text

    other.post(acme.url("first-steps/resume"))
    assert "First steps</h2>" not in owner.get(acme.url()).text, "that was another's"
    shown_again = acme.url("first-steps/resume")
    assert f'action="{shown_again}"' in owner.get(acme.url("integrations/")).text
    assert "Set up a second factor" in owner.post(shown_again, follow_redirects=True).text


def test_the_webhook_of_another_tenant_is_nobody_elses_step(app: Flask, acme: Place) -> None:
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        session.add(
            WebhookInstallation(
                integration_id=session.scalars(select(Integration.id)).one(),
                action=InstallationAction.INSTALL,
                made={},
                ok=True,
                test_delivery_id=session.scalars(select(Delivery.id).limit(1)).one(),
            )
        )
    with app.app_context(), tenant_scope(add_tenant("Globex IT").id):
        steps = find_first_steps(get_tenant("globex-it"), NOBODY, EVERY)
    assert steps is not None
    assert not steps.done


def test_organizations_are_mapped_when_none_is_undecided_or_somebody_says_so(
    app: Flask, owner: FlaskClient, acme: Place
) -> None:
    def skipped(*steps: str) -> str:
        for step in steps:
            owner.post(acme.url("first-steps/skip"), data={"step": step})
        return owner.get(acme.url()).text

    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        session.execute(delete(Channel))
        [first] = session.scalars(select(OrganizationMapping).limit(1))
        facts = {"integration_id": first.integration_id, "auto_sync_assets": True}
        for number, days in ((901, -1), (902, 90)):
            session.add(
                OrganizationMapping(
                    external_organization_id=str(number),
                    external_organization_name=f"Late {number}",
                    created_at=utc_now() + timedelta(days=days),
                    **facts,
                )
            )
    page = owner.get(acme.url("organizations/")).text
    assert re.search(r"<strong>\d of \d organizations mapped\.</strong>", page)
    asked = owner.get(acme.url()).text
    assert "Map or ignore the others" in asked
    done = int(re.findall(r"(\d) of 8 done", asked)[0])

    enough = skipped("map")
    assert f"{done + 1} of 8 done" in enough
    assert "<strong>Next: " in owner.get(acme.url("organizations/")).text

    owner.post(acme.url("first-steps/resume"))
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        session.execute(
            update(OrganizationMapping)
            .where(OrganizationMapping.external_organization_id == "901")
            .values(ignored=True)
        )
    assert f"{done + 1} of 8 done" in owner.get(acme.url()).text  # not the one that came later


def test_who_cannot_take_the_steps_is_not_shown_them(
    app: Flask, http: FlaskClient, acme: Place
) -> None:
    with app.app_context(), tenant_scope(acme.id), transaction() as session:
        session.execute(delete(AlertRule))
    for role, is_shown in (("admin", True), ("technician", False), ("viewer", False)):
        sign_in(app, http, make_user(app, f"{role}@acme.example", acme, role=role))
        assert ("First steps</h2>" in http.get(acme.url()).text) is is_shown
