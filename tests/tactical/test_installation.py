"""The endpoints of an installation: what is read, changed, allowed and tried."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from portal.tactical.errors import MissingPermission, ServerError, UnexpectedAnswer
from portal.tactical.installation import (
    ACTIONS,
    KEYS,
    ORGANIZATIONS,
    TEMPLATES,
    Rendering,
    TacticalInstallation,
)
from portal.tactical.webhook import FAILURE_BODY
from tactical_simulator import SimulatedTactical
from tests.simulator.receiver import Receiver
from tests.tactical.talking import talking


@pytest.fixture
def there(tactical: SimulatedTactical) -> Iterator[TacticalInstallation]:
    with talking(tactical, tactical.api_key) as api:
        yield api.installation


def test_records_are_made_listed_changed_and_deleted(there: TacticalInstallation) -> None:
    there.create(KEYS, {"name": "n", "value": "v"})
    there.create(ACTIONS, {"name": "a", "pattern": "https://one/", "action_type": "rest"})
    there.create(TEMPLATES, {"name": "t", "action_type": "rest", "action_rest": 1})
    [key], [action], [template] = there.list_keys(), there.list_actions(), there.list_templates()
    assert (key.name, key.value) == ("n", "v")
    assert (action.name, action.pattern, action.rest_method) == ("a", "https://one/", "post")
    assert (template.name, template.action_rest, template.default_template) == ("t", 1, False)

    there.update(ACTIONS, action.pk, {"name": "a", "pattern": "https://two/"})
    assert there.list_actions()[0].pattern == "https://two/"
    for path, pk in ((KEYS, key.pk), (ACTIONS, action.pk), (TEMPLATES, template.pk)):
        there.delete(path, pk)
        there.delete(path, pk)  # gone already
    assert [there.list_keys(), there.list_actions(), there.list_templates()] == [[], [], []]


def test_secrets_are_not_in_what_is_printed(there: TacticalInstallation) -> None:
    there.create(KEYS, {"name": "n", "value": "CANARY"})
    there.create(ACTIONS, {"name": "a", "rest_headers": "CANARY"})
    assert "CANARY" not in repr((there.list_keys(), there.list_actions()))


def test_a_template_is_chosen_and_given_back(there: TacticalInstallation) -> None:
    there.create(TEMPLATES, {"name": "t"})
    pk = there.list_templates()[0].pk
    there.choose_for_organization(2, pk)
    there.choose_default(pk)
    assert [place.pk for place in there.list_organizations() if place.alert_template == pk] == [2]
    assert there.list_templates()[0].default_template

    there.choose_for_organization(2, None)
    there.choose_default(None)
    assert {place.alert_template for place in there.list_organizations()} == {None}
    assert not there.list_templates()[0].default_template


def test_a_hosted_server_lets_nobody_choose_the_default(
    tactical: SimulatedTactical, there: TacticalInstallation
) -> None:
    tactical.control.server.set(hosted=True)
    with pytest.raises(ServerError):
        there.choose_default(None)


def test_records_that_cannot_be_read_are_passed_over(
    tactical: SimulatedTactical, there: TacticalInstallation
) -> None:
    rows = [None, {"id": "x", "name": "a"}, {"id": 1}, {"id": 2, "name": 7}, {"id": 3, "name": "c"}]
    tactical.control.faults.add("json", KEYS, body=rows)
    assert [key.pk for key in there.list_keys()] == [3]
    tactical.control.faults.add("json", KEYS, body={"detail": "no"}, times=None)
    with pytest.raises(UnexpectedAnswer):
        there.list_keys()


@pytest.mark.parametrize(
    ("path", "flag"),
    [
        (KEYS, "can_edit_global_keystore"),
        (ACTIONS, "can_edit_core_settings"),
        (TEMPLATES, "can_manage_alerttemplates"),
        (ORGANIZATIONS, "can_manage_clients"),
    ],
)
def test_what_is_lacking_is_known_before_anything_changes(
    tactical: SimulatedTactical, there: TacticalInstallation, path: str, flag: str
) -> None:
    assert there.list_lacking([path]) == []
    with talking(tactical, tactical.control.access.add_key(without=[flag])) as api:
        narrow = api.installation
        assert narrow.list_lacking([KEYS, ACTIONS, TEMPLATES, ORGANIZATIONS]) == [flag]


@pytest.mark.parametrize("flag", ["can_run_urlactions", "can_view_global_keystore"])
def test_a_list_that_is_not_allowed_names_the_flag(tactical: SimulatedTactical, flag: str) -> None:
    with talking(tactical, tactical.control.access.add_key(without=[flag])) as api:
        there = api.installation
        fetch = there.list_actions if flag == "can_run_urlactions" else there.list_keys
        with pytest.raises(MissingPermission) as raised:
            fetch()
    assert raised.value.permission == flag


def test_the_test_tells_what_came_back(
    tactical: SimulatedTactical, there: TacticalInstallation
) -> None:
    there.create(KEYS, {"name": "secret", "value": "s3cret"})
    agent = tactical.control.agents.ids()[0]
    headers = '{"X-Alga-Webhook-Secret": "{{global.secret}}"}'
    with Receiver() as receiver:
        said = there.run_test(receiver.url, FAILURE_BODY, headers, Rendering("agent", agent))
        request = receiver.only
    assert said == receiver.text
    assert request.headers["X_ALGA_WEBHOOK_SECRET"] == "s3cret"
    assert agent in request.body.decode()

    refused = there.run_test("http://127.0.0.1:9/", "{}", "{}", Rendering("none", None))
    assert "refused" in refused
    with pytest.raises(ServerError):
        there.run_test("http://127.0.0.1:9/", "{}", "{}", Rendering("agent", "x" * 40))
