"""What helpdesks with numbered tickets and a REST of their own have in common."""

from __future__ import annotations

import re
import time
from urllib.parse import urlsplit

from portal.far_side.form import Rejected, Settings
from portal.far_side.http import clean_url
from portal.helpdesks.kind import NotDone, Refused

FEW = 10
"""Tickets that are read at once where each costs a request."""
LONGEST = 20.0
"""Seconds after which no further request begins: with the last one it makes 30."""
TOO_SLOW = "The helpdesk answers too slowly: not all was read in time."


class NumberedKind:
    help_url = ""
    is_untried = False

    def can_close(self, settings: Settings) -> bool:
        return True

    def preview(self, settings: Settings) -> str:
        return ""

    def can_find(self, settings: Settings) -> bool:
        return True

    def reads_at_once(self, settings: Settings) -> int:
        return FEW


def clean_base(text: str, field_name: str = "url") -> str:
    """The helpdesk's own address, without a slash at its end. Raises Rejected."""
    url = clean_url(text, field_name)
    if urlsplit(url).query:
        raise Rejected({field_name: "Enter the address of the helpdesk without a query."})
    return url.rstrip("/")


def is_number(reference: str) -> bool:
    return re.fullmatch(r"[1-9][0-9]{0,9}", reference) is not None


def order_by_age(reference: str) -> int:
    """For sorting: of several tickets with one key, the first one counts, in whatever order the
    helpdesk lists them. Those without a number keep its order."""
    return int(reference) if is_number(reference) else 0


def check_number(reference: str) -> str:
    """It, to be put into an address. Raises Refused."""
    if not is_number(reference):
        raise Refused(f"“{reference[:40]}” is no ticket number.")
    return reference


class Watch:
    """A clock for verbs whose requests cannot be counted beforehand."""

    def __init__(self) -> None:
        self._until = time.monotonic() + LONGEST

    def check(self) -> None:
        """Raises NotDone."""
        if time.monotonic() > self._until:
            raise NotDone(TOO_SLOW)
