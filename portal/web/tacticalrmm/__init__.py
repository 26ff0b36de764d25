"""The pages of Tactical RMM's connection: importing them gives the blueprint its views."""

from portal.web.tacticalrmm import code
from portal.web.tacticalrmm.views import tacticalrmm

__all__ = ["code", "tacticalrmm"]
