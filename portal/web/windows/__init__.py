"""The pages of maintenance windows: importing them gives the blueprint its views."""

from portal.web.windows import form, now
from portal.web.windows.views import windows

__all__ = ["form", "now", "windows"]
