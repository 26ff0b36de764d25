"""The pages of people: importing them gives the blueprint its views."""

from portal.web.auth import invitation, reset, state
from portal.web.auth.views import auth

__all__ = ["auth", "invitation", "reset", "state"]
