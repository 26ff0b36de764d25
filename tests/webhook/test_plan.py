"""What an installation would change, decided from what Tactical lists; no server is asked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from portal.services.webhook.plan import (
    PlannedChange,
    Verb,
    placeholder,
    plan_installation,
    plan_removal,
)
from portal.services.webhook.present import Listing, Present, resolve_present
from portal.services.webhook.records import (
    ApplyTo,
    Chosen,
    Made,
    MadeRecord,
    Piece,
    Wanted,
    WebhookTexts,
)
from portal.tactical.installation import (
    AlertTemplate,
    GlobalKey,
    OrganizationTemplate,
    UrlAction,
)
from portal.tactical.webhook import headers_text

URL = "https://portal.example/api/webhooks/tacticalrmm?tenant=acme"
TEXTS = WebhookTexts("acme", "s3cret")
NOTHING = Listing(keys=[], actions=[], templates=[], organizations=[])
THEIRS = AlertTemplate(pk=90, name="Emails to Bob")
OURS = 40
"""The pk of the portal's template, once it is there."""
STAYS = "Somebody has chosen another template since then. It stays."


def install(present: Present, **wanted: Any) -> list[PlannedChange]:
    return plan_installation(present, Wanted(URL, **wanted), TEXTS)


def installed(made: Made | None = None, **listed: Any) -> tuple[Listing, Made]:
    """A server on which everything is as a first installation leaves it, but for `listed`."""
    first = {change.piece: change for change in install(resolve_present(NOTHING, Made()))}
    actions = [
        UrlAction(pk=pk, **first[piece].values)
        for pk, piece in ((20, Piece.FAILURE), (30, Piece.RESOLVED))
    ]
    values = first[Piece.TEMPLATE].values | {"action_rest": 20, "resolved_action_rest": 30}
    listing = Listing(
        keys=[GlobalKey(10, **first[Piece.KEY].values)],
        actions=actions,
        templates=[AlertTemplate(pk=OURS, **values), THEIRS],
        organizations=[],
    )
    pks = {Piece.KEY: 10, Piece.FAILURE: 20, Piece.RESOLVED: 30, Piece.TEMPLATE: OURS}
    made = made or Made()
    made.records = {piece: MadeRecord(first[piece].name, pk) for piece, pk in pks.items()}
    return replace(listing, **listed), made


def verbs(changes: list[PlannedChange]) -> list[tuple[Verb, Piece]]:
    return [(change.verb, change.piece) for change in changes]


def test_the_first_installation_creates_what_others_refer_to_first() -> None:
    changes = install(resolve_present(NOTHING, Made()), apply_to=ApplyTo.DEFAULT)

    assert verbs(changes) == [
        (Verb.CREATE, Piece.KEY),
        (Verb.CREATE, Piece.FAILURE),
        (Verb.CREATE, Piece.RESOLVED),
        (Verb.CREATE, Piece.TEMPLATE),
        (Verb.CHOOSE, Piece.DEFAULT),
    ]
    key, failure = changes[:2]
    assert key.values == {"name": "portal_webhook_secret", "value": "s3cret"}
    assert failure.values["pattern"] == URL
    assert failure.values["rest_headers"] == headers_text("{{global.portal_webhook_secret}}")
    assert "s3cret" not in repr(changes)


def test_a_second_installation_changes_nothing() -> None:
    assert {change.verb for change in install(resolve_present(*installed()))} == {Verb.KEEP}


def test_without_a_key_store_the_secret_stands_in_the_headers() -> None:
    present = resolve_present(NOTHING, Made())
    for changes in (install(present.without_key_store()), install(present, use_key_store=False)):
        assert Piece.KEY not in {change.piece for change in changes}
        assert changes[0].values["rest_headers"] == headers_text("s3cret")


def test_a_key_that_is_wanted_no_longer_is_removed_last() -> None:
    changes = install(resolve_present(*installed()), use_key_store=False)

    assert verbs(changes)[-1] == (Verb.REMOVE, Piece.KEY)
    assert changes[-1].pk == 10
    assert changes[0].detail == "Changes the headers."


def test_an_update_names_what_it_changes_once() -> None:
    listing, made = installed()
    failure, resolved = listing.actions
    edited = replace(failure, pattern="https://old.example", rest_body="", rest_method="get")
    broken = replace(listing, actions=[edited, resolved])
    changed = {change.piece: change for change in install(resolve_present(broken, made))}

    assert changed[Piece.FAILURE].verb is Verb.UPDATE
    assert changed[Piece.FAILURE].pk == 20
    assert changed[Piece.FAILURE].detail == "Changes the address, its settings and the body."
    assert changed[Piece.RESOLVED].verb is Verb.KEEP


@pytest.mark.parametrize(
    ("piece", "listing", "name"),
    [
        (
            Piece.KEY,
            replace(NOTHING, keys=[GlobalKey(1, "portal_webhook_secret")]),
            "portal_webhook_secret_2",
        ),
        (
            Piece.FAILURE,
            replace(
                NOTHING,
                actions=[
                    UrlAction(1, "Portal acme: alert failed"),
                    UrlAction(2, "Portal acme: alert failed 2"),
                ],
            ),
            "Portal acme: alert failed 3",
        ),
    ],
)
def test_a_name_that_somebody_else_took_gets_a_number(
    piece: Piece, listing: Listing, name: str
) -> None:
    changes = {change.piece: change for change in install(resolve_present(listing, Made()))}

    assert (changes[piece].verb, changes[piece].name) == (Verb.CREATE, name)
    if piece is Piece.KEY:
        assert placeholder(name) in changes[Piece.FAILURE].values["rest_headers"]


def test_a_record_whose_answer_got_lost_is_found_by_its_name() -> None:
    listing, made = installed()
    made.records[Piece.FAILURE].pk = None

    changes = {change.piece: change for change in install(resolve_present(listing, made))}

    assert (changes[Piece.FAILURE].verb, changes[Piece.FAILURE].pk) == (Verb.KEEP, 20)


def test_a_record_that_somebody_deleted_is_created_again() -> None:
    listing, made = installed(templates=[THEIRS])

    changes = {change.piece: change for change in install(resolve_present(listing, made))}

    assert changes[Piece.TEMPLATE].verb is Verb.CREATE


def test_another_template_is_replaced_with_a_warning() -> None:
    listing, made = installed(organizations=[OrganizationTemplate(7, "Initech", THEIRS.pk)])

    choice = install(
        resolve_present(listing, made), apply_to=ApplyTo.ORGANIZATIONS, organizations=(7,)
    )[-1]

    assert (choice.verb, choice.organization, choice.template) == (Verb.CHOOSE, 7, THEIRS.pk)
    assert choice.warning == "It replaces “Emails to Bob”, whose emails and actions stop there."


@pytest.mark.parametrize(
    ("now", "before", "verb", "restored", "detail"),
    [
        (OURS, THEIRS.pk, Verb.RESTORE, THEIRS.pk, "“Emails to Bob” again, as before."),
        (OURS, None, Verb.RESTORE, None, "No template of its own, as before."),
        (OURS, 91, Verb.RESTORE, None, "No template of its own, as before."),
        (
            THEIRS.pk,
            None,
            Verb.LEAVE,
            None,
            "Somebody has chosen another template since then. It stays.",
        ),
    ],
    ids=["as-before", "none-before", "deleted-meanwhile", "chosen-by-somebody"],
)
def test_a_place_that_is_wanted_no_longer_gets_back_what_it_had(
    now: int, before: int | None, verb: Verb, restored: int | None, detail: str
) -> None:
    made = Made(organizations={7: Chosen(before, "Initech")})
    present = resolve_present(
        *installed(made, organizations=[OrganizationTemplate(7, "Initech", now)])
    )
    for changes in (install(present), plan_removal(present)):
        change = next(each for each in changes if each.piece is Piece.ORGANIZATION)
        assert (change.verb, change.template, change.detail) == (verb, restored, detail)


def test_a_deleted_organization_is_forgotten() -> None:
    made = Made(organizations={7: Chosen(None, "Initech")})

    change = plan_removal(resolve_present(*installed(made)))[0]

    assert (change.verb, change.title) == (Verb.LEAVE, "Organization “Initech”")
    assert change.detail == "Tactical no longer lists this organization."


def test_a_removal_deletes_first_what_refers_to_others() -> None:
    made = Made(default=Chosen(THEIRS.pk))
    listing, made = installed(made)
    ours, theirs = listing.templates
    default = replace(listing, templates=[replace(ours, default_template=True), theirs])

    changes = plan_removal(resolve_present(default, made))

    assert verbs(changes) == [
        (Verb.RESTORE, Piece.DEFAULT),
        (Verb.REMOVE, Piece.TEMPLATE),
        (Verb.REMOVE, Piece.FAILURE),
        (Verb.REMOVE, Piece.RESOLVED),
        (Verb.REMOVE, Piece.KEY),
    ]
    assert [change.pk for change in changes[1:]] == [OURS, 20, 30, 10]


def test_a_removal_minds_what_is_gone_and_what_it_cannot_read() -> None:
    listing, made = installed(keys=None, actions=[])

    changes = {change.piece: change for change in plan_removal(resolve_present(listing, made))}

    assert changes[Piece.FAILURE].pk is None
    assert changes[Piece.FAILURE].detail == "It has already been deleted."
    assert changes[Piece.KEY].verb is Verb.KEEP
    assert "cannot be read" in changes[Piece.KEY].detail
