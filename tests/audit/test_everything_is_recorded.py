"""Every route and command that changes something writes a row: one that is not known fails."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import click
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.routing import Rule

from portal.cli import portal as portal_command
from portal.cli.command import PortalCommand
from portal.clock import utc_now
from portal.db import db, transaction
from portal.models import (
    AlertRule,
    Asset,
    AssetTag,
    AuditEntry,
    Client,
    Delivery,
    Errand,
    Integration,
    Membership,
    OrganizationMapping,
    SavedView,
    SyncRun,
    Ticket,
    TicketTask,
    UndoOffer,
)
from portal.models.audit.entry import AuditRow, InstallAuditEntry
from portal.models.deliveries.delivery import DeliveryStatus
from portal.models.errands.errand import ErrandKind
from portal.models.integrations.integration import IntegrationState, Stop
from portal.models.runs.sync_run import RunStatus
from portal.models.tickets.ticket import TaskStatus, TaskVerb, TicketStatus
from portal.scope import all_tenants, tenant_scope
from portal.services.alerts.acknowledging import acknowledge
from portal.services.alerts.assigning import assign, list_assignees
from portal.services.alerts.portions import PORTION
from portal.services.audit.actions import Action
from portal.services.oidc import people
from portal.services.oidc.entered import ProviderSettings
from portal.services.oidc.settings import save_provider
from portal.services.organizations.mapping import set_auto_sync
from portal.services.rules.file.importing import digest
from tests.web.safety.test_isolation import address, methods
from tests.web.world import Place, make_asset, make_desk_form, make_place, make_user, sign_in

pytestmark = pytest.mark.mainly("sqlite")

Prepare = Callable[[Place], dict[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Drive:
    """How a route is called, and what it writes. `prepare` makes what it needs in the tenant's
    scope, and may give more of the form."""

    action: str
    form: dict[str, Any] = field(default_factory=dict)
    prepare: Prepare | None = None


def _change(model: type[Any], row_id: int, **values: Any) -> None:
    with transaction() as session:
        row = session.get_one(model, row_id)
        for name, value in values.items():
            setattr(row, name, value)


def _ids(name: str) -> Prepare:
    """The row of that name is ticked."""
    return lambda place: {name: getattr(place, name)}


def _missing(place: Place) -> dict[str, Any]:
    _change(Asset, place.asset, missing_since=utc_now())
    return {"asset": place.asset}


def _deleted_view(place: Place) -> None:
    _change(SavedView, place.view, deleted_at=utc_now())


def _view_to_undo(place: Place) -> None:
    _deleted_view(place)
    owners = select(Membership.user_id).where(Membership.role == "owner")
    _change(UndoOffer, place.offer, user_id=db.session.scalars(owners).one())


def _waiting_for_long(place: Place) -> None:
    wanted = {"deed": "resolve", "alert_ids": list(range(PORTION + 1)), "days": None, "undo": None}
    _change(Errand, place.errand, kind=ErrandKind.ACT_ON_ALERTS, ok=None, wanted=wanted)


def _tagged(place: Place) -> dict[str, Any]:
    with transaction() as session:
        session.add(AssetTag(asset_id=place.asset, tag="backup"))
    return {"asset": place.asset}


def _retired(place: Place) -> dict[str, Any]:
    _change(Asset, place.asset, missing_since=utc_now(), retired_at=utc_now())
    return {"asset": place.asset, "number": 1}


def _another_asset(place: Place) -> dict[str, Any]:
    with transaction() as session:
        integration = session.get_one(Asset, place.asset).integration_id
        other = make_asset(integration, place.client, "acme-twin")
        session.add(other)
        session.flush()
        return {"with": other.id}


def _another_client(place: Place) -> dict[str, Any]:
    with transaction() as session:
        client = Client(name="Another")
        session.add(client)
        session.flush()
        return {"client_id": client.id, "client_name": ""}


def _chosen_asset(place: Place) -> dict[str, Any]:
    return {"asset": place.asset}


def _chosen_client(place: Place) -> dict[str, Any]:
    return {"client": place.client, "auto_sync": "off"}


def _asset_and_client(place: Place) -> dict[str, Any]:
    return _another_client(place) | _chosen_asset(place)


def _no_rule(place: Place) -> None:
    with transaction() as session:
        session.delete(session.get_one(AlertRule, place.rule))


def _free_client(place: Place) -> None:
    with transaction() as session:
        session.delete(session.get_one(Asset, place.asset))
        session.get_one(OrganizationMapping, place.organization).client_id = None


def _customer(place: Place) -> dict[str, Any]:
    return {f"customer-{place.client}": "Contoso"}


def _unmapped_one(place: Place) -> dict[str, Any]:
    _change(OrganizationMapping, place.organization, client_id=None)
    return {"organization": place.organization}


def _named_client(place: Place) -> None:
    with transaction() as session:
        mapping = session.get_one(OrganizationMapping, place.organization)
        mapping.client_id = None
        session.add(Client(name=mapping.external_organization_name))


def _locked(place: Place) -> None:
    _change(Asset, place.asset, name_locked=True)


def _failed_delivery(place: Place) -> None:
    _change(Delivery, place.delivery, status=DeliveryStatus.FAILED, hint={"kind": "none"})


def _held(_place: Place) -> None:
    _of_integration(state=IntegrationState.HELD)


def _held_organization(place: Place) -> dict[str, Any]:
    _change(OrganizationMapping, place.organization, held_since=utc_now())
    return {"organization": place.organization}


def _code_wanted(_place: Place) -> None:
    _of_integration(stopped_for=Stop.CODE_NEEDED)


def _of_integration(**values: Any) -> None:
    integration = db.session.scalars(select(Integration)).one()
    _change(Integration, integration.id, **values)


def _queued(place: Place) -> None:
    _change(SyncRun, place.run, status=RunStatus.QUEUED)


def _with_run_to_undo(place: Place) -> None:
    set_auto_sync(place.organization, on=False)
    with transaction() as session:
        newest = session.scalars(select(SyncRun).order_by(SyncRun.id.desc()).limit(1)).one()
        place_run[place.id] = newest.id


def _with_provider(_place: Place) -> dict[str, Any]:
    save_provider(ProviderSettings("https://login.example", "portal", "a secret"))
    return {"issuer": "https://login.example", "client_id": "portal"}


def _linked(place: Place) -> None:
    _with_provider(place)
    people.link(place.member, "https://login.example", "member-1")


def _chosen_alert(place: Place) -> dict[str, Any]:
    return {"alert": place.alert}


def _acknowledged(place: Place) -> None:
    acknowledge([place.alert])


def _assigned(place: Place) -> dict[str, Any]:
    assign([place.alert], list_assignees()[0].id)
    return {"alert": place.alert, "assigned_to": "nobody"}


def _failed_ticket(place: Place) -> dict[str, Any]:
    _lose_ticket(place, TicketStatus.FAILED, TaskStatus.FAILED)
    return {"ticket": place.ticket}


def _unsure_ticket(place: Place) -> None:
    _lose_ticket(place, TicketStatus.UNSURE, TaskStatus.UNSURE)


def _lose_ticket(place: Place, status: TicketStatus, of_task: TaskStatus) -> None:
    """What became of opening it."""
    _change(Ticket, place.ticket, status=status, reference=None, last_error="The answer was lost.")
    ids = {"ticket_id": place.ticket, "helpdesk_id": place.helpdesk}
    with transaction() as session:
        key = f"of ticket {place.ticket}"
        session.add(TicketTask(**ids, verb=TaskVerb.OPEN, key=key, status=of_task))


class KeptFile(io.BytesIO):
    """One that can be sent more than once."""

    def close(self) -> None:
        self.seek(0)


def _file_to_take_over(_place: Place) -> dict[str, Any]:
    file = b"rules: [{name: New, steps: {ignore: Noise}}]"
    return {"file": (KeptFile(file), "rules.yaml"), "looked_at": digest(file)}


place_run: dict[int, int] = {}
"""The run that a route is about, where it is another than the place's."""


WINDOW = {
    **{"name": "Patch night", "zone": "Europe/Berlin", "place": "everything"},
    **{"starts": "2090-01-07T22:00", "ends": "2090-01-08T06:00"},
}

CHANNEL = {
    **{"name": "Changed", "most_per_minute": "9", "url": "https://far.example/hook-Rq8vT2mZ5w"},
    **{"method": "POST", "format": "json"},
}
HELPDESK = make_desk_form("far") | {"name": "Changed", "token": "1-23-Canary61TokenOfHelpdesk"}
ROUTES = {
    "api_tokens.add": Drive("token.made", {"name": "Reports", "scopes": "read", "days": "90"}),
    "api_tokens.revoke": Drive("token.revoked"),
    "api_tokens.revoke_many": Drive("token.revoked", prepare=_ids("token")),
    "alerts.act": Drive("alert.resolved", {"action": "resolve"}),
    "alerts.act_on_many": Drive(
        "alert.snoozed",
        {"action": "snooze", "snooze_for": "3d"},
        lambda place: {"alert": place.alert},
    ),
    "alerts.acknowledge_many": Drive("alert.acknowledged", prepare=_chosen_alert),
    "alerts.acknowledge_one": Drive("alert.acknowledged", {"note": "Mine."}),
    "alerts.assign_many": Drive("alert.assigned", prepare=_assigned),
    "alerts.assign_one": Drive("alert.assigned", {"assigned_to": "nobody"}, _assigned),
    "alerts.unacknowledge_one": Drive("alert.unacknowledged", prepare=_acknowledged),
    "errands.stop": Drive("request.stopped", prepare=_waiting_for_long),
    "assets.delete": Drive("asset.deleted", prepare=_retired),
    "assets.do_merge": Drive("asset.merged", prepare=_another_asset),
    "assets.edit": Drive(
        "asset.edited",
        {"name": "New", "asset_type": "server"},
        lambda place: {"client_id": place.client},
    ),
    "alerts.export_chosen": Drive("list.exported", prepare=_chosen_alert),
    "assets.export_chosen": Drive("list.exported", prepare=_chosen_asset),
    "assets.move": Drive("asset.edited", prepare=_asset_and_client),
    "assets.refresh": Drive("run.started"),
    "assets.save_note": Drive("asset.noted", {"note": "At the desk", "version": "none"}),
    "assets.refresh_many": Drive("run.started", prepare=_chosen_asset),
    "assets.release": Drive("asset.released", prepare=_locked),
    "assets.restore": Drive("asset.restored", prepare=_retired),
    "assets.tag": Drive("asset.tagged", {"tag": "backup"}, lambda place: {"asset": place.asset}),
    "assets.untag": Drive("asset.untagged", {"tag": "backup"}, _tagged),
    "assets.retire": Drive("asset.retired", prepare=_missing),
    "channels.add": Drive("channel.added", {**CHANNEL, "name": "New"}),
    "channels.delete": Drive("channel.deleted", prepare=_no_rule),
    "channels.save": Drive("channel.changed", CHANNEL),
    "channels.switch_off": Drive("channel.switched_off"),
    "channels.switch_on": Drive("channel.switched_on"),
    "channels.test": Drive("channel.tested"),
    "channels.word": Drive("channel.worded"),
    "tickets.link": Drive(
        "ticket.linked", {"reference": "77"}, lambda place: {"helpdesk": place.helpdesk}
    ),
    "tickets.open_one": Drive(
        "ticket.opened",
        {"ticket_queue": "support", "ticket_per": "check"},
        lambda place: {"helpdesk": place.helpdesk},
    ),
    "tickets.retry_many": Drive("ticket.retried", prepare=_failed_ticket),
    "tickets.retry_one": Drive("ticket.retried", prepare=_failed_ticket),
    "tickets.settle": Drive(
        "ticket.settled", {"found": "there", "reference": "77"}, prepare=_unsure_ticket
    ),
    "clients.delete": Drive("client.deleted", prepare=_free_client),
    "clients.edit": Drive("client.renamed", {"name": "New"}),
    "clients.export_chosen": Drive("list.exported", prepare=_chosen_client),
    "clients.refresh_many": Drive("run.started", prepare=_chosen_client),
    "clients.set_auto_sync": Drive("organization.auto_sync_set", prepare=_chosen_client),
    "clients.tag": Drive("asset.tagged", {"tag": "backup"}, _chosen_client),
    "clients.untag": Drive(
        "asset.untagged", {"tag": "backup"}, lambda place: _tagged(place) and _chosen_client(place)
    ),
    "clients.new": Drive("client.added", {"name": "New"}),
    "conflicts.settle": Drive(
        "conflict.settled", prepare=lambda place: {"one": f"separate-{place.conflict}"}
    ),
    "deliveries.replay_failed": Drive("delivery.replayed", prepare=_failed_delivery),
    "deliveries.replay_many": Drive("delivery.replayed", {"which": "all"}, _failed_delivery),
    "deliveries.replay_one": Drive("delivery.replayed", prepare=_failed_delivery),
    "helpdesks.add": Drive("helpdesk.added", {**HELPDESK, "name": "New"}),
    "helpdesks.ask": Drive("helpdesk.asked"),
    "helpdesks.delete": Drive("helpdesk.deleted"),
    "helpdesks.map_clients": Drive("helpdesk.customers_mapped", prepare=_customer),
    "helpdesks.save": Drive("helpdesk.changed", HELPDESK),
    "helpdesks.switch_off": Drive("helpdesk.switched_off"),
    "helpdesks.switch_on": Drive("helpdesk.switched_on"),
    "helpdesks.test": Drive("helpdesk.probed", {"queue": "General"}),
    "notices.choose": Drive("notices.chosen"),
    "saved_views.save": Drive("view.saved", {"list_name": "assets", "name": "Old"}),
    "saved_views.change": Drive("view.changed", {"query": "type=server"}),
    "saved_views.rename": Drive("view.renamed", {"name": "Other"}),
    "saved_views.delete": Drive("view.deleted"),
    "saved_views.restore": Drive("view.restored", prepare=_deleted_view),
    "saved_views.start": Drive("list.look_chosen", {"begins": "1"}),
    "saved_views.choose_look": Drive("list.look_chosen", {"density": "compact"}),
    "organizations.accept_exact": Drive("organization.mapped", prepare=_named_client),
    "organizations.act_on_many": Drive("organization.mapped", {"action": "create"}, _unmapped_one),
    "organizations.create_client": Drive("organization.mapped", prepare=_unmapped_one),
    "organizations.set_ignored": Drive("organization.ignored_set", {"ignored": "1"}, _unmapped_one),
    "organizations.accept_suggestion": Drive("organization.mapped", prepare=_another_client),
    "organizations.decide": Drive("organization.decided", {"decision": "gone"}, _held_organization),
    "organizations.map_to_client": Drive("organization.mapped", prepare=_another_client),
    "organizations.remove_created": Drive("run.created_removed", {"number": "1"}),
    "organizations.set_auto_sync": Drive("organization.auto_sync_set"),
    "organizations.sync": Drive("run.started"),
    "organizations.unmap": Drive("organization.unmapped"),
    "plans.apply": Drive("plan.applied"),
    "plans.decline": Drive("plan.declined"),
    "rules.act": Drive("rule.acted"),
    "rules.add_defaults": Drive("rule.defaults_taken"),
    "rules.delete": Drive("rule.deleted"),
    "rules.duplicate": Drive("rule.added"),
    "rules.edit": Drive(
        "rule.changed", {"name": "New", "does": "ignore", "ignore": "Noise", "do": "save"}
    ),
    "rules.move": Drive("rule.moved"),
    "rules.new": Drive(
        "rule.added", {"name": "New", "does": "ignore", "ignore": "Noise", "do": "save"}
    ),
    "rules.switch": Drive("rule.switched_off", {"on": "0"}),
    "rules.switch_many": Drive("rule.switched_off", {"on": "0"}, _ids("rule")),
    "rules.take_over": Drive("rule.imported", {"do": "apply"}, _file_to_take_over),
    "subscribers.add": Drive("subscriber.added", {"url": "https://siem.example/hook-Jc4nB7xL1y"}),
    "subscribers.delete": Drive("subscriber.deleted"),
    "subscribers.pause": Drive("subscriber.paused"),
    "subscribers.resume": Drive("subscriber.resumed"),
    "subscribers.test": Drive("subscriber.tested"),
    "sync_runs.cancel": Drive("run.cancelled", prepare=_queued),
    "sync_runs.retry": Drive("run.started"),
    "sync_runs.start": Drive("run.started"),
    "sync_runs.undo": Drive("run.reverted", prepare=_with_run_to_undo),
    "tacticalrmm.decide_identity": Drive("connection.server_decided", {"decision": "same"}, _held),
    "tacticalrmm.disconnect": Drive("connection.ended"),
    "tacticalrmm.enter_code": Drive(
        "connection.code_entered", {"totp_code": "123456"}, _code_wanted
    ),
    "tacticalrmm.save": Drive("connection.saved", {"api_key": "A-NEW-KEY-OF-THE-TESTS"}),
    "tacticalrmm.test": Drive("connection.tested"),
    "factor_rules.save": Drive("factor.rule_set", {"rule": "admins"}),
    "first_steps.resume": Drive("tenant.first_steps_set"),
    "first_steps.skip": Drive("tenant.first_steps_set", {"step": "people"}),
    "single_sign_on.save": Drive(
        "single_sign_on.saved", {"scopes": "groups"}, prepare=_with_provider
    ),
    "single_sign_on.switch_off": Drive("single_sign_on.switched_off", prepare=_with_provider),
    "single_sign_on.test": Drive("single_sign_on.tested", prepare=_with_provider),
    "single_sign_on.unlink": Drive("single_sign_on.unlinked", prepare=_linked),
    "undo.press": Drive("view.restored", prepare=_view_to_undo),
    "users.change_role": Drive("user.role_changed", {"role": "technician"}),
    "users.disable": Drive("user.disabled"),
    "users.enable": Drive("user.enabled"),
    "users.limit": Drive("user.limited", {"sees": "some"}, lambda place: {"client": place.client}),
    "users.invite": Drive("user.invited", {"email": "new@acme.example", "role": "viewer"}),
    "users.remove": Drive("user.removed"),
    "users.renew_invitation": Drive("user.invited"),
    "users.reset": Drive("password.link_issued"),
    "users.sign_out": Drive("user.signed_out"),
    "users.withdraw_invitation": Drive("user.invitation_withdrawn"),
    "webhook.install": Drive("webhook.installed", {"apply_to": "none", "action": "install"}),
    "webhook.plan": Drive("webhook.planned", {"apply_to": "none", "action": "install"}),
    "webhook.reveal": Drive("webhook.secret_revealed"),
    "webhook.rotate": Drive("webhook.secret_rotated", {"at_once": "yes"}),
    "webhook.save": Drive("connection.saved", {"delivery_days": "7"}),
    "webhook.test": Drive("webhook.tested"),
    "watches.new": Drive("watch.added", {"older_than": "3.0"}),
    "watches.remove": Drive("watch.removed"),
    "watches.remove_many": Drive("watch.removed", prepare=_ids("watch")),
    "watches.switch": Drive("watch.switched_off"),
    "watches.switch_many": Drive("watch.switched_off", prepare=_ids("watch")),
    "windows.delete_many": Drive("window.deleted", prepare=_ids("window")),
    "windows.add_link": Drive("calendar_link.made", {"name": "Team"}),
    "windows.revoke_link": Drive("calendar_link.revoked"),
    "windows.begin_for_asset": Drive("window.added", {"hours": "2"}),
    "windows.begin_for_client": Drive("window.added", {"hours": "2"}),
    "windows.delete": Drive("window.deleted"),
    "windows.edit": Drive("window.changed", WINDOW),
    "windows.end": Drive("window.ended"),
    "windows.new": Drive("window.added", WINDOW),
    # Files: they change nothing, but leave the portal.
    "alerts.export": Drive("list.exported"),
    "assets.export": Drive("list.exported"),
    "audit.export": Drive("list.exported"),
    "clients.export": Drive("list.exported"),
    "clients.report_file": Drive("list.exported"),
    "organizations.export": Drive("list.exported"),
    "rules.export": Drive("list.exported"),
    "software.export": Drive("list.exported"),
    "assets.export_software_of": Drive("list.exported"),
    "software.export_of_product": Drive("list.exported"),
    "tickets.export": Drive("list.exported"),
}

ELSEWHERE = {
    "auth.sign_in": "test_people.py",
    "auth.sign_out": "test_people.py",
    "auth.setup": "test_people.py",
    "auth.account": "test_people.py",
    "auth.reset": "test_people.py",
    "second_factors.add_app": "test_people.py",
    "second_factors.confirm_app": "test_people.py",
    "second_factors.remove_app": "test_people.py",
    "second_factors.renew_codes": "test_people.py",
    "second_step.check": "test_people.py",
    "second_factors.offer": "test_people.py",
    "places.leave": "test_people.py",
    "auth.accept_invitation": "test_people.py",
    **dict.fromkeys(
        (
            *("passkeys.add", "passkeys.finish", "passkeys.rename", "passkeys.remove"),
            *("second_step.use_passkey_alone", "browsers.end", "browsers.end_others"),
            "users.end_browser",
        ),
        "test_browsers.py",
    ),
}
"""Of people and not of a tenant: driven there."""
AT_A_PROVIDER = {"sso.callback", "sso.link", "sso.unlink", "sso.join", "sso.enter"}
"""Driven with an identity provider, in tests/oidc."""
OF_A_LINK = {"acknowledge.do"}
"""Driven with a link, in tests/alerts/test_links.py."""
LOOKING = {"acknowledge.show", "auth.show_invitation", "auth.show_reset", "helpdesks.preview"}
"""They are sent the code of a link or a form, to show what it opens or would ask."""
NOBODYS = {"webhooks.receive", "webhooks.take_hint"}
"""What these send is no person's doing: a delivery, an event, a word that changes nothing."""


COMES = {
    *("asset.tagged", "calendar_link.made", "channel.added", "client.added", "helpdesk.added"),
    *("network.allowed", "rule.added", "rule.defaults_taken", "subscriber.added"),
    *("tenant.added", "user.added", "ticket.linked", "ticket.opened", "token.made", "user.invited"),
    *("view.restored", "view.saved", "watch.added", "watch.restored", "window.added"),
    *("window.restored", "password.link_issued", "keys.rotated"),
    # A run, a plan or a request, of which a page says what became of it.
    *("plan.applied", "run.created_removed", "run.reverted", "run.started"),
    *("webhook.installed", "webhook.planned", "webhook.removed", "webhook.tested"),
}
"""By these something comes to be: there was nothing before."""
GOES = {
    *("asset.untagged", "calendar_link.revoked", "channel.deleted", "client.deleted"),
    *("connection.ended", "factor.reset", "keys.removed", "network.withdrawn", "rule.deleted"),
    *("single_sign_on.unlinked", "subscriber.deleted", "tenant.removed", "token.revoked"),
    *("user.invitation_withdrawn", "user.removed", "view.deleted", "watch.removed"),
    "window.deleted",
}
"""By these something ceases to be: there is nothing after."""
DEEDS = {
    **dict.fromkeys(
        (
            *("channel.tested", "connection.tested", "helpdesk.asked", "helpdesk.probed"),
            *("single_sign_on.tested", "subscriber.tested"),
        ),
        "It tries what is there, and changes nothing of it.",
    ),
    **dict.fromkeys(
        ("keys.digests_renewed", "keys.secrets_encrypted"),
        "What is kept stays the same secret, and the row says under which key and how many.",
    ),
    "connection.code_entered": "The code is good once, and kept nowhere.",
    "list.exported": "What leaves the portal stays in it as it is.",
    "request.stopped": "How far it came is all that there is to say.",
    "rule.acted": "It does what the rule says about alerts, and changes nothing of the rule.",
    "user.signed_out": "Of sessions there is nothing to say but that they ended.",
    "webhook.secret_revealed": "Somebody saw it; it stays what it is.",
}
"""By these no value changes, and why."""


LEAVING = {
    *("alerts.export", "assets.export", "audit.export", "clients.export", "clients.report_file"),
    *("organizations.export", "rules.export", "software.export", "assets.export_software_of"),
    *("software.export_of_product", "tickets.export"),
}
"""What is only read and leaves the portal as a file."""


OF_FILES = {"static", "help.show"}
"""Of the install and not of a tenant."""


def changing_rules(app: Flask) -> Iterator[Rule]:
    """With what is read, and writes a row all the same."""
    for rule in app.url_map.iter_rules():
        if set(methods(rule)) - {"GET"} or rule.endpoint in (*LEAVING, "sso.callback"):
            yield rule


def test_of_all_that_is_read_only_what_leaves_the_portal_writes(
    app: Flask, http: FlaskClient
) -> None:
    place = make_place(app)
    sign_in(app, http, make_user(app, "owner@acme.example", place, role="owner"))
    wrote = set()
    for rule in app.url_map.iter_rules():
        if "GET" in methods(rule) and rule.endpoint not in OF_FILES:
            before = _count_rows(app)
            http.get(address(rule, place.slug, place)).get_data()  # a file is written while read
            if _count_rows(app) != before:
                wrote.add(rule.endpoint)
    assert wrote == LEAVING


def _count_rows(app: Flask) -> int:
    """In all chains."""
    with app.app_context(), all_tenants():
        numbers = [
            db.session.scalar(select(func.count()).select_from(model)) or 0
            for model in (AuditEntry, InstallAuditEntry)
        ]
        db.session.remove()
    return sum(numbers)


def test_every_route_is_known(app: Flask) -> None:
    known = {*ROUTES, *ELSEWHERE, *NOBODYS, *AT_A_PROVIDER, *OF_A_LINK, *LOOKING}
    assert {rule.endpoint for rule in changing_rules(app)} == known


def test_every_route_of_a_tenant_writes_its_row(app: Flask, http: FlaskClient) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    wrong: dict[str, Any] = {}
    untold: dict[str, Any] = {}
    for number, rule in enumerate(changing_rules(app)):
        drive = ROUTES.get(rule.endpoint)
        if drive is None:
            continue
        place = make_place(app, f"t{number}")
        sign_in(app, http, make_user(app, f"owner@t{number}.example", place, role="owner"))
        wrote = _drive(app, http, rule, drive, place)
        actions = [row.action for row in wrote]
        if drive.action not in actions or len(actions) > 2:
            wrong[rule.rule] = (drive.action, actions)
        untold |= {
            each.action: (each.before, each.after)
            for each in wrote
            if not is_told(each.action, each.before is not None, each.after is not None)
        }
    assert wrong == {}
    assert untold == {}


def is_told(action: str, has_before: bool, has_after: bool) -> bool:
    """Whether a row says what was before and after, as far as there was something."""
    if action in DEEDS:
        return True
    return (has_before, has_after) == (action not in COMES, action not in GOES)


def test_every_action_that_is_excepted_is_one() -> None:
    excepted = [*COMES, *GOES, *DEEDS]
    assert len(set(excepted)) == len(excepted)
    assert set(excepted) <= set(Action)


def _drive(
    app: Flask, http: FlaskClient, rule: Rule, drive: Drive, place: Place
) -> Sequence[AuditRow]:
    """The rows that it wrote."""
    with app.app_context(), tenant_scope(place.id):
        more = drive.prepare(place) if drive.prepare else None
        before = _newest()
        db.session.remove()
    where = address(rule, place.slug, place)
    where = where.replace(f"/{place.run}/", f"/{place_run.pop(place.id, place.run)}/")
    method = "POST" if "POST" in methods(rule) else "GET"
    answer = http.open(where, method=method, data={**drive.form, **(more or {})})
    assert answer.status_code < 400, answer.get_data()[-300:]
    with app.app_context(), tenant_scope(place.id):
        rows = select(AuditEntry).where(AuditEntry.number > before).order_by(AuditEntry.number)
        found = db.session.scalars(rows).all()
        assert all(row.actor_kind == "user" and row.address == "127.0.0.1" for row in found)
        assert all(row.source == f"{method} {rule.rule}" for row in found)
        db.session.remove()
    return found


def _newest() -> int:
    query = select(AuditEntry.number).order_by(AuditEntry.number.desc()).limit(1)
    return db.session.scalar(query) or 0


READ_ONLY = {
    "notices list",
    *("audit list", "audit verify", "organizations list", "conflicts list", "keys list", "missing"),
    *("plans show", "runs list", "runs show", "tenants list", "tenants list-networks"),
    "alerts timeline",
    *("oidc show", "tokens list", "users list"),
    "software watch list",
    *("windows list", "rules list", "rules try", "channels list"),
    *("helpdesks list", "tickets list"),
}
COMMANDS = {
    "alerts ack": "alert.acknowledged",
    "alerts snooze": "alert.snoozed",
    "alerts unsnooze": "alert.unsnoozed",
    "assets delete": "asset.deleted",
    "assets merge": "asset.merged",
    "assets restore": "asset.restored",
    "assets retire": "asset.retired",
    "audit prune": "audit.pruned",
    "channels test": "channel.tested",
    "helpdesks test": "helpdesk.probed",
    "tickets link": "ticket.linked",
    "tickets retry": "ticket.retried",
    "clients add": "client.added",
    "conflicts reopen": "conflict.reopened",
    "conflicts settle": "conflict.settled",
    "connect": "connection.saved",
    "decide-server": "connection.server_decided",
    "disconnect": "connection.ended",
    "export alerts": "list.exported",
    "export assets": "list.exported",
    "export deliveries": "list.exported",
    "export organizations": "list.exported",
    "export software": "list.exported",
    "keys remove": "keys.removed",
    "keys rotate": "keys.rotated",
    "map": "organization.mapped",
    "organizations settle": "organization.decided",
    "oidc off": "single_sign_on.switched_off",
    "oidc set": "single_sign_on.saved",
    "plans apply": "plan.applied",
    "plans decline": "plan.declined",
    "replay": "delivery.replayed",
    "report": "list.exported",
    "rules export": "list.exported",
    "rules import": "rule.imported",
    "runs revert": "run.reverted",
    **dict.fromkeys(
        (f"sync {kind}" for kind in ("agent", "alerts", "devices", "organizations")), "run.started"
    ),
    "sync software": "run.started",
    "sync status": "run.started",
    "tenants add": "tenant.added",
    "tenants second-factor": "factor.rule_set",
    "tenants allow-network": "network.allowed",
    "tenants remove": "tenant.removed",
    "tenants withdraw-network": "network.withdrawn",
    "test-connection": "connection.tested",
    "tokens add": "token.made",
    "tokens revoke": "token.revoked",
    "users add": "user.added",
    "users disable": "user.disabled",
    "users enable": "user.enabled",
    "users remove": "user.removed",
    "users invite": "user.invited",
    "users limit": "user.limited",
    "users sign-out": "user.signed_out",
    "users reset": "password.link_issued",
    "users reset-factors": "factor.reset",
    "users role": "user.role_changed",
    "webhook install": "webhook.installed",
    "webhook remove": "webhook.removed",
    "webhook rotate": "webhook.secret_rotated",
    "webhook show": "webhook.secret_revealed",
    "software watch add": "watch.added",
    "software watch remove": "watch.removed",
    "windows add": "window.added",
    "windows end": "window.ended",
}
"""What each writes; `test_commands.py` drives them."""


def list_commands(command: click.Command, name: str = "") -> Iterator[str]:
    if isinstance(command, click.Group):
        context = click.Context(command)
        for word in command.list_commands(context):
            found = command.get_command(context, word)
            assert found is not None
            yield from list_commands(found, f"{name} {word}".strip())
    elif isinstance(command, PortalCommand):
        yield name


def test_every_command_is_known() -> None:
    assert set(list_commands(portal_command)) == READ_ONLY | COMMANDS.keys()
