"""Any HTTP receiver: its body by template, its answers understood, its secrets never repeated."""

from __future__ import annotations

from typing import Any

import pytest

from portal.channels import KINDS, Outcome, Result, Telling
from portal.egress import Gateway
from portal.far_side.form import Rejected
from tests.channels.far_side import FarSide, Planned
from tests.channels.samples import make_alert, make_digest, make_telling
from tests.egress.servers import answer, serve

KIND = KINDS["http"]
JSON = {"method": "POST", "format": "json"}
TOKEN = "tok/en-0123456789"


def send(
    gateway: Gateway, far_side: FarSide, telling: Telling | None = None, **settings: Any
) -> Outcome:
    secrets = {
        "url": f"{far_side.url}/hooks/{TOKEN}?sig=s3cret-signature",
        "headers": "Authorization: Bearer b3arer-token\nX-One: 1",
    }
    return KIND.send(gateway, JSON | settings, secrets, telling or make_telling())


def test_a_message_arrives_as_json_with_its_key(far_side: FarSide, gateway: Gateway) -> None:
    outcome = send(
        gateway, far_side, make_telling(make_alert(message='a "b"\nc'), may_be_double=True)
    )

    assert outcome == Outcome(result=Result.SENT, answer="Answered 200: ok")
    [call] = far_side.calls
    assert (call.method, call.path) == ("POST", f"/hooks/{TOKEN}?sig=s3cret-signature")
    assert call.headers["Idempotency-Key"] == "h7:raised:c1"
    assert call.headers["Authorization"] == "Bearer b3arer-token"
    assert call.headers["Content-Type"] == "application/json"
    assert call.json["title"] == "Overdue: SRV-01 (Contoso)"
    assert call.json["text"] == 'a "b"\nc'
    assert "second copy" in call.json["note"]


def test_the_body_is_what_the_template_makes_of_it(far_side: FarSide, gateway: Gateway) -> None:
    own = {"body": "t={{ title }}&n={{ count }}"}
    send(gateway, far_side, make_digest(templates=own), method="PUT", format="form")
    assert far_side.calls[0].method == "PUT"
    assert far_side.calls[0].body == b"t=40+alerts%3A+Contoso+%2839%29+and+Fabrikam+%281%29&n=40"


def test_a_body_that_cannot_be_filled_in_is_told_in_the_default_words(
    far_side: FarSide, gateway: Gateway
) -> None:
    telling = make_telling(templates={"body": "{{ 1 | truncate }}"})
    assert send(gateway, far_side, telling).result is Result.SENT
    assert far_side.calls[0].json["title"]


@pytest.mark.parametrize(
    ("planned", "result", "retry_after"),
    [
        (Planned(204, ""), Result.SENT, None),
        (Planned(302, "", (("Location", "/x"),)), Result.FAILED, None),
        (Planned(400, "bad"), Result.REFUSED, None),
        (Planned(401, "who?"), Result.FAILED, None),
        (Planned(404, "gone"), Result.FAILED, None),
        (Planned(429, "slow", (("Retry-After", "7"),)), Result.FAILED, 7.0),
        (Planned(503, "later"), Result.FAILED, None),
        (Planned(hangs_up=True), Result.LOST, None),
    ],
)
def test_each_answer_is_understood(
    far_side: FarSide,
    gateway: Gateway,
    planned: Planned,
    result: Result,
    retry_after: float | None,
) -> None:
    far_side.plan = [planned]
    outcome = send(gateway, far_side)
    assert (outcome.result, outcome.retry_after) == (result, retry_after)
    assert len(far_side.calls) == 1


def test_what_never_went_out_is_not_lost(gateway: Gateway, far_side: FarSide) -> None:
    far_side.stop()
    outcome = send(gateway, far_side)
    assert outcome.result is Result.FAILED
    assert "cannot connect to 127.0.0.1" in outcome.answer
    far_side.__init__()  # type: ignore[misc]  # the fixture stops it again


def test_an_accepted_message_arrived_even_if_the_answer_breaks_off(gateway: Gateway) -> None:
    with serve(answer(b"half", length=100)) as server:
        secrets = {"url": server.url}
        outcome = KIND.send(gateway, JSON, secrets, make_telling())
    assert outcome.result is Result.SENT


def test_secrets_that_an_answer_repeats_are_not_shown(far_side: FarSide, gateway: Gateway) -> None:
    echo = "no tok/en-0123456789 en-0123456789 tok%2Fen-0123456789 s3cret-signature b3arer-token"
    far_side.plan = [Planned(403, echo + " x" * 200)]
    answer = send(gateway, far_side).answer
    assert "0123456789" not in answer
    assert "s3cret" not in answer
    assert "b3arer" not in answer
    assert answer.endswith("…")


@pytest.mark.parametrize(
    ("secrets", "templates", "field"),
    [
        ({"url": "example.com"}, {}, "url"),
        ({"url": "https://"}, {}, "url"),
        ({"url": "https://u:p@example.com"}, {}, "url"),
        ({"url": "https://example.com:x/"}, {}, "url"),
        ({"url": "https://example.com", "headers": "no colon"}, {}, "headers"),
        ({"url": "https://example.com", "headers": "Host: other"}, {}, "headers"),
        ({"url": "https://example.com", "headers": "A: ü"}, {}, "headers"),
        ({"url": "https://example.com"}, {"body": '{"a": {{ title }}}'}, "body"),
    ],
)
def test_what_cannot_work_is_named(
    secrets: dict[str, str], templates: dict[str, str], field: str
) -> None:
    with pytest.raises(Rejected) as caught:
        KIND.check(JSON, secrets, templates)
    assert list(caught.value.problems) == [field]


def test_only_the_host_is_shown() -> None:
    assert KIND.check(JSON, {"url": "https://example.com:8443/secret"}, {}) == "example.com:8443"
