"""Slack, Teams, Discord and ntfy: what they are sent fits, and what they answer is understood."""

from __future__ import annotations

import json
from typing import Any

import pytest

from portal.channels import KINDS, Outcome, Result, Telling, slack
from portal.egress import Gateway
from tests.channels.far_side import FarSide, Planned
from tests.channels.samples import OVER, make_alert, make_digest, make_telling

HOOKS = ("slack", "teams", "discord")
NASTY = "<!channel> @everyone **b** [x](http://evil.example) & \u202e" + "ü😀" * 9000
RESOLVED = {"reason": "resolved", "key": "h7:resolved:c1"}


def send(
    kind: str,
    gateway: Gateway,
    far_side: FarSide,
    telling: Telling | None = None,
    secrets: dict[str, str] | None = None,
    **settings: Any,
) -> Outcome:
    secrets = {"url": far_side.url + "/hook/t0ken-of-it?sig=a%2Fb", "topic": "t0pic"} | (
        secrets or {}
    )
    settings = {"server": far_side.url} | settings
    return KINDS[kind].send(gateway, settings, secrets, telling or make_telling())


def resolved(**changes: Any) -> Telling:
    return make_telling(make_alert(over=OVER), **RESOLVED | changes)


@pytest.mark.parametrize("kind", [*HOOKS, "ntfy"])
def test_title_message_facts_and_links_arrive(
    kind: str, gateway: Gateway, far_side: FarSide
) -> None:
    assert send(kind, gateway, far_side).result is Result.SENT
    sent = json.dumps(far_side.calls[0].json, ensure_ascii=False).replace("\\\\", "")
    for word in ("Overdue: SRV-01 (Contoso)", "SRV-01 is overdue.", "Berlin", "Servers"):
        assert word in sent
    for url in ("https://portal.example/acknowledge/#abc", "https://portal.example/t/msp/alerts/7"):
        assert url in sent


@pytest.mark.parametrize("kind", [*HOOKS, "ntfy"])
def test_what_is_too_long_or_means_something_there_is_cut_and_harmless(
    kind: str, gateway: Gateway, far_side: FarSide
) -> None:
    alert = make_alert(hostname=NASTY, message=NASTY, site=NASTY, rule=NASTY)
    for telling in (
        make_telling(alert, may_be_double=True),
        make_telling(alert, templates={"text": "{{ message }}" * 9}),
        make_digest(alerts=[alert] * 9, may_be_double=True),
    ):
        assert send(kind, gateway, far_side, telling).result is Result.SENT
        call = far_side.calls[-1]
        assert len(call.body) < 28 * 1024
        assert "\u202e" not in call.body.decode()
        CHECKS[kind](call.json)


def check_slack(message: dict[str, Any]) -> None:
    assert len(message["blocks"]) <= 50
    for block in message["blocks"]:
        assert len(block.get("fields", [])) <= 10
        for text in [block["text"]] if "text" in block else block["fields"]:
            limit = 150 if text["type"] == "plain_text" else 2000 if "fields" in block else 3000
            assert 0 < len(text["text"]) <= limit
            assert text["type"] == "plain_text" or "<!" not in text["text"]


def check_teams(message: dict[str, Any]) -> None:
    assert set(message) == {"type", "attachments"}
    card = message["attachments"][0]["content"]
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}


def check_discord(message: dict[str, Any]) -> None:
    assert message["allowed_mentions"] == {"parse": []}
    assert len(message["content"]) <= 2000
    [embed] = message["embeds"]
    assert len(embed["description"]) <= 4096
    assert all(len(field["value"]) <= 1024 for field in embed["fields"])
    whole = embed["description"] + "".join(f["name"] + f["value"] for f in embed["fields"])
    assert len(whole) <= 6000
    assert "http://evil" not in whole + message["content"]


def check_ntfy(message: dict[str, Any]) -> None:
    assert len(message["message"].encode()) < 4096
    assert len(message["title"].encode()) <= 1024


CHECKS = {"slack": check_slack, "teams": check_teams, "discord": check_discord, "ntfy": check_ntfy}


@pytest.mark.parametrize(
    ("kind", "planned", "result", "says"),
    [
        ("slack", Planned(404, "no_service"), Result.FAILED, "webhook was removed"),
        ("slack", Planned(400, "invalid_payload"), Result.REFUSED, "invalid_payload"),
        ("slack", Planned(429, "x", (("Retry-After", "30"),)), Result.FAILED, "429"),
        ("teams", Planned(202, ""), Result.SENT, "202"),
        ("teams", Planned(200, "failed with error: HTTP error 429"), Result.FAILED, "429"),
        (
            "teams",
            Planned(400, '{"error":{"code":"WorkflowTriggerIsNotEnabled"}}'),
            Result.FAILED,
            "switched off",
        ),
        ("discord", Planned(200, '{"id": "77"}'), Result.SENT, "took"),
        ("discord", Planned(404, '{"code": 10015}'), Result.FAILED, "webhook was deleted"),
        ("discord", Planned(429, '{"retry_after": 2.5}'), Result.FAILED, "429"),
        ("discord", Planned(400, '{"code": 50035, "message": "Bad"}'), Result.REFUSED, "Bad"),
        ("ntfy", Planned(403, '{"error": "forbidden"}'), Result.FAILED, "403: forbidden"),
        ("ntfy", Planned(413, "too much"), Result.REFUSED, "413"),
        ("ntfy", Planned(200, "t0ken t0pic"), Result.SENT, "took"),
        ("ntfy", Planned(500, "<html>"), Result.FAILED, "500"),
        ("discord", Planned(hangs_up=True), Result.LOST, "lost"),
    ],
)
def test_each_answer_is_understood(
    kind: str, planned: Planned, result: Result, says: str, gateway: Gateway, far_side: FarSide
) -> None:
    far_side.plan = [planned]
    outcome = send(kind, gateway, far_side)
    assert outcome.result is result
    assert says in outcome.answer
    asks = {"Retry-After": 30.0}.get(dict(planned.headers).get("Retry-After", "") and "Retry-After")
    asks = asks or (2.5 if "retry_after" in planned.body else None)
    asks = asks or (30.0 if "error 429" in planned.body else None)
    assert outcome.retry_after == asks


def test_discord_is_asked_to_wait_and_keeps_its_query(gateway: Gateway, far_side: FarSide) -> None:
    send("discord", gateway, far_side, thread_id="123")
    assert far_side.calls[0].path == "/hook/t0ken-of-it?sig=a%2Fb&wait=true&thread_id=123"


def test_a_bot_of_slack_answers_in_the_thread(
    gateway: Gateway, far_side: FarSide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slack, "API", far_side.url + "/api/chat.postMessage")
    bot = {"token": "xoxb-t0ken"}
    far_side.plan = [
        Planned(200, '{"ok": true, "ts": "1.5"}'),
        Planned(200, '{"ok": true, "ts": "1.6"}'),
        Planned(200, '{"ok": false, "error": "not_in_channel"}'),
        Planned(200, "<html>xoxb-t0ken"),
    ]
    first = send("slack", gateway, far_side, secrets=bot, room="C1")
    assert first.thread == {"ts": "1.5"}
    second = send("slack", gateway, far_side, resolved(thread=first.thread), bot, room="C1")
    assert second.thread == {"ts": "1.5"}
    assert far_side.calls[0].headers["Authorization"] == "Bearer xoxb-t0ken"
    assert "thread_ts" not in far_side.calls[0].json
    assert (far_side.calls[1].json["thread_ts"], far_side.calls[1].json["channel"]) == ("1.5", "C1")
    third = send("slack", gateway, far_side, secrets=bot, room="C1")
    assert (third.result, "not a member" in third.answer) == (Result.FAILED, True)
    fourth = send("slack", gateway, far_side, secrets=bot, room="C1")
    assert (fourth.result, "t0ken" in fourth.answer) == (Result.FAILED, False)


def test_ntfy_puts_the_resolve_in_place_of_the_alert(gateway: Gateway, far_side: FarSide) -> None:
    critical = make_telling(make_alert(urgency="critical"))
    first = send("ntfy", gateway, far_side, critical)
    send("ntfy", gateway, far_side, critical)
    send("ntfy", gateway, far_side, make_telling(reason="reminder", key="r", thread=first.thread))
    send("ntfy", gateway, far_side, resolved(thread=first.thread))
    raised, again, reminder, over = (call.json for call in far_side.calls)
    assert raised["sequence_id"] == again["sequence_id"] == over["sequence_id"]
    assert reminder["sequence_id"] != raised["sequence_id"]
    assert (raised["priority"], over["priority"]) == (5, 3)
    assert [action["action"] for action in raised["actions"]] == ["view", "view"]
    assert raised["topic"] == "t0pic"


def test_who_takes_a_key_is_said() -> None:
    assert KINDS["ntfy"].takes_key({"server": "https://ntfy.sh"})
    assert not KINDS["ntfy"].takes_key({"server": "https://push.example"})
    assert KINDS["http"].takes_key({"knows_keys": True})
    assert not KINDS["mail"].takes_key({})
