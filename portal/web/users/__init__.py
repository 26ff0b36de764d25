"""The pages of a tenant's users: importing them gives the blueprint its views."""

from portal.web.users import invitations, limits
from portal.web.users.views import users

__all__ = ["invitations", "limits", "users"]
