"""Tactical RMM's settings: connect, test, decide about another server, disconnect."""

from __future__ import annotations

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import Field

from portal.errors import InvalidInput
from portal.extensions import htmx
from portal.models import ConnectionTest, Integration
from portal.models.integrations.integration import AuthMode, IntegrationState
from portal.services.accounts.permissions import Permission
from portal.services.integrations import connect as connect_service
from portal.services.integrations import identity, testing
from portal.services.integrations.connect import ConnectionSettings
from portal.services.integrations.current import find_integration, list_saved_secrets
from portal.services.integrations.option_kinds import OptionPage
from portal.services.integrations.options import show_options
from portal.services.integrations.preview_due import find_pending_preview
from portal.services.integrations.server_health import find_outage
from portal.services.integrations.status import read_status
from portal.web.forms import mark
from portal.web.guard import requires, tenant_blueprint
from portal.web.options import read_options
from portal.web.reauthentication import fresh_sign_in_required
from portal.web.tacticalrmm.charts import SIZE, draw_charts
from portal.web.tacticalrmm.forms import ConnectionForm

tacticalrmm = tenant_blueprint("tacticalrmm", __name__, "/integrations/tacticalrmm")

OF_THE_ACCOUNT = ("missing_permission", "throttled", "login_throttled")
"""Faults that no single field has; another key or user mends them."""


@tacticalrmm.get("/")
@requires(Permission.READ_CONNECTION)
def show() -> ResponseReturnValue:
    integration = find_integration()
    test = testing.find_last_test(integration) if integration else None
    form, marked = _filled_form(integration), None
    if test is not None and integration is not None and _still_tells(test, integration):
        field = _field_at_fault(test, integration)
        if field in form:
            marked = form[field]
            marked.errors = [test.message]
    return _page(form, integration, test, marked)


@tacticalrmm.post("/")
@requires(Permission.CHANGE_SETTINGS)
@fresh_sign_in_required
def save() -> ResponseReturnValue:
    """Save, then test: an untested connection syncs nothing."""
    form = ConnectionForm()
    try:
        connect_service.save_connection(_read_settings())
    except InvalidInput as error:
        mark(form, error)
        integration = find_integration()
        test = testing.find_last_test(integration) if integration else None
        return _page(form, integration, test), 422
    testing.request_test()
    return redirect(url_for("tacticalrmm.show"))


@tacticalrmm.post("/test")
@requires(Permission.CHANGE_SETTINGS)
def test() -> ResponseReturnValue:
    testing.request_test()
    return redirect(url_for("tacticalrmm.show"))


@tacticalrmm.get("/test/<int:test_id>")
@requires(Permission.READ_CONNECTION)
def test_progress(test_id: int) -> ResponseReturnValue:
    """The steps as they are now. The end brings the page anew, with the field marked."""
    found = testing.get_test(test_id)
    if not htmx:
        return redirect(url_for("tacticalrmm.show"))
    response = make_response(render_template("integrations/_test.html", test=found))
    if found.ok is not None:
        response.headers["HX-Refresh"] = "true"
    return response


@tacticalrmm.post("/server")
@requires(Permission.CHANGE_SETTINGS)
@fresh_sign_in_required
def decide_identity() -> ResponseReturnValue:
    word = request.form.get("decision", "")
    if word not in list(identity.ServerChoice):
        raise InvalidInput("Choose whether it is the same server or a new one.")
    identity.decide_server(identity.ServerChoice(word))
    choice = "the same server, moved" if word == identity.ServerChoice.SAME else "a new server"
    flash(f"Confirmed as {choice}. Syncing continues.", "success")
    return redirect(url_for("tacticalrmm.show"))


@tacticalrmm.post("/disconnect")
@requires(Permission.CHANGE_SETTINGS)
@fresh_sign_in_required
def disconnect() -> ResponseReturnValue:
    connect_service.disconnect()
    flash("Disconnected. Mappings and assets are kept.", "success")
    return redirect(url_for("tacticalrmm.show"))


def _field_at_fault(test: ConnectionTest, integration: Integration) -> str | None:
    """The field that mends it, among those that are in sight."""
    by_key = integration.auth_mode is AuthMode.API_KEY
    if by_key and test.field in ("username", "password"):
        return "api_key"
    if test.field is None and test.fault in OF_THE_ACCOUNT:
        return "api_key" if by_key else "username"
    return test.field


def _still_tells(test: ConnectionTest, integration: Integration) -> bool:
    """Whether the last test's fault is still that of the settings shown."""
    if test.ok is not False:
        return False
    return integration.state is not IntegrationState.DISCONNECTED and bool(integration.last_error)


def _page(
    form: ConnectionForm,
    integration: Integration | None,
    test: ConnectionTest | None,
    marked: Field | None = None,
) -> str:
    """`marked`: the field that says what the test found wrong."""
    held = integration is not None and integration.state is IntegrationState.HELD
    if integration is not None and integration.state is IntegrationState.DISCONNECTED:
        test = None  # it is about credentials that are gone
    status = read_status(integration) if integration else None
    return render_template(
        "integrations/tacticalrmm.html",
        form=form,
        integration=integration,
        saved=list_saved_secrets(integration) if integration else {},
        test=test,
        marked=marked,
        identity=identity.describe_difference() if held else None,
        status=status,
        run_charts=draw_charts() if integration else [],
        chart_size=SIZE,
        run=status.importing if status else None,
        outage=find_outage(integration),
        pending_preview=find_pending_preview(integration),
    )


def _filled_form(integration: Integration | None) -> ConnectionForm:
    options = show_options(integration, OptionPage.CONNECTION)
    if integration is None:
        return ConnectionForm(auth_mode=str(AuthMode.API_KEY), **options)
    return ConnectionForm(
        base_url=integration.base_url,
        auth_mode=str(integration.auth_mode),
        username=integration.username,
        **options,
    )


def _read_settings() -> ConnectionSettings:
    """What was sent; a field that was not sent is not named. Raises InvalidInput."""
    sent = request.form
    return ConnectionSettings(
        base_url=sent.get("base_url"),
        auth_mode=_read_auth_mode(),
        username=sent.get("username"),
        api_key=sent.get("api_key"),
        password=sent.get("password"),
        totp_code=sent.get("totp_code"),
        totp_secret=sent.get("totp_secret"),
        options=read_options(OptionPage.CONNECTION),
    )


def _read_auth_mode() -> AuthMode | None:
    word = request.form.get("auth_mode")
    if word is not None and word not in list(AuthMode):
        raise InvalidInput("Choose how the portal signs in to Tactical.", field="auth_mode")
    return AuthMode(word) if word is not None else None
