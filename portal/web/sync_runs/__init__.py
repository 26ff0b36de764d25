"""The pages of runs: importing them gives the blueprint its views."""

from portal.web.sync_runs import undo
from portal.web.sync_runs.views import sync_runs

__all__ = ["sync_runs", "undo"]
