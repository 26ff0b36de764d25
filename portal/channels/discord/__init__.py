"""Discord, by a webhook of a channel."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from portal.channels.base import TextChannel
from portal.channels.kind import Outcome, Result, Templates
from portal.channels.posting import judge, send
from portal.channels.telling import Telling
from portal.channels.templating import render
from portal.channels.wording import list_links
from portal.far_side.escaping import cut, for_discord
from portal.far_side.form import Field, Rejected, Secrets, Settings, Way
from portal.far_side.http import Reply, Request, clean_url, get_host, make_json

LONGEST_CONTENT = 1000
LONGEST_DESCRIPTION = 3000
"""With the fields, all of an embed may have 6,000 characters."""
LONGEST_FIELD = 250
GOOD, BAD, PLAIN = 0x2E8B57, 0xC0392B, 0x5865F2
SENTENCES = {
    10003: "the channel was deleted",
    10015: "the webhook was deleted",
    50027: "the webhook’s URL is wrong",
}
"""Discord's number of an error -> what it means."""


class DiscordChannel(TextChannel):
    name = "discord"
    label = "Discord"
    about = "Posts to one channel of a Discord server, or to one of its threads."
    help_url = "https://support.discord.com/hc/en-us/articles/228383668-Intro-to-Webhooks"
    fields = (
        Field(
            name="url",
            label="Webhook URL",
            input="url",
            is_secret=True,
            help="In Discord: the channel’s settings, Integrations, Webhooks, Copy Webhook URL.",
            placeholder="https://discord.com/api/webhooks/…",
        ),
        Field(
            name="thread_id",
            label="Thread",
            is_required=False,
            help="The ID of a thread to request to. In a forum channel it is needed.",
            longest=20,
        ),
    )

    def check(self, settings: Settings, secrets: Secrets, templates: Templates) -> str:
        thread = settings.get("thread_id", "")
        if thread and not (thread.isascii() and thread.isdigit()):
            raise Rejected({"thread_id": "Enter the ID, a long number: Copy Thread ID in Discord."})
        return get_host(clean_url(secrets.get("url", "")))

    def send(self, gateway: Way, settings: Settings, secrets: Secrets, telling: Telling) -> Outcome:
        url = _add_query(secrets["url"], settings.get("thread_id", ""))
        request = Request(url=url, body=make_json(make_message(telling)))
        reply = send(gateway, request)
        return reply if isinstance(reply, Outcome) else _judge(reply, request)


def make_message(telling: Telling) -> dict[str, Any]:
    """The title stands in the text: a phone shows no embed."""
    told = render(telling, for_discord)
    links = " · ".join(f"[{label}]({url})" for label, url in list_links(telling))
    double = f"*{told.double}*" if told.double else ""
    text = cut(told.text, LONGEST_DESCRIPTION - len(links) - len(double))
    embed = {
        "description": "\n\n".join(piece for piece in (text, links, double) if piece),
        "color": _find_color(telling),
        "fields": [
            {"name": label, "value": cut(value, LONGEST_FIELD), "inline": True}
            for label, value in told.facts
        ],
    }
    return {
        "content": f"**{cut(for_discord(told.title), LONGEST_CONTENT)}**",
        "embeds": [embed] if embed["description"] or embed["fields"] else [],
        "allowed_mentions": {"parse": []},
    }


def _judge(reply: Reply, request: Request) -> Outcome:
    data = reply.read_json()
    data = data if isinstance(data, dict) else {}
    if reply.status < 300:
        message_id = data.get("id")
        thread = {"message_id": message_id} if isinstance(message_id, str) else {}
        return Outcome(result=Result.SENT, answer="Discord took the message.", thread=thread)
    code = data.get("code")
    outcome = judge(reply, request, SENTENCES.get(code) if isinstance(code, int) else None)
    wait = data.get("retry_after")
    if reply.status != 429 or not isinstance(wait, int | float) or not 0 <= wait < 1e9:
        return outcome
    return Outcome(
        result=Result.FAILED,
        answer=outcome.answer,
        retry_after=max(float(wait), outcome.retry_after or 0),
    )


def _add_query(url: str, thread_id: str) -> str:
    """With `wait`, Discord says what became of the message."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query)) | {"wait": "true"}
    query |= {"thread_id": thread_id} if thread_id else {}
    return parts._replace(query=urlencode(query)).geturl()


def _find_color(telling: Telling) -> int:
    if telling.reason in ("resolved", "notice_over"):
        return GOOD
    return BAD if telling.alerts else PLAIN


KIND = DiscordChannel()
