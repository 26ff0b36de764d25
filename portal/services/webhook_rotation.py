"""A new secret for the webhook, taken over where Tactical was set up by the portal."""

from __future__ import annotations

from dataclasses import dataclass, field

from portal.db import release
from portal.errors import PortalError
from portal.services import webhook_keys
from portal.services.integrations import get_active_integration, open_tactical
from portal.services.webhook_deeds import read_made
from portal.services.webhook_installation import find_installation
from portal.services.webhook_records import FAILURE, KEY, RESOLVED, Made
from portal.tactical.installation import ACTIONS, KEYS, TacticalInstallation
from portal.tactical.webhook import headers_text


@dataclass(frozen=True, slots=True)
class Rotation:
    """`in_tactical`: whether Tactical has the new secret already; else `warning` may say why."""

    secret: str = field(repr=False)
    in_tactical: bool = False
    warning: str | None = None


def rotate_secret(at_once: bool = False) -> Rotation:
    """A new secret; the old one holds for 24 hours more, or ends now.

    What the portal installed in Tactical gets the new one, and before the old one ends.
    Raises Refused as `webhook_keys.rotate` does.
    """
    made = read_made(find_installation())
    told: list[str | None] = []

    def hand_over(secret: str) -> None:
        if made.find_pk(FAILURE) is not None:
            told.append(_tell_tactical(made, secret))

    secret = webhook_keys.rotate(at_once, hand_over)
    warning = told[0] if told else None
    return Rotation(secret, in_tactical=bool(told) and warning is None, warning=warning)


def _tell_tactical(made: Made, secret: str) -> str | None:
    """None when it went well, else what did not and what to do."""
    try:
        with open_tactical(get_active_integration(), hurry=True) as tactical:
            release()
            _write_secret(TacticalInstallation(tactical.session), made, secret)
    except PortalError as error:
        return (
            f"Tactical does not have the new secret yet: {error.message} Install in Tactical "
            "again, or enter it there by hand, before the old one ends."
        )
    return None


def _write_secret(there: TacticalInstallation, made: Made, secret: str) -> None:
    key = made.pieces.get(KEY)
    if key is not None and key.pk is not None:
        there.update(KEYS, key.pk, {"name": key.name, "value": secret})
        return
    present = {action.pk: action for action in there.list_actions()}
    for piece in (FAILURE, RESOLVED):
        action = present.get(made.find_pk(piece) or 0)
        if action is None:
            raise PortalError("A URL action that the portal made there is gone.")
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
        there.update(ACTIONS, action.pk, values)
