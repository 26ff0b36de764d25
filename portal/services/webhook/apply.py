"""Doing what was planned in Tactical, and remembering each thing that was made there."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from portal.errors import PortalError
from portal.services.webhook.plan import Change, Verb
from portal.services.webhook.records import (
    DEFAULT,
    FAILURE,
    KEY,
    PATHS,
    RESOLVED,
    TEMPLATE,
    Chosen,
    Made,
    Piece,
)
from portal.tactical.errors import ServerError
from portal.tactical.installation import (
    AlertTemplate,
    GlobalKey,
    TacticalInstallation,
    UrlAction,
)


class Applier:
    """Does one change after the other. `keep` stores what was made, before and after each.

    Tactical answers no id to what it creates, and an answer can get lost: so the name is
    remembered before the request, and the pk is looked up after it.
    """

    def __init__(
        self, tactical: TacticalInstallation, made: Made, keep: Callable[[Made], None]
    ) -> None:
        self._tactical = tactical
        self._made = made
        self._keep = keep

    def do(self, change: Change) -> None:
        """Raises TacticalError and EgressError; what was done until then is remembered."""
        if change.piece in PATHS and change.client is None:
            self._do_piece(change)
        else:
            self._do_choice(change)
        self._keep(self._made)

    # --- Records ------------------------------------------------------------------------

    def _do_piece(self, change: Change) -> None:
        pieces, path = self._made.pieces, PATHS[change.piece]
        if change.verb is Verb.CREATE:
            pieces[change.piece] = Piece(change.name)
            self._keep(self._made)
            self._tactical.create(path, self._values(change))
            pieces[change.piece].pk = self._find_created(change)
        elif change.verb is Verb.REMOVE:
            if change.pk is not None:
                self._tactical.delete(path, change.pk)
            pieces.pop(change.piece, None)
        elif change.pk is not None:
            pieces[change.piece] = Piece(change.name, change.pk)
            if change.verb is Verb.UPDATE:
                self._tactical.update(path, change.pk, self._values(change))

    def _values(self, change: Change) -> dict[str, object]:
        if change.piece != TEMPLATE:
            return change.values
        actions = {
            "action_rest": self._made.find_pk(FAILURE),
            "resolved_action_rest": self._made.find_pk(RESOLVED),
        }
        return change.values | actions

    def _find_created(self, change: Change) -> int:
        """The newest of the name: somebody may have made another at the same moment."""
        listed: Sequence[GlobalKey | UrlAction | AlertTemplate]
        if change.piece == KEY:
            listed = self._tactical.list_keys()
        elif change.piece == TEMPLATE:
            listed = self._tactical.list_templates()
        else:
            listed = self._tactical.list_actions()
        found = [each.pk for each in listed if each.name == change.name]
        if not found:
            raise PortalError(
                f"Tactical said that it made the {change.title}, but does not list it. "
                "Try again in a moment."
            )
        return max(found)

    # --- Where it works -----------------------------------------------------------------

    def _do_choice(self, change: Change) -> None:
        if change.verb is Verb.CHOOSE:
            self._remember_choice(change)
            self._keep(self._made)
            self._choose(change, self._made.find_pk(TEMPLATE))
        elif change.verb is Verb.RESTORE:
            self._choose(change, change.pk)
        if change.verb in (Verb.RESTORE, Verb.LEAVE):
            self._forget_choice(change)

    def _choose(self, change: Change, template: int | None) -> None:
        if change.piece == DEFAULT:
            self._choose_default(template)
        elif change.client is not None:
            self._tactical.choose_for_client(change.client, template)

    def _choose_default(self, template: int | None) -> None:
        try:
            self._tactical.choose_default(template)
        except ServerError as error:
            raise PortalError(
                "Tactical failed when its default template was to change; servers that its makers "
                "host do that. Choose the template in Tactical's Global Settings, or install for "
                "chosen organizations."
            ) from error

    def _remember_choice(self, change: Change) -> None:
        chosen = Chosen(change.pk, change.name)
        if change.client is None:
            self._made.default = chosen
        else:
            self._made.clients[change.client] = chosen

    def _forget_choice(self, change: Change) -> None:
        if change.client is None:
            self._made.default = None
        else:
            self._made.clients.pop(change.client, None)
