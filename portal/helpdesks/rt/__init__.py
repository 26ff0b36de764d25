"""Request Tracker 5, by its REST2 interface."""

from __future__ import annotations

import re

from portal.far_side.form import Field, Rejected, Secrets, Settings, Way
from portal.far_side.http import get_host
from portal.helpdesks.base import NumberedKind, clean_base
from portal.helpdesks.rt.client import PAGE, RtClient, make_rest

_TOKEN = re.compile(r"1-([1-9][0-9]*)-[0-9A-Za-z]+")
_NAME = re.compile(r"[\w .-]{1,60}")
BAD_NAME = "Use letters, digits, spaces, dots, hyphens and underscores, at most 60."


class RtKind(NumberedKind):
    name = "rt"
    label = "Request Tracker"
    about = (
        "Request Tracker 5 or newer. It needs an account for the portal alone, an authentication "
        "token of that account, and a custom field in which the portal keeps its key."
    )
    help_url = "https://docs.bestpractical.com/rt/latest/RT/REST2.html"
    fields = (
        Field(
            name="url",
            label="Address",
            input="url",
            help="Of Request Tracker itself, without /REST/2.0.",
            placeholder="https://rt.example.com",
            names_host=True,
        ),
        Field(
            name="token",
            label="Authentication token",
            input="password",
            is_secret=True,
            help=(
                "Signed in as the portal’s account: Logged in as, Settings, Auth Tokens. In each "
                "queue, the account needs SeeQueue, ShowTicket, ShowTicketComments, CreateTicket, "
                "CommentOnTicket, ModifyTicket, SeeCustomField and ModifyCustomField."
            ),
            placeholder="1-14-…",
        ),
        Field(
            name="field",
            label="Custom field of the key",
            default="PortalKey",
            help=(
                "Its name. Make it in Admin, Custom Fields: “Enter one value”, applies to Tickets, "
                "and apply it to every queue that the portal opens tickets in. Unique values "
                "are recommended."
            ),
            longest=60,
        ),
        Field(
            name="closed",
            label="Status of closed tickets",
            default="resolved",
            help="As in the lifecycle of the queues.",
            longest=60,
        ),
        Field(name="open", label="Status of reopened tickets", default="open", longest=60),
    )

    def reads_at_once(self, settings: Settings) -> int:
        return PAGE

    def check(self, settings: Settings, secrets: Secrets) -> str:
        url = clean_base(settings["url"])
        if not _TOKEN.fullmatch(secrets.get("token", "")):
            raise Rejected({"token": "This is no token of Request Tracker’s, such as 1-14-0a1b2c."})
        bad = [name for name in ("field", "closed", "open") if not _NAME.fullmatch(settings[name])]
        if bad:
            raise Rejected(dict.fromkeys(bad, BAD_NAME))
        return get_host(url)

    def connect(self, gateway: Way, settings: Settings, secrets: Secrets) -> RtClient:
        url, token = clean_base(settings["url"]), secrets["token"]
        return RtClient(
            rest=make_rest(gateway, url, token),
            url=url,
            account_id=token.split("-")[1],
            field=settings["field"],
            closed=settings["closed"],
            opened=settings["open"],
        )


KIND = RtKind()
