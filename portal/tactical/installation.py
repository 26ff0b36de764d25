"""What setting up a webhook needs of Tactical: its key store, URL actions, alert templates."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from portal.tactical.errors import (
    MissingPermission,
    NotFoundInTactical,
    RequestRefused,
    ServerError,
    UnexpectedAnswer,
)
from portal.tactical.http.session import TacticalSession
from portal.tactical.reading.decoding import decode_json, decode_list
from portal.tactical.reading.text import clean_count

LONGEST_KEY_NAME = 25
NO_RECORD = 0
"""A pk that no record has. Tactical looks at the permission before it looks for the record."""

KEYS, ACTIONS, TEMPLATES = "/core/keystore/", "/core/urlaction/", "/alerts/templates/"
ORGANIZATIONS = "/clients/"


@dataclass(frozen=True, slots=True)
class GlobalKey:
    """An entry of the key store; texts refer to it as `{{global.name}}`."""

    pk: int
    name: str
    value: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class UrlAction:
    pk: int
    name: str
    desc: str | None = None
    pattern: str = ""
    action_type: str = "web"
    rest_method: str = "post"
    rest_body: str | None = ""
    rest_headers: str | None = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class AlertTemplate:
    """`default_template`: whether it is the server's default now."""

    pk: int
    name: str
    is_active: bool = True
    action_type: str = "script"
    action_rest: int | None = None
    resolved_action_type: str = "script"
    resolved_action_rest: int | None = None
    agent_script_actions: bool | None = None
    check_script_actions: bool | None = None
    task_script_actions: bool | None = None
    default_template: bool = False


@dataclass(frozen=True, slots=True)
class OrganizationTemplate:
    """An organization and the alert template chosen for it, if any."""

    pk: int
    name: str
    alert_template: int | None = None


@dataclass(frozen=True, slots=True)
class Rendering:
    """What Tactical's test renders against: its kind and its agent_id or pk."""

    kind: str
    key: str | int | None


Kept = TypeVar("Kept", GlobalKey, UrlAction, AlertTemplate, OrganizationTemplate)


class TacticalInstallation:
    """The endpoints. Every method raises TacticalError and EgressError.

    Creating answers no id: list again and look for the name.
    """

    def __init__(self, session: TacticalSession) -> None:
        self._session = session

    # --- What is there ------------------------------------------------------------------

    def list_keys(self) -> list[GlobalKey]:
        return list(self._list(KEYS, GlobalKey))

    def list_actions(self) -> list[UrlAction]:
        return list(self._list(ACTIONS, UrlAction))

    def list_templates(self) -> list[AlertTemplate]:
        return list(self._list(TEMPLATES, AlertTemplate))

    def list_organizations(self) -> list[OrganizationTemplate]:
        """Those that the key's role shows."""
        return list(self._list(ORGANIZATIONS, OrganizationTemplate))

    def list_lacking(self, paths: Collection[str]) -> list[str]:
        """The flags that the role lacks to change what is listed at `paths`.

        Asks to change a record that nobody has, which changes nothing.
        """
        lacking: list[str] = []
        for path in paths:
            try:
                self._session.write("PUT", f"{path}{NO_RECORD}/", {})
            except MissingPermission as error:
                lacking.append(error.permission or "")
            except (NotFoundInTactical, RequestRefused, ServerError):
                continue  # it may: only the record is missing
        return lacking

    # --- Changing it --------------------------------------------------------------------

    def create(self, path: str, values: dict[str, Any]) -> None:
        self._session.write("POST", path, values)

    def update(self, path: str, pk: int, values: dict[str, Any]) -> None:
        self._session.write("PUT", f"{path}{pk}/", values)

    def delete(self, path: str, pk: int) -> None:
        """Nothing to do where it is gone already."""
        try:
            self._session.write("DELETE", f"{path}{pk}/")
        except NotFoundInTactical:
            return

    def choose_for_organization(self, organization: int, template: int | None) -> None:
        self._session.write(
            "PUT", f"{ORGANIZATIONS}{organization}/", {"client": {"alert_template": template}}
        )

    def choose_default(self, template: int | None) -> None:
        """On a server that Tactical's makers host this may be a ServerError."""
        self._session.write("PUT", "/core/settings/", {"alert_template": template})

    # --- Trying it ----------------------------------------------------------------------

    def run_test(self, url: str, body: str, headers: str, rendering: Rendering) -> str:
        """What came back when Tactical sent it: the receiver's text, or why nothing did.

        Tactical reports no status. A record that it does not have is a ServerError.
        """
        found = decode_json(
            self._session.write(
                "POST",
                "/core/urlaction/run/test/",
                {
                    "pattern": url,
                    "rest_method": "post",
                    "rest_body": body,
                    "rest_headers": headers,
                    "run_instance_type": rendering.kind,
                    "run_instance_id": rendering.key,
                },
            )
        )
        if not isinstance(found, dict):
            raise UnexpectedAnswer
        return str(found.get("result") or "")

    # --- Parts --------------------------------------------------------------------------

    def _list(self, path: str, kind: type[Kept]) -> Iterator[Kept]:
        """A record without a usable id or name is none of ours."""
        names = {each.name for each in fields(kind)}
        for row in self._session.fetch(decode_list, path):
            if not isinstance(row, dict):
                continue
            pk, name = clean_count(row.get("id")), row.get("name")
            if pk is None or not isinstance(name, str):
                continue
            known = {key: value for key, value in row.items() if key in names - {"pk", "name"}}
            yield kind(pk=pk, name=name, **known)
