"""The pages of organizations: importing them gives the blueprint its views."""

from portal.web.organizations import clearing, held, many
from portal.web.organizations.views import organizations

__all__ = ["clearing", "held", "many", "organizations"]
