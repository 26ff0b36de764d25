"""One click sets the webhook up in Tactical; another takes back exactly what that made."""

from __future__ import annotations

from typing import Any

import pytest

from portal.models import WebhookInstallation
from portal.models.alerts.alert import AlertStatus
from portal.models.deliveries.delivery import DeliveryStatus
from portal.models.webhook.installation import InstallationAction
from portal.services.alerts import listing
from portal.services.alerts.filters import AlertFilter
from portal.services.deliveries import processing
from portal.services.deliveries.history import get_delivery
from portal.services.webhook import keys
from portal.services.webhook.plan import Verb
from portal.tactical.webhook import FAILURE_BODY, RESOLVED_BODY
from tactical_simulator.fleet.records import AlertTemplate, UrlAction
from tests.support.webhooks import Msp

pytestmark = pytest.mark.mainly("postgresql")


def titles(row: WebhookInstallation) -> list[str]:
    return [step["title"] for step in row.steps]


def ours(msp: Msp) -> AlertTemplate:
    return next(each for each in msp.tactical.state.templates if each.name.startswith("Portal"))


def test_an_installation_makes_everything_and_the_test_arrives(msp: Msp) -> None:
    row = msp.install("default")

    assert (row.ok, row.message) == (True, "Installed. Tactical's test call arrived.")
    failure, resolved = msp.tactical.state.url_actions
    assert failure.pattern == f"{msp.portal}/api/webhooks/tacticalrmm?tenant=acme"
    assert (failure.rest_body, resolved.rest_body) == (FAILURE_BODY, RESOLVED_BODY)
    assert "{{global.portal_webhook_secret}}" in (failure.rest_headers or "")
    [key] = msp.tactical.state.global_keys
    template = ours(msp)
    assert (template.action_type, template.action_rest) == ("rest", failure.pk)
    assert (template.resolved_action_type, template.resolved_action_rest) == ("rest", resolved.pk)
    assert msp.tactical.state.settings.alert_template == template.pk
    with msp.scope():
        assert key.value == keys.reveal()
        assert get_delivery(row.test_delivery_id or 0).status is DeliveryStatus.TEST


@pytest.mark.parametrize("apply_to", [("none",), ("default",), ("clients", 1, 2)])
def test_a_second_time_changes_nothing(msp: Msp, apply_to: tuple[Any, ...]) -> None:
    msp.install(*apply_to)
    before = msp.everything()
    msp.tactical.control.log.clear()
    row = msp.install(*apply_to)

    assert (row.ok, row.message) == (True, "Nothing changed. Tactical's test call arrived.")
    assert msp.writes() == []
    assert msp.everything() == before
    assert {
        change.verb for change in msp.preview(InstallationAction.INSTALL, *apply_to).changes
    } == {Verb.KEEP}


@pytest.mark.parametrize("apply_to", [("none",), ("default",), ("clients", 1, 2)])
def test_a_removal_takes_back_exactly_what_was_made(msp: Msp, apply_to: tuple[Any, ...]) -> None:
    state = msp.tactical.state
    foreign = state.templates.add(AlertTemplate(state.templates.next_pk(), "By hand")).pk
    state.url_actions.add(UrlAction(state.url_actions.next_pk(), "Portal acme: alert failed"))
    state.settings.alert_template = state.clients[1].alert_template = foreign
    before = msp.everything()

    assert msp.install(*apply_to).ok
    assert msp.everything() != before
    row = msp.remove()
    assert (row.ok, row.made.get("pieces")) == (True, {})
    assert msp.everything() == before
    assert msp.remove().steps == []


@pytest.mark.one_database
def test_the_preview_is_what_is_done(msp: Msp) -> None:
    state = msp.tactical.state
    state.settings.alert_template = state.templates.add(AlertTemplate(1, "By hand")).pk
    before = msp.everything()
    plan = msp.preview(InstallationAction.INSTALL, "default")

    assert msp.everything() == before
    assert [(change.verb, change.title) for change in plan.changes] == [
        (Verb.CREATE, "Key store value “portal_webhook_secret”"),
        (Verb.CREATE, "URL action “Portal acme: alert failed”"),
        (Verb.CREATE, "URL action “Portal acme: alert resolved”"),
        (Verb.CREATE, "Alert template “Portal acme: webhook”"),
        (Verb.CHOOSE, "Server default"),
    ]
    assert plan.changes[-1].warning.startswith("It replaces “By hand”")
    with msp.scope():
        assert keys.reveal() not in repr(plan)
    assert len(titles(msp.install("default"))) == len(plan.changes) + 1


def test_what_was_altered_at_tactical_is_put_right(msp: Msp) -> None:
    msp.install("default")
    state = msp.tactical.state
    failure, resolved = state.url_actions
    failure.pattern = "https://elsewhere.example/"
    state.url_actions.remove(resolved.pk)
    plan = msp.preview(InstallationAction.INSTALL, "default")

    assert [change.verb for change in plan.changes] == [
        *(Verb.KEEP, Verb.UPDATE, Verb.CREATE, Verb.UPDATE, Verb.KEEP)
    ]
    assert plan.changes[1].detail == "Changes the address."
    assert msp.install("default").ok
    assert ours(msp).resolved_action_rest == max(each.pk for each in state.url_actions)


@pytest.mark.one_database
def test_where_it_works_can_be_chosen_anew(msp: Msp) -> None:
    clients = msp.tactical.state.clients
    msp.install("clients", 1, 2)
    pk = ours(msp).pk
    assert [clients[each].alert_template for each in (1, 2, 3)] == [pk, pk, None]

    msp.install("clients", 2, 3)
    assert [clients[each].alert_template for each in (1, 2, 3)] == [None, pk, pk]
    msp.install("none")
    assert [clients[each].alert_template for each in (1, 2, 3)] == [None, None, None]


@pytest.mark.one_database
def test_a_choice_that_somebody_changed_since_is_left_alone(msp: Msp) -> None:
    state = msp.tactical.state
    msp.install("clients", 1)
    other = state.templates.add(AlertTemplate(state.templates.next_pk(), "Newer")).pk
    state.clients[1].alert_template = other

    assert "Leave alone: Organization" in titles(msp.remove())[0]
    assert state.clients[1].alert_template == other


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("lacking", "apply_to"),
    [
        (["can_run_urlactions"], "none"),
        (["can_list_alerttemplates"], "none"),
        (["can_edit_core_settings"], "default"),
        (["can_manage_alerttemplates", "can_edit_core_settings"], "none"),
        (["can_manage_clients"], "clients"),
    ],
)
def test_what_the_key_may_not_do_is_named_before_anything_is_done(
    msp: Msp, lacking: list[str], apply_to: str
) -> None:
    msp.use_key(without=lacking)
    before = msp.everything()
    plan, row = msp.preview(InstallationAction.INSTALL, apply_to, 1), msp.install(apply_to, 1)

    assert sorted(plan.lacking) == sorted(lacking)
    assert (row.ok, row.fault, sorted(row.missing)) == (
        False,
        "missing_permission",
        sorted(lacking),
    )
    assert all(flag in (row.message or "") for flag in lacking)
    assert msp.everything() == before


@pytest.mark.one_database
@pytest.mark.parametrize("flag", ["can_view_global_keystore", "can_edit_global_keystore"])
def test_without_the_key_store_the_secret_stands_in_the_headers(msp: Msp, flag: str) -> None:
    msp.use_key(without=[flag])

    assert msp.preview().key_store_flag == flag
    assert msp.install().ok
    with msp.scope():
        assert keys.reveal() in (next(iter(msp.tactical.state.url_actions)).rest_headers or "")
    assert list(msp.tactical.state.global_keys) == []


@pytest.mark.one_database
def test_a_hosted_server_does_not_let_its_default_be_chosen(msp: Msp) -> None:
    msp.tactical.control.server.set(hosted=True)
    row = msp.install("default")

    assert not row.ok
    assert "Choose the template in Tactical's Global Settings" in (row.message or "")
    assert [step["state"] for step in row.steps] == [*["ok"] * 4, "failed", "skipped"]
    assert msp.install("clients", 1).ok


@pytest.mark.one_database
def test_the_key_store_is_left_when_it_is_not_wanted_any_more(msp: Msp) -> None:
    msp.install()
    assert msp.install(use_key_store=False).ok
    assert list(msp.tactical.state.global_keys) == []


def test_an_answer_that_got_lost_makes_nothing_twice(msp: Msp) -> None:
    msp.tactical.control.faults.add("reset", "/core/urlaction/", method="POST", times=1)
    first, second = msp.install(), msp.install()

    assert (first.ok, second.ok) == (False, True)
    assert len(msp.tactical.state.url_actions) == 2
    msp.remove()
    assert len(msp.tactical.state.url_actions) == 0


@pytest.mark.one_database
def test_a_portal_that_tactical_does_not_reach(msp: Msp) -> None:
    away = Msp(msp.app, msp.tactical, "http://127.0.0.1:9", msp.id)
    row = away.install()

    assert (row.ok, row.fault) == (False, "test_not_arrived")
    assert "Tactical's test did not arrive" in (row.message or "")
    assert row.steps[-1]["state"] == "failed"
    with msp.scope():
        assert keys.reveal() not in f"{row.message} {row.steps}"


@pytest.mark.one_database
def test_an_alert_arrives_by_what_was_installed(msp: Msp) -> None:
    msp.install("default")
    agent = msp.tactical.control.agents.ids()[0]
    pk = msp.tactical.control.alerts.trigger(agent)
    assert pk is not None

    def status() -> tuple[AlertStatus, str]:
        with msp.scope():
            processing.process_due()
            [found] = listing.list_alerts(AlertFilter()).items
            return found.alert.status, str(found.alert.source)

    assert status() == (AlertStatus.ACTIVE, "webhook")
    msp.tactical.control.alerts.resolve(pk)
    assert status() == (AlertStatus.RESOLVED, "webhook")
    assert {run.retcode for run in msp.tactical.control.alerts.runs(pk).values()} == {202}
