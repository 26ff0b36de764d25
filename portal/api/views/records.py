"""Clients, organizations, alerts, rules, maintenance windows, channels, software and runs."""

from __future__ import annotations

from typing import Any

from flask.typing import ResponseReturnValue
from marshmallow import fields, validate

from portal.api import alert_schemas, report_schemas, schemas
from portal.api.answers import answer_list, answer_one, list_url, page_url
from portal.api.document import Room
from portal.api.fields import Arguments, ListArguments, one_of, search, wanted_day, wanted_id
from portal.models.alerts.alert import AlertStatus, Severity
from portal.models.runs.sync_run import RunStatus, SyncKind
from portal.services.alerts.assigning import find_member_id
from portal.services.alerts.choices import URGENCIES
from portal.services.alerts.filters import (
    AGES,
    HANDLED,
    TICKETED,
    UNACKNOWLEDGED,
    UNTICKETED,
    AlertFilter,
)
from portal.services.api import lists
from portal.services.organizations.listing import OrganizationFilter
from portal.services.reports.client_month import read_client_month
from portal.services.reports.words import to_record
from portal.services.software.products import ProductFilter

clients = Room("clients", __name__, "Your customers.")
organizations = Room("organizations", __name__, "Tactical's clients, and whom they stand for.")
alerts = Room("alerts", __name__, "Tactical's alerts.")
rules = Room("rules", __name__, "Rules: what is done about alerts.")
windows = Room("windows", __name__, "Maintenance windows.")
channels = Room("channels", __name__, "Channels: where alerts are told.")
software = Room("software", __name__, "Titles of software across all assets.")
runs = Room("runs", __name__, "Syncs and other changes of many records.")


class ClientArguments(ListArguments):
    q = search("A part of the name.")


class ReportArguments(Arguments):
    month = fields.String(
        validate=validate.Regexp(r"^[0-9]{4}-(0[1-9]|1[0-2])$", error="Enter it like 2026-10."),
        metadata={"description": "Such as `2026-10`. Without it, the last one that is over."},
    )


class OrganizationArguments(ListArguments):
    q = search("A part of the name, or of the client's.")
    show = one_of([each for each in OrganizationFilter if each], "Without it, all.")


class AlertArguments(ListArguments):
    q = search("Words that must all be found in the message, names, kind or numbers.")
    status = one_of(AlertStatus, "Without it, all.")
    severity = one_of(Severity, "Without it, all.")
    client_id = wanted_id("Those of a client.")
    asset_id = wanted_id("Those of an asset.")
    age = one_of(AGES, "How long ago they were triggered.")
    handled = one_of((UNACKNOWLEDGED, *HANDLED), "What was done about the present occurrence.")
    rule_id = wanted_id("Those that an alert rule decided about.")
    window_id = wanted_id("Those that a maintenance window keeps or kept silent.")
    assigned_to = search("Those that somebody looks after: their address.")
    urgency = one_of(URGENCIES, "As a rule says.")
    raised = wanted_day("Those that were raised on this day, by the clock of the portal's machine.")
    resolved = wanted_day("Those that were resolved on this day, by the same clock.")
    ticket = one_of(
        (*TICKETED, UNTICKETED), "Whether the present occurrence has a ticket, or one such."
    )
    since = fields.AwareDateTime(
        format="iso", metadata={"description": "Triggered at this time or later."}
    )
    until = fields.AwareDateTime(
        format="iso", metadata={"description": "Triggered before this time."}
    )


class WindowArguments(ListArguments):
    show = one_of(("all",), "Those that are over or deleted, too.")


class TitleArguments(ListArguments):
    q = search("Words that must all be found in name or publisher.")
    show = one_of(("all",), "What no asset has any more, too.")


class RunArguments(ListArguments):
    kind = one_of(SyncKind, "Without it, all but status syncs that went well.")
    status = one_of(RunStatus, "Without it, all.")


class RecordArguments(ListArguments):
    action = search("Only those of an action, such as `failed`.")
    q = search("A part of the name, the id or the reason.")


@clients.lists("/clients", schemas.Client, ClientArguments)
def list_clients(arguments: dict[str, Any]) -> ResponseReturnValue:
    """List clients by name."""
    search_text = arguments.get("q", "")
    add_url = page_url("clients.show", "client_id")
    return answer_list(arguments, lambda part: lists.list_clients(search_text, part), add_url)


@clients.shows("/clients/<int:client_id>", schemas.Client)
def show_client(client_id: int) -> ResponseReturnValue:
    """Show a client."""
    return answer_one(lists.read_client(client_id), page_url("clients.show", "client_id"))


@clients.shows("/clients/<int:client_id>/report", report_schemas.ClientReport, ReportArguments)
def show_report(arguments: dict[str, Any], client_id: int) -> ResponseReturnValue:
    """Show the month of a client: its fleet and who came and went, for bills that can be proved.

    A month of which no history is kept is an error, which says how far it reaches.
    """
    report = read_client_month(client_id, arguments.get("month", ""))
    add_url = page_url("clients.report", "client_id", "client_id")
    return answer_one(to_record(report), add_url)


@organizations.lists("/organizations", schemas.Organization, OrganizationArguments)
def list_organizations(arguments: dict[str, Any]) -> ResponseReturnValue:
    """List the organizations of the connected server."""
    shown, search_text = OrganizationFilter(arguments.get("show", "")), arguments.get("q", "")
    return answer_list(
        arguments,
        lambda part: lists.list_organizations(shown, search_text, part),
        list_url("organizations.index", "q", "external_organization_name"),
    )


@organizations.shows("/organizations/<int:organization_id>", schemas.Organization)
def show_organization(organization_id: int) -> ResponseReturnValue:
    """Show an organization."""
    add_url = list_url("organizations.index", "q", "external_organization_name")
    return answer_one(lists.read_organization(organization_id), add_url)


@alerts.lists("/alerts", alert_schemas.Alert, AlertArguments)
def list_alerts(arguments: dict[str, Any]) -> ResponseReturnValue:
    """List alerts, the newest first."""
    shown = AlertFilter(
        search=arguments.get("q", ""),
        status=arguments.get("status", ""),
        severity=arguments.get("severity", ""),
        client_id=arguments.get("client_id"),
        asset_id=arguments.get("asset_id"),
        age=arguments.get("age", ""),
        handled=arguments.get("handled", ""),
        assigned_to=find_member_id(email) if (email := arguments.get("assigned_to")) else None,
        rule_id=arguments.get("rule_id"),
        window_id=arguments.get("window_id"),
        urgency=arguments.get("urgency", ""),
        raised_on=arguments.get("raised"),
        resolved_on=arguments.get("resolved"),
        ticket=arguments.get("ticket", ""),
    )
    since, until = arguments.get("since"), arguments.get("until")
    return answer_list(
        arguments,
        lambda part: lists.list_alerts(shown, since, until, part),
        page_url("alerts.show", "alert_id"),
    )


@alerts.shows("/alerts/<int:alert_id>", alert_schemas.Alert)
def show_alert(alert_id: int) -> ResponseReturnValue:
    """Show an alert."""
    return answer_one(lists.read_alert(alert_id), page_url("alerts.show", "alert_id"))


@rules.lists("/rules", schemas.Rule, ListArguments)
def list_rules(arguments: dict[str, Any]) -> ResponseReturnValue:
    """List the rules of alerts in the order in which they are tried."""
    return answer_list(arguments, lists.list_rules, page_url("rules.edit", "rule_id"))


@rules.shows("/rules/<int:rule_id>", schemas.Rule)
def show_rule(rule_id: int) -> ResponseReturnValue:
    """Show a rule."""
    return answer_one(lists.read_rule(rule_id), page_url("rules.edit", "rule_id"))


@windows.lists("/windows", schemas.Window, WindowArguments)
def list_windows(arguments: dict[str, Any]) -> ResponseReturnValue:
    """List maintenance windows that are in force or to come."""
    with_over = arguments.get("show") == "all"
    add_url = page_url("windows.show", "window_id")
    return answer_list(arguments, lambda part: lists.list_windows(with_over, part), add_url)


@windows.shows("/windows/<int:window_id>", schemas.Window)
def show_window(window_id: int) -> ResponseReturnValue:
    """Show a maintenance window."""
    return answer_one(lists.read_window(window_id), page_url("windows.show", "window_id"))


@channels.lists("/channels", schemas.Channel, ListArguments)
def list_channels(arguments: dict[str, Any]) -> ResponseReturnValue:
    """List channels, in the order in which they were added."""
    return answer_list(arguments, lists.list_channels, page_url("channels.show", "channel_id"))


@channels.shows("/channels/<int:channel_id>", schemas.Channel)
def show_channel(channel_id: int) -> ResponseReturnValue:
    """Show a channel."""
    return answer_one(lists.read_channel(channel_id), page_url("channels.show", "channel_id"))


@alerts.lists("/alerts/<int:alert_id>/timeline", alert_schemas.TimelineEntry, ListArguments, 404)
def list_timeline(arguments: dict[str, Any], alert_id: int) -> ResponseReturnValue:
    """List what happened to an alert, in order: why somebody was told of it, or nobody was."""
    add_url = page_url("alerts.show", "alert_id", "alert_id")
    return answer_list(arguments, lambda part: lists.list_timeline(alert_id, part), add_url)


@software.lists("/software", schemas.Title, TitleArguments)
def list_titles(arguments: dict[str, Any]) -> ResponseReturnValue:
    """List titles of software by name."""
    search, with_gone = arguments.get("q", ""), arguments.get("show") == "all"
    add_url = page_url("software.show", "title_id")
    return answer_list(
        arguments, lambda part: lists.list_titles(search, part, with_gone=with_gone), add_url
    )


@software.shows("/software/<int:title_id>", schemas.Title)
def show_title(title_id: int) -> ResponseReturnValue:
    """Show a title of software."""
    return answer_one(lists.read_title(title_id), page_url("software.show", "title_id"))


@software.lists("/products", schemas.Product, TitleArguments)
def list_products(arguments: dict[str, Any]) -> ResponseReturnValue:
    """List products by name: titles without their versions, architectures and languages."""
    shown = ProductFilter(arguments.get("q", ""), arguments.get("show") == "all")
    add_url = page_url("software.product", "product_id")
    return answer_list(arguments, lambda part: lists.list_products(shown, part), add_url)


@software.shows("/products/<int:product_id>", schemas.Product)
def show_product(product_id: int) -> ResponseReturnValue:
    """Show a product."""
    return answer_one(lists.read_product(product_id), page_url("software.product", "product_id"))


@software.lists("/watches", schemas.Watch, ListArguments)
def list_watches(arguments: dict[str, Any]) -> ResponseReturnValue:
    """List the watches of software.

    The assets that match one are those of `/installs` with its product, its `older_than` and its
    client.
    """
    return answer_list(arguments, lists.list_watches, page_url("watches.show", "watch_id"))


@software.shows("/watches/<int:watch_id>", schemas.Watch)
def show_watch(watch_id: int) -> ResponseReturnValue:
    """Show a watch of software."""
    return answer_one(lists.read_watch(watch_id), page_url("watches.show", "watch_id"))


@runs.lists("/runs", schemas.Run, RunArguments)
def list_runs(arguments: dict[str, Any]) -> ResponseReturnValue:
    """List runs, the newest first."""
    kind, status = arguments.get("kind", ""), arguments.get("status", "")
    add_url = page_url("sync_runs.show", "run_id")
    return answer_list(arguments, lambda part: lists.list_runs(kind, status, part), add_url)


@runs.shows("/runs/<int:run_id>", schemas.Run)
def show_run(run_id: int) -> ResponseReturnValue:
    """Show a run."""
    return answer_one(lists.read_run(run_id), page_url("sync_runs.show", "run_id"))


@runs.lists("/runs/<int:run_id>/records", schemas.RunRecord, RecordArguments, 404)
def list_records(arguments: dict[str, Any], run_id: int) -> ResponseReturnValue:
    """List what a run did to each record, in order. Records that it left as they were are not in
    it."""
    action, search_text = arguments.get("action", ""), arguments.get("q", "")
    add_url = page_url("sync_runs.show", "run_id", "run_id")
    return answer_list(
        arguments, lambda part: lists.list_records(run_id, action, search_text, part), add_url
    )
