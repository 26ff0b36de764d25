"""The verbs, as Redmine 5 answers them.

It answers 204 to changes that it did not make, an empty list to a wrong key, and all issues to a
search by a field that is no filter: the key is asked for first, and all else is read back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from portal.chunks import chunked
from portal.far_side.escaping import cut, one_line
from portal.far_side.form import Settings, Way
from portal.helpdesks.base import Watch, check_number, is_number
from portal.helpdesks.kind import AnswerLost, Choice, Draft, NotDone, Refused, Remote, State
from portal.helpdesks.redmine.markup import write_block
from portal.helpdesks.rest import Rest, dig, list_at, text_at
from portal.wording import join_words

LONGEST_SUBJECT = 255
PAGE = 100
"""It gives no more at once, whatever is asked for."""
AT_ONCE = 50
"""Issues that are read: it would tell of a hundred, but each that changed costs a request more."""
MOST_PAGES = 10
NEEDED: Mapping[str, str] = {
    "view_issues": "view issues",
    "add_issues": "add issues",
    "edit_issues": "edit issues",
    "add_issue_notes": "add notes",
    "view_private_notes": "view private notes",
    "set_notes_private": "set notes as private",
}
"""Permission -> its label. Without those about private notes, customers would read ours, and what
people wrote there would not be seen."""
BAD_KEY = "It does not know the API access key: enter it again."
NO_REST = "“Enable REST web service” in Administration, Settings, API"
NO_FIELD = (
    "No issue that the account sees has a custom field “{name}”. Enter the field’s number, or make "
    "the first issue in Redmine."
)
COMMENT_LOST = "The helpdesk took the comment, and does not show it. Needed: “add notes”."


def make_rest(gateway: Way, url: str, key: str) -> Rest:
    return Rest(
        gateway=gateway,
        base=url,
        headers={"X-Redmine-API-Key": key},
        secrets=[key],
        bad_key=BAD_KEY,
        explain=lambda data: "; ".join(str(each) for each in list_at(data, "errors")),
    )


class RedmineClient:
    def __init__(self, rest: Rest, url: str, settings: Settings) -> None:
        self._rest, self._url, self._settings = rest, url, settings

    @cached_property
    def _account(self) -> Any:
        """Asked before any search: to a wrong key Redmine answers an empty list."""
        said = self._rest.get("users/current.json", {"include": "memberships"}, needs=NO_REST)
        if not text_at(user := dig(said.data, "user"), "id"):
            raise Refused(f"The helpdesk did not tell whose the key is. {BAD_KEY}")
        return user

    @property
    def _account_id(self) -> str:
        return text_at(self._account, "id")

    @cached_property
    def _statuses(self) -> list[Any]:
        return list_at(self._rest.get("issue_statuses.json").data, "issue_statuses")

    @cached_property
    def _field(self) -> str:
        """Its number. Only an administrator may list the fields, so a name is looked for in issues
        that there are."""
        wanted = str(self._settings["field"]).strip()
        if is_number(wanted):
            return wanted
        for issue in self._search({"sort": "id:desc"}):
            for each in list_at(issue, "custom_fields"):
                if text_at(each, "name") == wanted and is_number(text_at(each, "id")):
                    return text_at(each, "id")
        raise Refused(NO_FIELD.format(name=wanted))

    def check_account(self) -> str:
        """Also what its roles allow: one request for each of them."""
        user = self._account
        name = f"{text_at(user, 'firstname')} {text_at(user, 'lastname')}".strip()
        if dig(user, "admin") is not True:
            self._check_roles(list_at(user, "memberships"))
        return f"{name} ({text_at(user, 'login')})"

    def _check_roles(self, memberships: Iterable[Any]) -> None:
        roles = {text_at(role, "id") for each in memberships for role in list_at(each, "roles")}
        if not roles:
            raise Refused(
                "The account is a member of no project. Add it to those it opens issues in."
            )
        watch, allowed = Watch(), set[str]()
        for role in sorted(roles):
            watch.check()
            allowed |= set(
                list_at(self._rest.get(f"roles/{role}.json").data, "role", "permissions")
            )
        missing = [
            f"“{label}”" for permission, label in NEEDED.items() if permission not in allowed
        ]
        if missing:
            raise Refused(f"The role of the account lacks {join_words(missing)}.")

    def find(self, key: str) -> Sequence[Remote]:
        """Two requests on a fresh connection; three where the field is named."""
        _ = self._account
        hits = self._search({f"cf_{self._field}": key, "sort": "id"})
        exact = [hit for hit in hits if self._read_key(hit) == key]
        return [self._make_remote(hit) for hit in exact or hits[:1]]

    def open(self, draft: Draft) -> Remote:
        asked: dict[str, Any] = {
            "project_id": draft.queue,
            "subject": cut(one_line(draft.subject), LONGEST_SUBJECT) or "…",
            "description": self._write(draft.body, draft.url),
            "custom_fields": [{"id": int(self._field), "value": draft.key}],
        }
        if tracker := self._settings.get("tracker", "").strip():
            trackers = list_at(self._rest.get("trackers.json").data, "trackers")
            asked["tracker_id"] = _pick(trackers, tracker, "tracker")
        if draft.priority:
            asked["priority_id"] = draft.priority
        said = self._rest.post("issues.json", {"issue": asked}, needs="“add issues”")
        if not is_number(text_at(issue := dig(said.data, "issue"), "id")):
            raise AnswerLost("The helpdesk did not tell the number of the new issue.")
        return self._make_remote(issue)

    def comment(self, reference: str, text: str, *, closing: bool = False) -> None:
        """Read back: 204 is said to a role without the right as well."""
        notes = self._write(text)
        self._change(reference, {"notes": notes, "private_notes": True})
        try:
            is_there = self.has_comment(reference, text.strip().rpartition("\n")[2])
        except NotDone as error:
            raise AnswerLost(error.message) from error
        if not is_there:
            raise Refused(COMMENT_LOST)

    def has_comment(self, reference: str, marker: str) -> bool:
        journals = self._list_journals(reference)
        own = (each for each in journals if text_at(each, "user", "id") == self._account_id)
        return any(marker in str(dig(each, "notes")) for each in own)

    def close(self, reference: str) -> None:
        self._set_status(reference, self._settings.get("closed", ""), is_closed=True)

    def reopen(self, reference: str) -> None:
        self._set_status(reference, self._settings.get("open", ""), is_closed=False)

    def read(self, references: Collection[str]) -> Mapping[str, Remote]:
        """Of fifty issues one request, and one for each that was changed since it was opened: who
        did that stands in the issue alone. Two more on a fresh connection."""
        watch = Watch()
        _ = self._account
        found: dict[str, Remote] = {}
        for chunk in chunked([each for each in references if is_number(each)], AT_ONCE):
            watch.check()
            for issue in self._search({"issue_id": ",".join(chunk)}):
                number = text_at(issue, "id")
                touched_by = self._find_toucher(issue, watch)
                found[number] = self._make_remote(issue, touched_by)
        return found

    def list_queues(self) -> Sequence[Choice]:
        return [_make_choice(each) for each in self._page("projects.json", "projects")]

    def list_customers(self) -> Sequence[Choice]:
        """It has none: a project of one's own is what comes near."""
        return []

    def list_priorities(self) -> Sequence[Choice]:
        said = self._rest.get("enumerations/issue_priorities.json")
        priorities = list_at(said.data, "issue_priorities")
        return [_make_choice(each) for each in priorities if dig(each, "active") is not False]

    def _write(self, text: str, url: str = "") -> str:
        return write_block(text, self._settings.get("format", "textile"), url)

    def _set_status(self, reference: str, wanted: str, *, is_closed: bool) -> None:
        fitting = [each for each in self._statuses if dig(each, "is_closed") is is_closed]
        status = _pick(fitting, wanted.strip(), "status")
        self._change(reference, {"status_id": status})

    def _change(self, reference: str, change: Mapping[str, Any]) -> None:
        path = f"issues/{check_number(reference)}.json"
        self._rest.put(path, {"issue": change}, needs="“edit issues” and “add notes”")

    def _list_journals(self, reference: str) -> list[Any]:
        path = f"issues/{check_number(reference)}.json"
        return list_at(self._rest.get(path, {"include": "journals"}).data, "issue", "journals")

    def _find_toucher(self, issue: Any, watch: Watch) -> str:
        """The latest who is not our account."""
        if text_at(issue, "updated_on") == text_at(issue, "created_on"):
            return ""
        watch.check()
        journals = self._list_journals(text_at(issue, "id"))
        others = [each for each in journals if text_at(each, "user", "id") != self._account_id]
        return (text_at(others[-1], "user", "name") or "somebody") if others else ""

    def _search(self, query: Mapping[str, str]) -> list[Any]:
        """Closed ones included."""
        asked = {**query, "status_id": "*", "limit": str(PAGE)}
        return list_at(self._rest.get("issues.json", asked).data, "issues")

    def _page(self, path: str, name: str) -> list[Any]:
        watch, found = Watch(), list[Any]()
        for page in range(MOST_PAGES):
            watch.check()
            asked = {"limit": str(PAGE), "offset": str(page * PAGE)}
            items = list_at(self._rest.get(path, asked).data, name)
            found += items
            if len(items) < PAGE:
                break
        return found

    def _make_remote(self, issue: Any, touched_by: str = "") -> Remote:
        number = text_at(issue, "id")
        is_closed = dig(issue, "status", "is_closed") is True
        return Remote(
            reference=number,
            url=f"{self._url}/issues/{number}",
            state=State.CLOSED if is_closed else State.OPEN,
            key=self._read_key(issue),
            touched_by=touched_by,
        )

    def _read_key(self, issue: Any) -> str:
        for each in list_at(issue, "custom_fields"):
            if text_at(each, "id") == self._field:
                return text_at(each, "value")
        return ""


def _pick(items: Sequence[Any], wanted: str, what: str) -> str:
    """The id of the one of that name or number; of the first where nothing is wanted."""
    for each in items:
        if not wanted or wanted in (text_at(each, "id"), text_at(each, "name")):
            return text_at(each, "id")
    known = ", ".join(text_at(each, "name") for each in items)
    raise Refused(f"The helpdesk has no fitting {what} “{wanted}”. It has: {known}.")


def _make_choice(item: Any) -> Choice:
    return Choice(text_at(item, "id"), text_at(item, "name"))
