"""Event subscribers: who gets what happens; tried, paused, deleted."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.errors import InvalidInput, Refused
from portal.models import EventSubscriber
from portal.models.events.event import EventType
from portal.services.accounts.permissions import Permission
from portal.services.errands.requests import TooManyWaiting
from portal.services.events import subscribers as subscriber_service
from portal.web.errands.following import follow
from portal.web.forms import mark
from portal.web.guard import requires, tenant_blueprint
from portal.web.reauthentication import fresh_sign_in_required
from portal.web.subscribers.forms import SubscriberForm

subscribers = tenant_blueprint("subscribers", __name__, "/integrations/events")


@subscribers.get("/")
@requires(Permission.READ_CONNECTION)
def index() -> ResponseReturnValue:
    return _page(SubscriberForm())


@subscribers.post("/")
@requires(Permission.CHANGE_SETTINGS)
@fresh_sign_in_required
def add() -> ResponseReturnValue:
    """The answer itself shows the secret, which is kept nowhere that could show it again."""
    form = SubscriberForm()
    try:
        subscriber, secret = subscriber_service.add_subscriber(
            form.url.data or "", form.types.data or ()
        )
    except (InvalidInput, Refused) as error:
        mark(form, error)
        return _page(form), 422
    return _page(SubscriberForm(formdata=None), added=subscriber, secret=secret)


@subscribers.post("/<int:subscriber_id>/test")
@requires(Permission.CHANGE_SETTINGS)
def test(subscriber_id: int) -> ResponseReturnValue:
    try:
        follow(subscriber_service.request_test(subscriber_id))
    except TooManyWaiting as error:
        flash(error.message, "error")
    return redirect(url_for("subscribers.index"))


@subscribers.post("/<int:subscriber_id>/pause")
@requires(Permission.CHANGE_SETTINGS)
def pause(subscriber_id: int) -> ResponseReturnValue:
    subscriber_service.pause_subscriber(subscriber_id)
    flash("Paused. Events wait until you resume the subscriber.", "success")
    return redirect(url_for("subscribers.index"))


@subscribers.post("/<int:subscriber_id>/resume")
@requires(Permission.CHANGE_SETTINGS)
def resume(subscriber_id: int) -> ResponseReturnValue:
    subscriber_service.resume_subscriber(subscriber_id)
    flash("Resumed. Waiting events are being sent now.", "success")
    return redirect(url_for("subscribers.index"))


@subscribers.post("/<int:subscriber_id>/delete")
@requires(Permission.CHANGE_SETTINGS)
@fresh_sign_in_required
def delete(subscriber_id: int) -> ResponseReturnValue:
    subscriber_service.delete_subscriber(subscriber_id)
    flash("The subscriber was deleted.", "success")
    return redirect(url_for("subscribers.index"))


def _page(
    form: SubscriberForm, added: EventSubscriber | None = None, secret: str | None = None
) -> str:
    return render_template(
        "subscribers/list.html",
        form=form,
        rows=subscriber_service.list_subscribers(),
        types=list(EventType),
        added=added,
        secret=secret,
    )
