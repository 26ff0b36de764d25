"""What is at Tactical of the portal's installation: resolved once, then only planned on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from portal.services.webhook.records import Chosen, Made, MadeRecord, Piece
from portal.tactical.installation import (
    AlertTemplate,
    GlobalKey,
    OrganizationTemplate,
    UrlAction,
)

SERVER_DEFAULT = "Server default"

Record = GlobalKey | UrlAction | AlertTemplate


@dataclass(frozen=True, slots=True)
class Listing:
    """Tactical's records as it lists them. `keys` is None where the key store cannot be used."""

    keys: Sequence[GlobalKey] | None
    actions: Sequence[UrlAction]
    templates: Sequence[AlertTemplate]
    organizations: Sequence[OrganizationTemplate]
    lacking: Sequence[str] = ()
    """The flags that the role lacks to list all of it, but for the key store."""
    key_store_flag: str | None = None
    """The flag that the role lacks to list the key store."""

    def of(self, piece: Piece) -> Sequence[Record]:
        if piece is Piece.KEY:
            return self.keys or ()
        return self.templates if piece is Piece.TEMPLATE else self.actions


@dataclass(frozen=True, slots=True)
class TemplatePlace:
    """Where an alert template can be chosen: an organization, or the server's default."""

    name: str
    organization: int | None = None
    """The id at Tactical; None is the server's default."""
    template: int | None = None
    """The pk of what is chosen there now."""
    chosen: Chosen | None = None
    """What the portal did there, if anything."""
    is_listed: bool = True


@dataclass(frozen=True, slots=True)
class Present:
    """All that a plan depends on, at one moment."""

    made: Mapping[Piece, MadeRecord]
    """What the portal made, whether it is still there or not."""
    records: Mapping[Piece, Record]
    """What of that Tactical still has."""
    taken_names: Mapping[Piece, frozenset[str]]
    template_names: Mapping[int, str]
    places: tuple[TemplatePlace, ...]
    has_key_store: bool

    def find_pk(self, piece: Piece) -> int | None:
        record = self.records.get(piece)
        return record.pk if record else None

    def is_ours(self, place: TemplatePlace) -> bool:
        """Whether the portal's own template is chosen there."""
        return place.is_listed and place.template == self.find_pk(Piece.TEMPLATE)

    def without_key_store(self) -> Present:
        return replace(self, has_key_store=False)


def resolve_present(listing: Listing, made: Made) -> Present:
    """What of the listing is the portal's own."""
    found = {piece: _find_own(listing.of(piece), record) for piece, record in made.records.items()}
    pieces = (Piece.KEY, Piece.FAILURE, Piece.RESOLVED, Piece.TEMPLATE)
    return Present(
        made=dict(made.records),
        records={piece: record for piece, record in found.items() if record is not None},
        taken_names={piece: frozenset(each.name for each in listing.of(piece)) for piece in pieces},
        template_names={template.pk: template.name for template in listing.templates},
        places=tuple(_list_places(listing, made)),
        has_key_store=listing.keys is not None,
    )


def _find_own(records: Sequence[Record], made: MadeRecord) -> Record | None:
    if made.pk is not None:
        return next((each for each in records if each.pk == made.pk), None)
    # An answer got lost: the newest of the name that was about to be given.
    namesakes = [each for each in records if each.name == made.name]
    return max(namesakes, key=lambda each: each.pk, default=None)


def _list_places(listing: Listing, made: Made) -> Iterator[TemplatePlace]:
    default = next((each.pk for each in listing.templates if each.default_template), None)
    yield TemplatePlace(SERVER_DEFAULT, template=default, chosen=made.default)
    for each in listing.organizations:
        yield TemplatePlace(
            each.name, each.pk, each.alert_template, made.organizations.get(each.pk)
        )
    listed = {each.pk for each in listing.organizations}
    for pk, chosen in made.organizations.items():
        if pk not in listed:
            yield TemplatePlace(chosen.name, pk, chosen=chosen, is_listed=False)
