"""The pages of maintenance windows: importing them gives the blueprint its views."""

from portal.web.windows import form, links, now
from portal.web.windows.links import calendars
from portal.web.windows.views import windows

__all__ = ["calendars", "form", "links", "now", "windows"]
