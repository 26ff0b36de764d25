"""A new secret for the webhook, taken over where Tactical was set up by the portal."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from portal.db import release, transaction
from portal.errors import PortalError
from portal.models import Errand
from portal.models.errands.errand import ErrandKind
from portal.services.audit.actions import Action
from portal.services.audit.record import Target, record
from portal.services.errands.requests import add_errand, enqueue_errand
from portal.services.integrations.current import get_active_integration, open_tactical
from portal.services.webhook import keys
from portal.services.webhook.execution import read_made
from portal.services.webhook.installation import find_installation
from portal.services.webhook.records import Made, Piece
from portal.tactical.installation import ACTIONS, KEYS, TacticalInstallation
from portal.tactical.webhook import headers_text


@dataclass(frozen=True, slots=True)
class SecretRotation:
    """`in_tactical`: whether Tactical has the new secret already; else `warning` may say why."""

    secret: str = field(repr=False)
    in_tactical: bool = False
    warning: str | None = None


def rotate_secret(at_once: bool = False) -> SecretRotation:
    """A new secret; the old one holds for 24 hours more, or ends now.

    What the portal installed in Tactical gets the new one, and before the old one ends.
    Raises Refused as `keys.add_next_key` does. For commands.
    """
    with transaction() as session:
        old_ids = keys.add_next_key(session, at_once)
        _record(at_once)
    is_installed = read_made(find_installation()).find_pk(Piece.FAILURE) is not None
    warning = update_in_tactical(old_ids if at_once else [])
    secret = keys.reveal()
    return SecretRotation(secret, in_tactical=is_installed and warning is None, warning=warning)


def request_rotation(at_once: bool = False) -> Errand | None:
    """A new secret now; a worker updates it in Tactical, if the portal installed the webhook there.

    Raises Refused as `keys.add_next_key` does, and TooManyWaiting.
    """
    is_installed = read_made(find_installation()).find_pk(Piece.FAILURE) is not None
    with transaction() as session:
        old_ids = keys.add_next_key(session, at_once)
        _record(at_once)
        errand = _add_update(session, old_ids if at_once else []) if is_installed else None
    if errand is not None:
        enqueue_errand(errand)
    elif at_once:
        keys.end_keys(old_ids)
    return errand


def update_in_tactical(ended_key_ids: list[int]) -> str | None:
    """Give Tactical the present secret, then end the keys named.

    None when it went well or nothing is installed there; else what did not, and what to do.
    """
    made = read_made(find_installation())
    warning = None
    if made.find_pk(Piece.FAILURE) is not None:
        warning = _send_secret(made, keys.reveal())
    if ended_key_ids:
        keys.end_keys(ended_key_ids)
    return warning


def _add_update(session: Session, ended_key_ids: list[int]) -> Errand:
    title = "Update the secret in Tactical"
    wanted = {"ended_key_ids": ended_key_ids}
    return add_errand(session, ErrandKind.UPDATE_SECRET, title, wanted)


def _record(at_once: bool) -> None:
    """Of the secret no more than that there was one, and that it is another one."""
    after = {"secret": True, "at_once": at_once}
    record(Action.WEBHOOK_SECRET_ROTATED, Target("webhook"), {"secret": True}, after)


def _send_secret(made: Made, secret: str) -> str | None:
    """None when it went well, else what did not and what to do."""
    try:
        with open_tactical(get_active_integration(), interactive=True) as tactical:
            release()
            _write_secret(tactical.installation, made, secret)
    except PortalError as error:
        return (
            f"The new secret could not be saved in Tactical. {error.message} Install the webhook "
            "again, or enter the secret in Tactical by hand, before the old one expires."
        )
    return None


def _write_secret(tactical: TacticalInstallation, made: Made, secret: str) -> None:
    key = made.records.get(Piece.KEY)
    if key is not None and key.pk is not None:
        tactical.update(KEYS, key.pk, {"name": key.name, "value": secret})
        return
    present = {action.pk: action for action in tactical.list_actions()}
    for piece in (Piece.FAILURE, Piece.RESOLVED):
        action = present.get(made.find_pk(piece) or 0)
        if action is None:
            raise PortalError("A URL action that the portal created has been deleted.")
        # Whole, as it is now: only the headers are the portal's business here.
        values = {
            "name": action.name,
            "desc": action.desc,
            "pattern": action.pattern,
            "action_type": action.action_type,
            "rest_method": action.rest_method,
            "rest_body": action.rest_body,
            "rest_headers": headers_text(secret),
        }
        tactical.update(ACTIONS, action.pk, values)
