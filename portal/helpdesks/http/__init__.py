"""Any helpdesk with a REST of its own: its requests and answers are described by a person."""

from __future__ import annotations

import json

from portal.far_side.form import Rejected, Secrets, Settings, Way
from portal.far_side.headers import list_parts, read_headers
from portal.far_side.http import get_host
from portal.far_side.templating import BadTemplate, check_template
from portal.helpdesks.base import FEW, clean_base
from portal.helpdesks.http.client import AT_ONCE, HttpClient, read_choices
from portal.helpdesks.http.fields import FIELDS, LISTS, PATHS, VALUES
from portal.helpdesks.http.paths import BadPath, read_path
from portal.helpdesks.http.requests import find_problems, make_call, sample
from portal.helpdesks.rest import Rest

LONGEST_ID = 200
FIND_NEEDS_READ = (
    "Fill it in, or clear the path of “Find a ticket by its key”: the portal must read its own "
    "comments, or one whose answer was lost would be written twice."
)
CLOSE_NEEDED = "Fill it in, or clear the path of “Read a ticket”: then the portal closes none."


class HttpKind:
    name = "http"
    label = "Other helpdesk (HTTP)"
    about = (
        "Any helpdesk that other programs can ask by HTTP with JSON. You describe its requests and "
        "where in its answers the portal finds what it needs; the defaults are those of a plain "
        "REST interface."
    )
    help_url = ""
    is_untried = False
    fields = FIELDS

    def can_find(self, settings: Settings) -> bool:
        return bool(settings.get("find_path"))

    def can_close(self, settings: Settings) -> bool:
        """Whether it did is read: what cannot be read is not closed."""
        return bool(settings.get("read_path"))

    def reads_at_once(self, settings: Settings) -> int:
        return AT_ONCE if settings.get("list_path") else FEW

    def check(self, settings: Settings, secrets: Secrets) -> str:
        problems: dict[str, str] = {}
        for find in (self._check_address, self._check_texts):
            problems |= find(settings, secrets)
        for verb in self._list_verbs(settings):
            problems |= find_problems(settings, verb)
        problems |= self._find_missing(settings)
        if problems:
            raise Rejected(problems)
        return get_host(settings["url"].strip())

    def connect(self, gateway: Way, settings: Settings, secrets: Secrets) -> HttpClient:
        headers = read_headers(secrets.get("headers", ""))
        rest = Rest(
            gateway=gateway,
            base=clean_base(settings["url"]),
            headers=headers,
            secrets=list_parts(headers),
            bad_key="Enter the headers again.",
        )
        return HttpClient(rest, settings)

    def preview(self, settings: Settings) -> str:
        requests = []
        for verb in self._list_verbs(settings):
            try:
                call = make_call(settings, verb, sample(verb))
            except BadTemplate as error:
                requests.append(f"{verb}: {error}")
                continue
            line = f"{call.method} {settings['url'].strip().rstrip('/')}/{call.path}"
            body = json.dumps(call.data, indent=2, ensure_ascii=False) if call.data else ""
            requests.append("\n".join(part for part in (line, body) if part))
        return "\n\n".join(requests)

    def _list_verbs(self, settings: Settings) -> list[str]:
        """Those that are asked for."""
        verbs = [verb for verb in VALUES if settings.get(f"{verb}_path")]
        is_closing = self.can_close(settings)
        return [verb for verb in verbs if is_closing or verb not in ("close", "reopen")]

    def _find_missing(self, settings: Settings) -> dict[str, str]:
        """What a verb needs of others: whether its own comments are there, and whether a change of
        state took place, stands in what is read."""
        if not settings.get("read_path"):
            return {"read_path": FIND_NEEDS_READ} if settings.get("find_path") else {}
        needed = ("close_path", "reopen_path", "closed")
        return {name: CLOSE_NEEDED for name in needed if not settings.get(name)}

    def _check_address(self, settings: Settings, secrets: Secrets) -> dict[str, str]:
        problems: dict[str, str] = {}
        try:
            clean_base(settings["url"])
        except Rejected as error:
            problems |= error.problems
        try:
            read_headers(secrets.get("headers", ""))
        except Rejected as error:
            problems |= error.problems
        return problems

    def _check_texts(self, settings: Settings, secrets: Secrets) -> dict[str, str]:
        problems = {}
        for name in PATHS:
            try:
                read_path(settings.get(name, ""))
            except BadPath as error:
                problems[name] = str(error)
        for name in LISTS:
            choices = read_choices(settings.get(name, ""))
            if any(len(each.id) > LONGEST_ID or not each.id.isprintable() for each in choices):
                problems[name] = f"Use at most {LONGEST_ID} plain characters before the =."
        try:
            check_template(settings.get("page", ""), ["reference"])
        except BadTemplate as error:
            problems["page"] = str(error)
        return problems


KIND = HttpKind()
