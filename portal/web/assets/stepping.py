"""The list that a page of an asset was opened from: the way back to it, and on in its order.

Its query travels in the address of the page, as one value.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl, urlencode

from flask import request, url_for

from portal.errors import NotFound
from portal.models import Asset
from portal.services.assets.listing import AssetFilter
from portal.services.assets.neighbours import Neighbours, find_neighbours
from portal.web.assets.filters import read_filter

LIST = "list"
"""Of the address."""
_PLAIN = "sort=name"
"""Of a list without filters: the value is never empty."""
_LONGEST, _MOST = 1000, 30
"""Of what travels along; a longer one is no list of ours."""


@dataclass(frozen=True, slots=True)
class Trail:
    """`query`: as it goes on travelling. `url`: of the list as it was."""

    query: str
    url: str
    shown: AssetFilter

    def find_neighbours(self, asset: Asset, stale_before: datetime) -> Neighbours:
        return find_neighbours(asset, self.shown, stale_before)


def describe_list() -> str | None:
    """The value for links out of the list that is being answered; None where it is too long."""
    pairs = [(name, value) for name, value in request.args.items(multi=True) if value]
    query = urlencode(pairs, safe="/:,") or _PLAIN
    return query if len(query) <= _LONGEST else None


def read_trail() -> Trail | None:
    """None where the address names no list, or none that there is."""
    text = request.args.get(LIST, "")
    if not text or len(text) > _LONGEST:
        return None
    try:
        query = dict(parse_qsl(text.replace("%00", ""), max_num_fields=_MOST))
        shown = read_filter(query)
    except (ValueError, NotFound):
        return None
    kept = urlencode(query, safe="/:,")
    return Trail(kept, f"{url_for('assets.index')}?{kept}", shown)
