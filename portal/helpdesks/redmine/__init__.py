"""Redmine 5, by its REST interface."""

from __future__ import annotations

from portal.far_side.form import Field, Rejected, Secrets, Settings, Way
from portal.far_side.http import get_host
from portal.helpdesks.base import NumberedKind, clean_base
from portal.helpdesks.redmine.client import AT_ONCE, RedmineClient, make_rest
from portal.helpdesks.redmine.markup import FORMATS


class RedmineKind(NumberedKind):
    name = "redmine"
    label = "Redmine"
    about = (
        "Redmine 5 or newer; tickets are its issues, queues its projects. It needs an account for "
        "the portal alone, and a custom field in which the portal keeps its key."
    )
    help_url = "https://www.redmine.org/projects/redmine/wiki/Rest_api"
    fields = (
        Field(
            name="url",
            label="Address",
            input="url",
            help=(
                "Of Redmine’s first page. Turn on “Enable REST web service” in Administration, "
                "Settings, API."
            ),
            placeholder="https://redmine.example.com",
            names_host=True,
        ),
        Field(
            name="key",
            label="API access key",
            input="password",
            is_secret=True,
            help=(
                "Signed in as the portal’s account: My account, “API access key”. In each project, "
                "its role needs: view issues, add issues, edit issues, add notes, view private "
                "notes, set notes as private; and in the workflow, to close and to reopen."
            ),
        ),
        Field(
            name="field",
            label="Custom field of the key",
            default="Portal key",
            help=(
                "Its number, as in the address of its page, or its name once there is an issue. "
                "Make it in Administration, Custom fields, Issues: format Text, “Used as a "
                "filter”, for all trackers and for every project that the portal opens issues in."
            ),
            longest=60,
        ),
        Field(
            name="tracker",
            label="Tracker",
            is_required=False,
            help="Name or number; empty for the first of the project.",
            longest=60,
        ),
        Field(
            name="closed",
            label="Status of closed issues",
            is_required=False,
            help="Name or number; empty for the first that counts as closed.",
            longest=60,
        ),
        Field(
            name="open",
            label="Status of reopened issues",
            is_required=False,
            help="Name or number; empty for the first that does not count as closed.",
            longest=60,
        ),
        Field(
            name="format",
            label="Text formatting",
            input="select",
            choices=[(name, label) for name, label in FORMATS.items()],
            default="textile",
            help="As in Administration, Settings, General.",
        ),
    )

    def reads_at_once(self, settings: Settings) -> int:
        return AT_ONCE

    def check(self, settings: Settings, secrets: Secrets) -> str:
        url = clean_base(settings["url"])
        key = secrets.get("key", "")
        if not (key.isascii() and key.isalnum()):
            raise Rejected({"key": "This is no API access key: it has letters and digits alone."})
        if not settings["field"].strip():
            raise Rejected({"field": "Enter the number or the name of the custom field."})
        return get_host(url)

    def connect(self, gateway: Way, settings: Settings, secrets: Secrets) -> RedmineClient:
        url = clean_base(settings["url"])
        return RedmineClient(make_rest(gateway, url, secrets["key"]), url, settings)


KIND = RedmineKind()
