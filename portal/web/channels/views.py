"""Channels: who is told of alerts, whether it works, and what it is told in which words."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm

from portal.channels import KINDS, ChannelKind
from portal.channels.templating import VALUES
from portal.errors import Refused
from portal.far_side.templating import FILTERS
from portal.models import Channel
from portal.services.accounts.permissions import Permission
from portal.services.channels import changing, deleting, listing, testing
from portal.services.errands.requests import TooManyWaiting
from portal.services.far_sides import BadFields
from portal.web.channels.forms import FORMS, WordingForm, fill_form, read_form
from portal.web.errands.following import follow
from portal.web.far_side_forms import mark_fields
from portal.web.guard import requires, tenant_blueprint
from portal.web.reauthentication import fresh_sign_in_required

channels = tenant_blueprint("channels", __name__, "/channels")


@channels.get("/")
@requires(Permission.READ_RULES)
def index() -> ResponseReturnValue:
    return render_template("channels/list.html", rows=listing.list_channels())


@channels.get("/<int:channel_id>")
@requires(Permission.READ_RULES)
def show(channel_id: int) -> ResponseReturnValue:
    row = listing.get_row(channel_id)
    messages = listing.list_newest(channel_id)
    return render_template("channels/detail.html", row=row, messages=messages)


@channels.get("/new")
@requires(Permission.CHANGE_SETTINGS)
def choose() -> ResponseReturnValue:
    addresses = {name: url_for("channels.new", channel_kind=name) for name in KINDS}
    return render_template("channels/choose.html", kinds=KINDS.values(), addresses=addresses)


@channels.get("/new/<channel_kind>")
@requires(Permission.CHANGE_SETTINGS)
def new(channel_kind: str) -> ResponseReturnValue:
    kind = changing.get_kind(channel_kind)
    return _form_page(kind, FORMS[kind.name]())


@channels.post("/new/<channel_kind>")
@requires(Permission.CHANGE_SETTINGS)
@fresh_sign_in_required
def add(channel_kind: str) -> ResponseReturnValue:
    kind = changing.get_kind(channel_kind)
    form = FORMS[kind.name]()
    try:
        channel = changing.add_channel(kind.name, read_form(kind, form))
    except (BadFields, Refused) as error:
        mark_fields(form, error)
        return _form_page(kind, form), 422
    flash(f"{channel.name} was added. Send a test message to see whether it works.", "success")
    return redirect(url_for("channels.show", channel_id=channel.id))


@channels.get("/<int:channel_id>/edit")
@requires(Permission.CHANGE_SETTINGS)
def edit(channel_id: int) -> ResponseReturnValue:
    channel = listing.get_channel(channel_id)
    return _form_page(KINDS[channel.kind], fill_form(channel), channel)


@channels.post("/<int:channel_id>/edit")
@requires(Permission.CHANGE_SETTINGS)
@fresh_sign_in_required
def save(channel_id: int) -> ResponseReturnValue:
    channel = listing.get_channel(channel_id)
    kind, form = KINDS[channel.kind], FORMS[channel.kind]()
    try:
        changing.change_channel(channel_id, read_form(kind, form))
    except BadFields as error:
        mark_fields(form, error)
        return _form_page(kind, form, listing.get_channel(channel_id)), 422
    flash("Saved. What waits is sent with it now.", "success")
    return redirect(url_for("channels.show", channel_id=channel_id))


@channels.get("/<int:channel_id>/wording")
@requires(Permission.CHANGE_SETTINGS)
def wording(channel_id: int) -> ResponseReturnValue:
    channel = listing.get_channel(channel_id)
    return _wording_page(channel, WordingForm(data=channel.templates))


@channels.post("/<int:channel_id>/wording")
@requires(Permission.CHANGE_SETTINGS)
def word(channel_id: int) -> ResponseReturnValue:
    """Saved, or with `preview` only shown."""
    channel, form = listing.get_channel(channel_id), WordingForm()
    wanted = {part: form[part].data or "" for part in KINDS[channel.kind].parts}
    try:
        if "preview" in request.form:
            templates = changing.clean_templates(KINDS[channel.kind], wanted)
            return _wording_page(channel, form, testing.preview(channel, templates))
        changing.word_channel(channel_id, wanted)
    except BadFields as error:
        mark_fields(form, error)
        return _wording_page(listing.get_channel(channel_id), form), 422
    flash("Saved. The next message has these words.", "success")
    return redirect(url_for("channels.show", channel_id=channel_id))


@channels.post("/<int:channel_id>/test")
@requires(Permission.CHANGE_SETTINGS)
def test(channel_id: int) -> ResponseReturnValue:
    try:
        follow(testing.request_test(channel_id))
    except TooManyWaiting as error:
        flash(error.message, "error")
    return redirect(url_for("channels.show", channel_id=channel_id))


@channels.post("/<int:channel_id>/switch-off")
@requires(Permission.CHANGE_SETTINGS)
def switch_off(channel_id: int) -> ResponseReturnValue:
    channel = changing.switch_channel(channel_id, on=False)
    flash(f"{channel.name} is switched off: nothing is sent to it.", "success")
    return redirect(url_for("channels.show", channel_id=channel_id))


@channels.post("/<int:channel_id>/switch-on")
@requires(Permission.CHANGE_SETTINGS)
def switch_on(channel_id: int) -> ResponseReturnValue:
    channel = changing.switch_channel(channel_id, on=True)
    flash(f"{channel.name} is switched on again.", "success")
    return redirect(url_for("channels.show", channel_id=channel_id))


@channels.post("/<int:channel_id>/delete")
@requires(Permission.CHANGE_SETTINGS)
@fresh_sign_in_required
def delete(channel_id: int) -> ResponseReturnValue:
    try:
        name = deleting.delete_channel(channel_id)
    except Refused as error:
        flash(error.message, "error")
        return redirect(url_for("channels.show", channel_id=channel_id))
    flash(f"{name} was deleted.", "success")
    return redirect(url_for("channels.index"))


def _form_page(kind: ChannelKind, form: FlaskForm, channel: Channel | None = None) -> str:
    stored = listing.list_stored(channel) if channel else ()
    return render_template(
        "channels/form.html", kind=kind, form=form, channel=channel, stored=stored
    )


def _wording_page(channel: Channel, form: WordingForm, preview: str | None = None) -> str:
    return render_template(
        "channels/wording.html",
        channel=channel,
        kind=KINDS[channel.kind],
        form=form,
        values=VALUES,
        filters=FILTERS,
        preview=preview,
    )
