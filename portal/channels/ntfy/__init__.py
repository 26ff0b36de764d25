"""ntfy: pushes to phones, by ntfy.sh or a server of one's own."""

from __future__ import annotations

import hashlib
import re
from typing import Any
from urllib.parse import urlsplit

from portal.channels.base import TextChannel
from portal.channels.kind import Outcome, Result, Templates
from portal.channels.posting import judge, send
from portal.channels.telling import Telling
from portal.channels.templating import Rendered, render
from portal.channels.wording import list_links
from portal.far_side.escaping import cut_bytes
from portal.far_side.form import Field, Rejected, Secrets, Settings, Way
from portal.far_side.http import Reply, Request, clean_url, get_host, make_json

PUBLIC_SERVER = "https://ntfy.sh"
LONGEST_TITLE = 1000
LONGEST_MESSAGE = 4000
"""Bytes. From 4,096 on the server makes a file of it."""
PRIORITIES = {"low": 2, "normal": 3, "high": 4, "critical": 5}
OF_ITS_OWN = ("reminder", "escalated")
"""These stand beside the first message; a resolve takes its place."""
_TOPIC = re.compile(r"[-_A-Za-z0-9]{1,64}")


class NtfyChannel(TextChannel):
    name = "ntfy"
    label = "ntfy"
    about = (
        "Pushes to every phone and browser that subscribed to a topic. The urgency of a rule "
        "becomes the priority; once an alert is resolved, that takes the place of its message."
    )
    help_url = "https://docs.ntfy.sh/subscribe/phone/"
    most_per_minute = 12
    fields = (
        Field(
            name="server",
            label="Server",
            input="url",
            default=PUBLIC_SERVER,
            names_host=True,
            help="The public one, or your own.",
        ),
        Field(
            name="topic",
            label="Topic",
            input="password",
            is_secret=True,
            help=(
                "Letters, digits, - and _. Whoever knows the topic of a public server reads along: "
                "choose a long random one, or protect it and enter a token."
            ),
            longest=64,
        ),
        Field(
            name="token",
            label="Access token",
            input="password",
            is_secret=True,
            is_required=False,
            help="In ntfy: Account, Access tokens. Only for a protected topic.",
            placeholder="tk_…",
        ),
        Field(
            name="knows_keys",
            label="The server is version 2.16 or newer",
            input="checkbox",
            is_required=False,
            help=(
                "Such a server shows a repeated message once. For an older one, a message that may "
                "be a second copy says so. The public server is newer."
            ),
        ),
    )

    def check(self, settings: Settings, secrets: Secrets, templates: Templates) -> str:
        url = clean_url(settings["server"], "server")
        if urlsplit(url).path.strip("/") or urlsplit(url).query:
            raise Rejected({"server": "Enter the server alone, without the topic behind it."})
        if not _TOPIC.fullmatch(secrets.get("topic", "")):
            raise Rejected({"topic": "Use at most 64 letters, digits, - and _."})
        token = secrets.get("token", "")
        if token and not (token.isascii() and token.isprintable() and " " not in token):
            raise Rejected({"token": "This is no token of ntfy’s. It begins with tk_."})
        return get_host(url)

    def takes_key(self, settings: Settings) -> bool:
        return bool(settings.get("knows_keys")) or get_host(settings["server"]) == "ntfy.sh"

    def send(self, gateway: Way, settings: Settings, secrets: Secrets, telling: Telling) -> Outcome:
        sequence = _find_sequence(telling)
        message = make_message(telling) | {"topic": secrets["topic"], "sequence_id": sequence}
        token = secrets.get("token", "")
        request = Request(
            url=settings["server"].rstrip("/") + "/",
            body=make_json(message),
            headers={"Authorization": f"Bearer {token}"} if token else {},
            secrets=[secrets["topic"], token],
        )
        reply = send(gateway, request)
        if isinstance(reply, Outcome):
            return reply
        return _judge(reply, request, dict(telling.thread) or {"sequence_id": sequence})


def make_message(telling: Telling) -> dict[str, Any]:
    told = render(telling)
    is_good = telling.reason in ("resolved", "notice_over")
    urgency = telling.alerts[0].urgency if telling.alerts else "normal"
    links = list_links(telling)
    message = {
        "title": cut_bytes(told.title, LONGEST_TITLE),
        "message": cut_bytes(_write_text(told), LONGEST_MESSAGE),
        "priority": 3 if is_good else PRIORITIES.get(urgency, 3),
        "tags": ["white_check_mark"] if is_good else ["warning"] if telling.alerts else [],
        "actions": [
            {"action": "view", "label": label, "url": url, "clear": False} for label, url in links
        ],
    }
    return message | ({"click": links[-1][1]} if links else {})


def _write_text(told: Rendered) -> str:
    facts = "\n".join(f"{label}: {value}" for label, value in told.facts)
    # Without a message the server writes one of its own.
    return "\n\n".join(piece for piece in (told.text, facts, told.double) if piece) or told.title


def _find_sequence(telling: Telling) -> str:
    """What a later message of the same one takes the place of."""
    first = telling.thread.get("sequence_id")
    if isinstance(first, str) and telling.reason not in OF_ITS_OWN:
        return first
    return hashlib.sha256(telling.key.encode()).hexdigest()[:32]


def _judge(reply: Reply, request: Request, thread: dict[str, Any]) -> Outcome:
    if reply.status < 300:
        return Outcome(result=Result.SENT, answer="The ntfy server took it.", thread=thread)
    data = reply.read_json()
    error = data.get("error") if isinstance(data, dict) else None
    if not isinstance(error, str):
        return judge(reply, request)
    return judge(Reply(reply.status, reply.headers, error.encode()), request)


KIND = NtfyChannel()
