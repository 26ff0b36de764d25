"""Microsoft Teams, by the webhook of a workflow: each message is an adaptive card."""

from __future__ import annotations

from typing import Any

from portal.channels.base import TextChannel
from portal.channels.kind import Outcome, Result, Templates
from portal.channels.posting import judge, send
from portal.channels.telling import Telling
from portal.channels.templating import Rendered, render
from portal.channels.wording import list_links
from portal.far_side.escaping import cut_bytes
from portal.far_side.form import Field, Secrets, Settings, Way
from portal.far_side.http import Reply, Request, clean_url, get_host, make_json, quote_answer

MOST_LINES = 40
LONGEST_TEXT = 5 * 1024
"""Bytes. A card may have 28 KB in all; somewhat more than 20 were seen to be refused."""
PAUSE = 30.0
SWITCHED_OFF = b"WorkflowTriggerIsNotEnabled"


class TeamsChannel(TextChannel):
    name = "teams"
    label = "Microsoft Teams"
    about = (
        "Posts cards to a channel or a chat of Teams, by a workflow that begins “When a Teams "
        "webhook request is received”. Teams has no threads for these."
    )
    help_url = (
        "https://support.microsoft.com/office/create-incoming-webhooks-with-workflows-for-"
        "microsoft-teams-8ae491c7-0394-4861-ba59-055e33f75498"
    )
    fields = (
        Field(
            name="url",
            label="Workflow URL",
            input="url",
            is_secret=True,
            help=(
                "In Teams: the channel’s menu, Workflows, “Send webhook alerts to a channel”. Copy "
                "the whole URL, with all that stands behind the question mark."
            ),
            placeholder="https://….api.powerplatform.com/…",
        ),
    )

    def check(self, settings: Settings, secrets: Secrets, templates: Templates) -> str:
        return get_host(clean_url(secrets.get("url", "")))

    def send(
        self,
        gateway: Way,
        settings: Settings,
        secrets: Secrets,
        telling: Telling,
    ) -> Outcome:
        request = Request(url=secrets["url"], body=make_json(make_message(telling)))
        reply = send(gateway, request)
        return reply if isinstance(reply, Outcome) else _judge(reply, request)


def make_message(telling: Telling) -> dict[str, Any]:
    """Only runs of text, which Teams takes as they are: its blocks of text are Markdown."""
    told = render(telling)
    body = [_runs(_run(told.title, weight="Bolder", size="Large", **_color(telling)))]
    body += [_runs(_run(line)) for line in _list_lines(told)]
    body += [_runs(_run(f"{name}: ", weight="Bolder"), _run(value)) for name, value in told.facts]
    body += [_runs(_run(told.double, italic=True))] if told.double else []
    card = {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.4",
        "body": body,
        "actions": [
            {"type": "Action.OpenUrl", "title": label, "url": url}
            for label, url in list_links(telling)
        ],
        "msteams": {"width": "Full"},
    }
    content_type = "application/vnd.microsoft.card.adaptive"
    return {
        "type": "message",
        "attachments": [{"contentType": content_type, "content": card}],
    }


def _judge(reply: Reply, request: Request) -> Outcome:
    outcome = judge(reply, request)
    if reply.status < 300 and b"HTTP error 429" in reply.body:
        # The older webhooks say so in the text alone.
        return Outcome(result=Result.FAILED, answer=outcome.answer, retry_after=PAUSE)
    if SWITCHED_OFF in reply.body:
        said = quote_answer(reply.body, request)
        return Outcome(result=Result.FAILED, answer=f"The workflow is switched off: {said}")
    return outcome


def _list_lines(told: Rendered) -> list[str]:
    lines = [line for line in cut_bytes(told.text, LONGEST_TEXT).splitlines() if line.strip()]
    return lines[:MOST_LINES]


def _color(telling: Telling) -> dict[str, str]:
    is_good = telling.reason in ("resolved", "notice_over")
    return {"color": "Good"} if is_good else {"color": "Attention"} if telling.alerts else {}


def _runs(*runs: dict[str, Any]) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": runs}


def _run(text: str, **style: Any) -> dict[str, Any]:
    return {"type": "TextRun", "text": text, **style}


KIND = TeamsChannel()
