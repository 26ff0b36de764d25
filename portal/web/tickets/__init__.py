"""The pages of tickets: importing them gives the blueprint its views."""

from portal.web.tickets import by_hand
from portal.web.tickets.views import tickets

__all__ = ["by_hand", "tickets"]
