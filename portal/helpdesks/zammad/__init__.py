"""Zammad, by its documentation: never run against a real server."""

from __future__ import annotations

import re

from portal.far_side.form import Field, Rejected, Secrets, Settings, Way
from portal.far_side.http import get_host
from portal.far_side.mail.addresses import BadAddress, clean_address
from portal.helpdesks.base import NumberedKind, clean_base
from portal.helpdesks.zammad.client import ZammadClient, make_rest

_FIELD = re.compile(r"[a-z][a-z0-9_]{0,59}")
_TOKEN = re.compile(r"[\x21-\x7e]{8,200}")


class ZammadKind(NumberedKind):
    name = "zammad"
    label = "Zammad"
    about = (
        "Zammad 6 or newer. It needs an account for the portal alone, an access token of that "
        "account, and an attribute of tickets in which the portal keeps its key. Tickets are found "
        "by it where Zammad has Elasticsearch."
    )
    help_url = "https://docs.zammad.org/en/latest/api/intro.html"
    is_untried = True
    fields = (
        Field(
            name="url",
            label="Address",
            input="url",
            help="Of Zammad itself, without /api/v1.",
            placeholder="https://zammad.example.com",
            names_host=True,
        ),
        Field(
            name="token",
            label="Access token",
            input="password",
            is_secret=True,
            help=(
                "Signed in as the portal’s account: Profile, Token Access, with the permission "
                "ticket.agent. The account needs full access to the groups it opens tickets in."
            ),
        ),
        Field(
            name="customer",
            label="Customer of tickets without one",
            input="email",
            help=(
                "Zammad opens no ticket without a customer. This address is the one where a client "
                "is mapped to none; Zammad makes a user of it if there is none."
            ),
            placeholder="monitoring@example.com",
            longest=254,
        ),
        Field(
            name="field",
            label="Attribute of the key",
            default="portal_key",
            help=(
                "Its name. Make it in Settings, Objects, Ticket: format Text field, maximal "
                "length 64 or more, and update the database there."
            ),
            longest=60,
        ),
        Field(
            name="has_search",
            label="Zammad has Elasticsearch",
            input="checkbox",
            is_required=False,
            default=True,
            help=(
                "Without it Zammad cannot search by the key. Then a lost answer is not tried "
                "again, but a person is asked whether there is a ticket."
            ),
        ),
        Field(name="closed", label="State of closed tickets", default="closed", longest=60),
        Field(name="open", label="State of reopened tickets", default="open", longest=60),
    )

    def can_find(self, settings: Settings) -> bool:
        return bool(settings.get("has_search"))

    def check(self, settings: Settings, secrets: Secrets) -> str:
        problems: dict[str, str] = {}
        try:
            clean_base(settings["url"])
        except Rejected as error:
            problems |= error.problems
        try:
            clean_address(settings["customer"])
        except BadAddress as error:
            problems["customer"] = str(error)
        if not _TOKEN.fullmatch(secrets.get("token", "")):
            problems |= {"token": "This is no access token of Zammad’s."}
        if not _FIELD.fullmatch(settings["field"]):
            problems["field"] = "Use small letters, digits and underscores, as Zammad does."
        if problems:
            raise Rejected(problems)
        return get_host(settings["url"].strip())

    def connect(self, gateway: Way, settings: Settings, secrets: Secrets) -> ZammadClient:
        url = clean_base(settings["url"])
        return ZammadClient(make_rest(gateway, url, secrets["token"]), url, settings)


KIND = ZammadKind()
