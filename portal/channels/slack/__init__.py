"""Slack: an incoming webhook, or a bot, whose messages about one alert form a thread."""

from __future__ import annotations

from typing import Any

from portal.channels.base import TextChannel
from portal.channels.kind import Outcome, Result, Templates
from portal.channels.posting import judge, send
from portal.channels.telling import Telling
from portal.channels.templating import render
from portal.channels.wording import list_links
from portal.far_side.escaping import cut, for_slack
from portal.far_side.form import Field, Rejected, Secrets, Settings, Way
from portal.far_side.http import Reply, Request, clean_url, get_host, make_json

API = "https://slack.com/api/chat.postMessage"
LONGEST_HEADER = 150
LONGEST_SECTION = 3000
LONGEST_FALLBACK = 500
MOST_FIELDS = 10
WORDS = {
    "account_inactive": "the bot’s account was deactivated",
    "action_prohibited": "an administrator restricted who may post",
    "channel_is_archived": "the room is archived",
    "channel_not_found": "there is no such room, or the bot is not in it",
    "invalid_auth": "the bot’s token is wrong",
    "is_archived": "the room is archived",
    "no_active_hooks": "the webhook was removed or switched off",
    "no_service": "the webhook was removed or switched off",
    "no_team": "the workspace is gone",
    "not_in_channel": "the bot is not a member of the room: invite it there",
    "ratelimited": "too many messages at once",
    "token_revoked": "the bot’s token was revoked",
}
"""A word of Slack's -> what it means."""
OF_THE_MESSAGE = ("invalid_blocks", "invalid_payload", "msg_too_long", "no_text")
"""Errors of the bot's interface that concern the one message."""


class SlackChannel(TextChannel):
    name = "slack"
    label = "Slack"
    about = (
        "Posts to one room of Slack. With a webhook each message stands alone; with a bot’s token "
        "the messages about an alert form a thread."
    )
    help_url = "https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks"
    fields = (
        Field(
            name="url",
            label="Webhook URL",
            input="url",
            is_secret=True,
            is_required=False,
            help="In Slack: your app, Incoming Webhooks, Add New Webhook. Empty for a bot.",
            placeholder="https://hooks.slack.com/services/…",
        ),
        Field(
            name="token",
            label="Bot token",
            input="password",
            is_secret=True,
            is_required=False,
            help="In Slack: your app, OAuth & Permissions. It needs the scope chat:write.",
            placeholder="xoxb-…",
        ),
        Field(
            name="room",
            label="Room",
            is_required=False,
            help="Only with a bot’s token: the channel ID, at the end of the room’s details.",
            placeholder="C0123456789",
            longest=80,
        ),
    )

    def check(self, settings: Settings, secrets: Secrets, templates: Templates) -> str:
        token, url = secrets.get("token", ""), secrets.get("url", "")
        room = settings.get("room", "")
        if token and not room:
            raise Rejected({"room": "Enter the ID of the room that the bot posts to."})
        if token and not (token.isascii() and token.isprintable() and " " not in token):
            raise Rejected({"token": "This is no token of Slack’s. It begins with xoxb-."})
        if token:
            return f"Room {room}"
        if not url:
            raise Rejected({"url": "Enter a webhook URL, or a bot token and a room."})
        return get_host(clean_url(url))

    def send(self, gateway: Way, settings: Settings, secrets: Secrets, telling: Telling) -> Outcome:
        message = make_message(telling)
        if token := secrets.get("token"):
            return _send_as_bot(gateway, token, settings["room"], message, telling)
        request = Request(url=secrets["url"], body=make_json(message))
        reply = send(gateway, request)
        if isinstance(reply, Outcome):
            return reply
        return judge(reply, request, WORDS.get(reply.body.decode(errors="replace").strip()))


def make_message(telling: Telling) -> dict[str, Any]:
    told = render(telling, for_slack)
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": cut(told.title, LONGEST_HEADER)}}
    ]
    blocks += [_section(told.text)] if told.text else []
    if told.facts:
        fields = [_text(f"*{label}*\n{value}") for label, value in told.facts[:MOST_FIELDS]]
        blocks.append({"type": "section", "fields": fields})
    links = " · ".join(f"<{for_slack(url)}|{label}>" for label, url in list_links(telling))
    blocks += [_section(links)] if links else []
    blocks += [_section(f"_{told.double}_")] if told.double else []
    return {
        "text": cut(for_slack(told.title), LONGEST_FALLBACK),
        "blocks": blocks,
        # A preview would open the links.
        "unfurl_links": False,
        "unfurl_media": False,
    }


def _send_as_bot(
    gateway: Way, token: str, room: str, message: dict[str, Any], telling: Telling
) -> Outcome:
    first = telling.thread.get("ts")
    body = message | {"channel": room} | ({"thread_ts": first} if first else {})
    headers = {"Authorization": f"Bearer {token}"}
    content_type = "application/json; charset=utf-8"
    request = Request(
        url=API, body=make_json(body), headers=headers, content_type=content_type, secrets=[token]
    )
    reply = send(gateway, request)
    return reply if isinstance(reply, Outcome) else _judge_bot(reply, request, dict(telling.thread))


def _judge_bot(reply: Reply, request: Request, thread: dict[str, Any]) -> Outcome:
    """The bot's interface answers 200 whatever happened."""
    data = reply.read_json()
    if reply.status != 200 or not isinstance(data, dict):
        outcome = judge(reply, request)
        # What is no JSON did not come from Slack.
        return (
            outcome if reply.status != 200 else Outcome(result=Result.FAILED, answer=outcome.answer)
        )
    if data.get("ok") is True:
        ts = data.get("ts")
        thread = thread or ({"ts": ts} if isinstance(ts, str) else {})
        return Outcome(result=Result.SENT, answer="Slack took the message.", thread=thread)
    word = str(data.get("error", ""))[:80]
    answer = f"Slack refused the message: {WORDS.get(word, word or 'it gave no reason')}."
    return Outcome(
        result=Result.REFUSED if word in OF_THE_MESSAGE else Result.FAILED, answer=answer
    )


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": _text(text)}


def _text(text: str) -> dict[str, str]:
    return {"type": "mrkdwn", "text": cut(text, LONGEST_SECTION)}


KIND = SlackChannel()
