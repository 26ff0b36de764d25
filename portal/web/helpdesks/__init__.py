"""The pages of helpdesks: importing them gives the blueprint its views."""

from portal.web.helpdesks import customers
from portal.web.helpdesks.views import helpdesks

__all__ = ["customers", "helpdesks"]
