"""The pages of assets: importing them gives the blueprint its views."""

from portal.web.assets import edits, history, merge, retirement, tags
from portal.web.assets.views import assets

__all__ = ["assets", "edits", "history", "merge", "retirement", "tags"]
