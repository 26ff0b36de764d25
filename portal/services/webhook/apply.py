"""Doing what was planned in Tactical, and remembering each thing that was made there."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from portal.errors import PortalError
from portal.services.webhook.plan import PlannedChange, Verb
from portal.services.webhook.present import Record
from portal.services.webhook.records import PATHS, Chosen, Made, MadeRecord, Piece
from portal.tactical.errors import ServerError
from portal.tactical.installation import TacticalInstallation


class Applier:
    """Does one change after the other. `save` stores what was made, before and after each.

    Tactical answers no id to what it creates, and an answer can get lost: so the name is
    remembered before the request, and the pk is looked up after it.
    """

    def __init__(
        self, tactical: TacticalInstallation, made: Made, save: Callable[[Made], None]
    ) -> None:
        self._tactical = tactical
        self._made = made
        self._save = save

    def apply(self, change: PlannedChange) -> None:
        """Raises TacticalError and EgressError; what was done until then is remembered."""
        if change.piece in (Piece.DEFAULT, Piece.ORGANIZATION):
            self._apply_choice(change)
        else:
            self._apply_record(change)
        self._save(self._made)

    # --- Records ------------------------------------------------------------------------

    def _apply_record(self, change: PlannedChange) -> None:
        records, path = self._made.records, PATHS[change.piece]
        if change.verb is Verb.CREATE:
            records[change.piece] = MadeRecord(change.name)
            self._save(self._made)
            self._tactical.create(path, self._values(change))
            records[change.piece].pk = self._find_created(change)
        elif change.verb is Verb.REMOVE:
            if change.pk is not None:
                self._tactical.delete(path, change.pk)
            records.pop(change.piece, None)
        elif change.pk is not None:
            records[change.piece] = MadeRecord(change.name, change.pk)
            if change.verb is Verb.UPDATE:
                self._tactical.update(path, change.pk, self._values(change))

    def _values(self, change: PlannedChange) -> dict[str, object]:
        if change.piece is not Piece.TEMPLATE:
            return change.values
        actions = {
            "action_rest": self._made.find_pk(Piece.FAILURE),
            "resolved_action_rest": self._made.find_pk(Piece.RESOLVED),
        }
        return change.values | actions

    def _find_created(self, change: PlannedChange) -> int:
        """The newest of the name: somebody may have made another at the same moment."""
        listed: Sequence[Record]
        if change.piece is Piece.KEY:
            listed = self._tactical.list_keys()
        elif change.piece is Piece.TEMPLATE:
            listed = self._tactical.list_templates()
        else:
            listed = self._tactical.list_actions()
        found = [each.pk for each in listed if each.name == change.name]
        if not found:
            raise PortalError(
                f"{change.title}: Tactical reported that it was created, but does not list it. "
                "Try again in a moment."
            )
        return max(found)

    # --- Where it works -----------------------------------------------------------------

    def _apply_choice(self, change: PlannedChange) -> None:
        if change.verb is Verb.CHOOSE:
            self._remember_choice(change)
            self._save(self._made)
            self._choose(change, self._made.find_pk(Piece.TEMPLATE))
        elif change.verb is Verb.RESTORE:
            self._choose(change, change.template)
        if change.verb in (Verb.RESTORE, Verb.LEAVE):
            self._forget_choice(change)

    def _choose(self, change: PlannedChange, template: int | None) -> None:
        if change.organization is None:
            self._choose_default(template)
        else:
            self._tactical.choose_for_organization(change.organization, template)

    def _choose_default(self, template: int | None) -> None:
        try:
            self._tactical.choose_default(template)
        except ServerError as error:
            raise PortalError(
                "Tactical could not change its default alert template, which is usual for servers "
                "hosted by its developers. Choose the template in Tactical's Global Settings, or "
                "install the webhook for chosen organizations."
            ) from error

    def _remember_choice(self, change: PlannedChange) -> None:
        chosen = Chosen(change.template, change.name)
        if change.organization is None:
            self._made.default = chosen
        else:
            self._made.organizations[change.organization] = chosen

    def _forget_choice(self, change: PlannedChange) -> None:
        if change.organization is None:
            self._made.default = None
        else:
            self._made.organizations.pop(change.organization, None)
