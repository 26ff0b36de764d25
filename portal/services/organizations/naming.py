"""Which organizations a client can be named like: Tactical keeps longer names than the portal's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from portal.errors import InvalidInput
from portal.models import OrganizationMapping
from portal.services.clients import clean_name
from portal.services.text import LONGEST_LINE
from portal.wording import join_words, plural

MOST_NAMED = 3
LONGEST_NAMED = 40


def split_by_name(
    mappings: Iterable[OrganizationMapping],
) -> tuple[list[OrganizationMapping], list[OrganizationMapping]]:
    """Those whose name a client can have, and the others."""
    fit: list[OrganizationMapping] = []
    unfit: list[OrganizationMapping] = []
    for mapping in mappings:
        (fit if can_name_client(mapping.external_organization_name) else unfit).append(mapping)
    return fit, unfit


def can_name_client(name: str) -> bool:
    try:
        clean_name(name)
    except InvalidInput:
        return False
    return True


def tell_unfit(mappings: Sequence[OrganizationMapping]) -> str:
    """Which ones no client was created of, and why, as sentences."""
    names = [f"“{_shorten(each.external_organization_name)}”" for each in mappings[:MOST_NAMED]]
    if len(mappings) > MOST_NAMED:
        names.append(plural(len(mappings) - MOST_NAMED, "other"))
    return (
        f"No client was created of {join_words(names)}: a client's name has 1 to {LONGEST_LINE} "
        "characters. Choose another name in its row."
    )


def _shorten(name: str) -> str:
    return name if len(name) <= LONGEST_NAMED else f"{name[:LONGEST_NAMED].rstrip()}…"
