"""Every route of a tenant, opened in every role: who may open what is written down here."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from portal.services.accounts.permissions import Role
from tests.web.safety.test_isolation import address, methods, tenant_rules
from tests.web.world import Place, make_place, make_user, sign_in

pytestmark = pytest.mark.mainly("sqlite")

LOWEST = {
    Role.VIEWER: """
        notices.choose notices.index notices.show_choices
        saved_views.change saved_views.choose_look saved_views.delete saved_views.index
        saved_views.rename saved_views.restore saved_views.save saved_views.show saved_views.start
        activity.index alerts.export alerts.index alerts.show api_tokens.reference assets.export
        assets.alerts assets.history channels.index channels.show
        alerts.export_chosen assets.export_chosen clients.export_chosen
        helpdesks.customers helpdesks.index helpdesks.show
        clients.export assets.index assets.show clients.index clients.picker clients.report
        clients.report_file clients.history clients.show clients.software conflicts.index
        conflicts.show dashboard.show deliveries.index deliveries.show errands.show
        integrations.index organizations.export organizations.index plans.show
        rules.export rules.index search.index software.export
        assets.export_software_of software.export_of_product software.index assets.software
        software.product software.show subscribers.index sync_runs.index
        sync_runs.preview_undo sync_runs.progress
        sync_runs.show tacticalrmm.show tacticalrmm.test_progress webhook.progress webhook.show
        tickets.export tickets.index tickets.show undo.press watches.index watches.show
        windows.calendar windows.index windows.links windows.show
    """,
    Role.TECHNICIAN: """
        alerts.acknowledge_many alerts.acknowledge_one alerts.act alerts.act_on_many
        alerts.assign_many alerts.assign_one alerts.unacknowledge_one errands.stop
        assets.do_merge assets.edit assets.merge assets.note assets.refresh assets.save_note
        assets.move assets.refresh_many
        assets.release assets.restore assets.retire assets.tag assets.untag
        clients.delete clients.edit clients.new clients.refresh_many clients.set_auto_sync
        clients.tag clients.untag helpdesks.map_clients
        conflicts.settle deliveries.replay_failed deliveries.replay_many deliveries.replay_one
        organizations.accept_exact
        organizations.act_on_many organizations.create_client organizations.set_ignored
        organizations.accept_suggestion organizations.created organizations.decide
        organizations.map_to_client
        organizations.remove_created organizations.set_auto_sync organizations.sync
        organizations.unmap plans.apply plans.decline rules.act rules.add_defaults rules.delete
        rules.duplicate rules.edit rules.move rules.new rules.older rules.switch
        rules.switch_many sync_runs.cancel
        tickets.link tickets.new tickets.open_one tickets.retry_many tickets.retry_one
        tickets.settle
        sync_runs.retry sync_runs.start sync_runs.undo windows.add_link windows.begin_for_asset
        windows.begin_for_client windows.delete windows.edit windows.end windows.new
        windows.revoke_link watches.new watches.remove watches.switch
        watches.remove_many watches.switch_many windows.delete_many
    """,
    Role.ADMIN: """
        channels.add channels.choose channels.delete channels.edit channels.new channels.save
        channels.switch_off channels.switch_on channels.test channels.word channels.wording
        first_steps.resume first_steps.skip
        helpdesks.add helpdesks.ask helpdesks.choose helpdesks.delete helpdesks.edit helpdesks.new
        helpdesks.preview helpdesks.save helpdesks.switch_off helpdesks.switch_on helpdesks.test
        subscribers.add subscribers.delete subscribers.pause subscribers.resume subscribers.test
        rules.take_over rules.transfer tacticalrmm.decide_identity tacticalrmm.disconnect
        tacticalrmm.enter_code tacticalrmm.save
        tacticalrmm.test webhook.install webhook.plan webhook.reveal webhook.rotate webhook.save
        webhook.test audit.index audit.show audit.export
    """,
    Role.OWNER: """
        api_tokens.add api_tokens.index api_tokens.revoke api_tokens.revoke_many assets.delete
        factor_rules.save factor_rules.show single_sign_on.save single_sign_on.show
        single_sign_on.switch_off single_sign_on.test single_sign_on.unlink
        users.change_role users.disable users.enable users.end_browser
        users.index users.invite users.limit users.remove users.renew_invitation users.reset
        users.show users.sign_out users.withdraw_invitation
    """,
}
"""The lowest role that opens the route; each role opens what those before it do."""

OF_THEIR_OWN = {
    "notices.choose",
    *("saved_views.change", "saved_views.choose_look", "saved_views.delete", "saved_views.rename"),
    *("saved_views.restore", "saved_views.save", "saved_views.start"),
    *("undo.press", "alerts.export_chosen", "assets.export_chosen", "clients.export_chosen"),
}
"""What everybody changes for themselves alone. A view that is everybody's is another thing: see
tests/web/lists/test_saved_views.py; and what is undone needs what doing it needed: see
tests/web/lists/test_undo.py."""

RANKS = {role: rank for rank, role in enumerate(LOWEST)}
NEEDED = {endpoint: role for role, endpoints in LOWEST.items() for endpoint in endpoints.split()}


def test_every_route_is_written_down(app: Flask) -> None:
    rules = list(tenant_rules(app))
    assert {rule.endpoint for rule in rules} == NEEDED.keys()
    changing = {rule.endpoint for rule in rules if set(methods(rule)) - {"GET"}}
    assert {each for each in changing if NEEDED[each] is Role.VIEWER} == OF_THEIR_OWN


@pytest.mark.parametrize("role", RANKS)
def test_a_role_opens_its_routes_and_no_other(
    app: Flask, http: FlaskClient, acme: Place, role: Role
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    sign_in(app, http, make_user(app, f"{role}@acme.example", acme, role=role))
    wrong = {}
    for rule in sorted(tenant_rules(app), key=lambda rule: RANKS[NEEDED[rule.endpoint]]):
        for method in methods(rule):
            status = http.open(address(rule, acme.slug, acme), method=method).status_code
            may = RANKS[role] >= RANKS[NEEDED[rule.endpoint]]
            reads = NEEDED[rule.endpoint] is Role.VIEWER and method == "GET"
            if may == (status == 403) or status >= (400 if reads else 500):
                wrong[f"{method} {rule.endpoint}"] = status
    assert wrong == {}


def test_who_is_refused_is_in_the_log(
    app: Flask, http: FlaskClient, acme: Place, caplog: pytest.LogCaptureFixture
) -> None:
    user, other = make_user(app, "tom@acme.example", acme, role="viewer"), make_place(app, "other")
    sign_in(app, http, user)
    app.config["WTF_CSRF_ENABLED"] = False
    http.post(acme.url("clients/new"), data={"name": "New"})
    http.get(other.url())
    app.test_client().get(acme.url("users/"))

    said = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert said == [
        f"Refused user {user}: POST /t/<slug>/clients/new, not permitted.",
        f"Refused user {user}: dashboard.show, no place in this tenant.",
    ]


def test_a_role_that_is_none_opens_nothing(app: Flask, http: FlaskClient, acme: Place) -> None:
    sign_in(app, http, make_user(app, "king@acme.example", acme, role="king"))

    assert http.get(acme.url()).status_code == 403
