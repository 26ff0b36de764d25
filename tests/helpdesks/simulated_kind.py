"""The kind of the simulated helpdesk. Whoever needs it offered puts it into `KINDS`:

monkeypatch.setitem(KINDS, SIMULATED.name, SIMULATED)
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from portal.far_side.form import Field, Rejected, Secrets, Settings, Way
from portal.far_side.http import clean_url, get_host
from portal.helpdesks.kind import MOST_LISTED, AnswerLost, Choice, Draft, Refused, Remote, State
from portal.helpdesks.rest import Rest, dig, list_at, text_at


class SimulatedKind:
    """With `cannot_find` among its settings, nobody can ask it for a key."""

    name = "simulated"
    label = "Simulated helpdesk"
    about = "For tests."
    help_url = ""
    is_untried = False
    fields = (
        Field(name="url", label="Address", input="url", names_host=True),
        Field(name="token", label="Key", input="password", is_secret=True),
        Field(name="cannot_find", label="No search", input="checkbox", is_required=False),
    )

    def can_close(self, settings: Settings) -> bool:
        return True

    def reads_at_once(self, settings: Settings) -> int:
        return 100

    def can_find(self, settings: Settings) -> bool:
        return not settings.get("cannot_find")

    def preview(self, settings: Settings) -> str:
        return ""

    def check(self, settings: Settings, secrets: Secrets) -> str:
        if not secrets.get("token"):
            raise Rejected({"token": "Enter the key."})
        return get_host(clean_url(settings["url"]))

    def connect(self, gateway: Way, settings: Settings, secrets: Secrets) -> SimulatedClient:
        token = secrets["token"]
        return SimulatedClient(
            Rest(
                gateway=gateway,
                base=settings["url"].rstrip("/"),
                headers={"Authorization": f"Bearer {token}"},
                secrets=[token],
                bad_key="Enter the key again.",
                explain=lambda data: text_at(data, "error"),
            )
        )


@dataclass(frozen=True, slots=True)
class SimulatedClient:
    rest: Rest

    def check_account(self) -> str:
        return text_at(self.rest.get("account").data, "name")

    def find(self, key: str) -> Sequence[Remote]:
        found = list_at(self.rest.get("tickets", {"key": key}).data, "tickets")
        exact = [each for each in found if each["key"] == key]
        return list(map(_read, exact or found[:1]))

    def open(self, draft: Draft) -> Remote:
        names = ("key", "queue", "customer", "priority", "subject", "body")
        said = self.rest.post(
            "tickets",
            {name: getattr(draft, name) for name in names},
            needs="the right to open tickets",
        )
        return _read_change(said.data)

    def comment(self, reference: str, text: str, *, closing: bool = False) -> None:
        said = self.rest.post(f"tickets/{reference}/comments", {"text": text})
        if dig(said.data, "comment") is None:
            raise Refused(text_at(said.data, "message"))

    def has_comment(self, reference: str, marker: str) -> bool:
        comments = list_at(self.rest.get(f"tickets/{reference}").data, "comments")
        return any(marker in each["text"] for each in comments if each["by"] != "anna")

    def close(self, reference: str) -> None:
        self.rest.put(f"tickets/{reference}", {"state": "closed"})

    def reopen(self, reference: str) -> None:
        self.rest.put(f"tickets/{reference}", {"state": "open"})

    def read(self, references: Collection[str]) -> Mapping[str, Remote]:
        """One request, and one more for each that is not among the answers."""
        said = self.rest.get("tickets", {"ids": ",".join(references)})
        found = {each.reference: each for each in map(_read, list_at(said.data, "tickets"))}
        for reference in references:
            if reference in found:
                continue
            one = self.rest.get(f"tickets/{reference}", takes=[404])
            if one.status == 200:
                target = text_at(one.data, "ticket", "id")
                found[reference] = Remote(reference=reference, state=State.GONE, merged_into=target)
        return found

    def list_queues(self) -> Sequence[Choice]:
        return self._list("queues")

    def list_customers(self) -> Sequence[Choice]:
        return self._list("customers")[:MOST_LISTED]

    def list_priorities(self) -> Sequence[Choice]:
        return self._list("priorities")

    def _list(self, path: str) -> Sequence[Choice]:
        items = list_at(self.rest.get(path).data, "items")
        return [Choice(text_at(each, "id"), text_at(each, "name")) for each in items]


def _read_change(data: Any) -> Remote:
    if dig(data, "ticket") is not None:
        return _read(data["ticket"])
    if said := text_at(data, "message"):
        raise Refused(f"The helpdesk answered: {said}.")
    raise AnswerLost("The helpdesk answered without a ticket.")


def _read(ticket: Any) -> Remote:
    return Remote(
        reference=text_at(ticket, "id"),
        url=text_at(ticket, "url"),
        state=State.CLOSED if text_at(ticket, "state") == "closed" else State.OPEN,
        key=text_at(ticket, "key"),
        touched_by=text_at(ticket, "touched_by"),
    )


SIMULATED = SimulatedKind()
