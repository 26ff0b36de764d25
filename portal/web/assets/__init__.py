"""The pages of assets: importing them gives the blueprint its views."""

from portal.web.assets import alerts, edits, history, many, merge, notes, retirement, software, tags
from portal.web.assets.views import assets

__all__ = [
    "alerts",
    "assets",
    "edits",
    "history",
    "many",
    "merge",
    "notes",
    "retirement",
    "software",
    "tags",
]
